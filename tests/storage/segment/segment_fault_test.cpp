// Publishing under faults: whichever system call fails, and whenever the power goes, there is no
// segment or a whole one; and one whose writing was reported as done is there.
#include <catch2/catch.hpp>

#include "storage/env/env.h"
#include "storage/env/fault_env.h"
#include "storage/segment/segment.h"
#include "tests/storage/env/temporary_directory.h"
#include "tests/storage/segment/model_rows.h"

using namespace vz;
using segment::DeadRows;
using segment::Footer;
using segment::Segment;
using segment::VectorColumn;
using segment::VectorKind;

namespace {

const std::string kDirectory = "/data/collections/1";
const std::string kPath = kDirectory + "/1-7.seg";

const test::ModelRows& rows() {
  static const test::ModelRows kRows = [] {
    std::mt19937 random(1);
    // Above 1 MiB, so that the writer flushes more than once.
    return test::random_rows({{"", VectorKind::kDense, 300}}, {.rows = 1200}, random);
  }();
  return kRows;
}

Status write(Env& env) {
  Footer footer;
  footer.columns = {{"", VectorKind::kDense, 300}};
  VZ_TRY(segment::write_segment(env, kPath, footer, rows(), {}));
  return {};
}

/// Requires that the file is absent or whole. Returns whether it is there.
bool absent_or_whole(Env& env) {
  const auto segment = Segment::open(env, kPath);
  if (!segment) {
    REQUIRE(segment.error().code == ErrorCode::kNotFound);
    return false;
  }
  REQUIRE((*segment)->file().verify(0, (*segment)->file().content_size()));
  REQUIRE((*segment)->row_count() == rows().row_count());
  REQUIRE((*segment)->find(rows().rows[700].id) == 700);
  REQUIRE(*(*segment)->payload(700) == test::stored_payload(rows().rows[700].payload));
  return true;
}

std::uint64_t calls_of_one_write() {
  FaultEnv env;
  REQUIRE(env.make_directory(kDirectory));
  const std::uint64_t before = env.calls();
  REQUIRE(write(env));
  return env.calls() - before;
}

}  // namespace

TEST_CASE("segment fault: a fault at any call leaves no segment or a whole one") {
  const std::uint64_t calls = calls_of_one_write();
  REQUIRE(calls >= 7);  // Create, three writes or more, sync, rename, sync of the directory.
  for (const ShortWrite short_write : {ShortWrite::kNothing, ShortWrite::kHalf}) {
    for (const ErrorCode code : {ErrorCode::kIoError, ErrorCode::kNoSpace}) {
      for (std::uint64_t fault = 0; fault <= calls; ++fault) {
        CAPTURE(fault, static_cast<int>(code));
        FaultEnv env;
        REQUIRE(env.make_directory(kDirectory));
        env.fail_at(fault, {.code = code, .short_write = short_write});

        const Status written = write(env);

        REQUIRE(written.has_value() == (fault == calls));
        if (!written) {
          REQUIRE(env.fault_hit());
          CHECK(written.error().code == code);
        }
        env.heal();
        const bool there = absent_or_whole(env);
        CHECK((there || !written));
        // Only the sync of the directory comes after the rename.
        CHECK(there == (fault >= calls - 1));
        CHECK_FALSE(env.exists(kPath + ".tmp"));
      }
    }
  }
}

TEST_CASE("segment fault: power lost after a fault leaves no segment or a whole one") {
  const std::uint64_t calls = calls_of_one_write();
  for (std::uint64_t fault = 0; fault <= calls; ++fault) {
    FaultEnv running;
    REQUIRE(running.make_directory(kDirectory));
    running.fail_from(fault);
    const Status written = write(running);
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      CAPTURE(fault, seed);
      const auto after = running.crash_image(seed);
      const bool there = absent_or_whole(*after);
      CHECK((there || !written));
      // The leftovers of the dead process are in nobody's way.
      REQUIRE(write(*after));
      CHECK(absent_or_whole(*after));
    }
  }
}

TEST_CASE("segment fault: what was reported as written survives the worst power cut") {
  const auto survives = [](FaultEnv& env) {
    REQUIRE(env.make_directory(kDirectory));
    REQUIRE(write(env));
    env.lose_power_worst();
    const auto segment = Segment::open(env, kPath);
    return segment && (*segment)->file().verify(0, (*segment)->file().content_size());
  };
  FaultEnv honest;
  CHECK(survives(honest));

  // The same test sees the missing sync, so it would see a writer that forgot one.
  FaultEnv no_file_sync;
  no_file_sync.ignore_file_syncs(true);
  CHECK_FALSE(survives(no_file_sync));
  FaultEnv no_directory_sync;
  no_directory_sync.ignore_directory_syncs(true);
  CHECK_FALSE(survives(no_directory_sync));
}

TEST_CASE("segment fault: a broken writer refuses everything and never publishes") {
  FaultEnv env;
  REQUIRE(env.make_directory(kDirectory));
  auto writer = segment::CheckedFileWriter::create(env, kPath, segment::FileKind::kIndex, 1);
  REQUIRE(writer);
  env.fail_at(0, {.only = FaultCall::kWrite});
  const Bytes piece(1u << 20, std::byte{7});

  CHECK_FALSE((*writer)->append(piece));
  env.heal();

  CHECK_FALSE((*writer)->append(as_bytes("more")));
  CHECK_FALSE((*writer)->pad_to(64));
  CHECK_FALSE((*writer)->finish());
  writer->reset();
  CHECK_FALSE(env.exists(kPath));
  CHECK_FALSE(env.exists(kPath + ".tmp"));
}

TEST_CASE("segment fault: an error of the rows passes on and publishes nothing") {
  class FailingRows final : public segment::RowSource {
   public:
    [[nodiscard]] std::uint32_t row_count() const override { return 10; }
    [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(row); }
    [[nodiscard]] Lsn version(std::uint32_t) const override { return 1; }
    [[nodiscard]] std::uint64_t row_hash(std::uint32_t) const override { return 1; }
    Result<std::optional<segment::VectorRef>> vector(std::size_t,
                                                     std::uint32_t row) const override {
      if (row == vector_fails_at) return fail(ErrorCode::kCorruption, "rotten vector");
      return std::nullopt;
    }
    Result<std::string_view> payload(std::uint32_t row) const override {
      if (row == payload_fails_at) return fail(ErrorCode::kCorruption, "rotten payload");
      return std::string_view("{\"a\":1}");
    }
    std::uint32_t vector_fails_at = 99;
    std::uint32_t payload_fails_at = 99;
  };
  FailingRows failing;
  const std::string kind = GENERATE("dense", "sparse", "payload");
  (kind == "payload" ? failing.payload_fails_at : failing.vector_fails_at) = 9;
  Footer footer;
  footer.columns = {{"", kind == "sparse" ? VectorKind::kSparse : VectorKind::kDense,
                     kind == "sparse" ? 0u : 4u}};
  FaultEnv env;
  REQUIRE(env.make_directory(kDirectory));

  const auto info = segment::write_segment(env, kPath, footer, failing, {});

  REQUIRE_FALSE(info);
  CHECK(info.error().code == ErrorCode::kCorruption);
  CHECK(env.list(kDirectory)->empty());
}

TEST_CASE("segment fault: rot on the medium of an open file is met at the next open") {
  FaultEnv env;
  REQUIRE(env.make_directory(kDirectory));
  REQUIRE(write(env));
  REQUIRE(env.flip_bit(kPath, 700'000, 3));

  const auto segment = Segment::open(env, kPath);

  REQUIRE(segment);
  std::size_t damaged = 0;
  for (std::uint32_t row = 0; row < rows().row_count(); ++row) {
    const float* dense = (*segment)->dense(0, row);
    if (dense == nullptr) {
      ++damaged;
    } else if (!std::equal(dense, dense + 300, rows().rows[row].vectors[0]->values.begin())) {
      FAIL("row " << row << " has another vector");
    }
  }
  CHECK(damaged > 50);  // A block of 64 KiB holds 54 vectors.
  CHECK(damaged < 60);
  CHECK((*segment)->failed());
}

TEST_CASE("segment fault: a live file that is cut short ends in failed(), not in a crash") {
  const auto env = make_posix_env();
  test::TemporaryDirectory directory;
  const std::string path = directory / "1-7.seg";
  Footer footer;
  footer.columns = {{"", VectorKind::kDense, 300}};
  REQUIRE(segment::write_segment(*env, path, footer, rows(), {}));
  const auto segment = Segment::open(*env, path);
  REQUIRE(segment);
  test::require_equal(**segment, rows());

  {
    auto file = env->open(path, OpenMode::kReadWrite);
    REQUIRE(file);
    REQUIRE((*file)->truncate(8192));
  }

  double sum = 0;
  for (std::uint32_t row = 0; row < rows().row_count(); ++row) {
    if (const float* dense = (*segment)->dense(0, row)) sum += static_cast<double>(dense[299]);
    (void)(*segment)->find(rows().rows[row].id);
    (void)(*segment)->lower_bound(rows().rows[row].id);
  }
  CHECK(sum == sum);
  CHECK((*segment)->failed());
  CHECK_FALSE((*segment)->payload(0));  // Row 1199 would come from this thread's last block.
  CHECK_FALSE((*segment)->vector(0, 1199));
}
