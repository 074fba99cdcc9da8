// Damaged and hostile .index files: seen, or harmless; never a crash.
#include <random>

#include <catch2/catch.hpp>

#include "engine/index/index_format.h"
#include "tests/engine/index/example.h"

using namespace vz;
using index::Candidate;
using index::CandidateStats;
using vector::Distance;

namespace {

constexpr unsigned kSeed = 31'337;
constexpr std::uint32_t kDimension = 8;
constexpr std::size_t kRows = 120;

std::unique_ptr<test::Example> small_example() {
  auto example =
      test::make_example(test::clustered(kRows, kDimension, 4, Distance::kEuclid, kSeed, kSeed + 1),
                         kDimension, Distance::kEuclid, 0);
  REQUIRE(example.has_value());
  REQUIRE((*example)->column().has_graph());
  return std::move(*example);
}

struct Outcome {
  bool refused = false;
  ErrorCode code = ErrorCode::kInternal;
  std::vector<Candidate> found;
};

/// Opens the index at `path` and searches it, with ef small enough for a walk and with a filter.
Outcome try_index(test::Example& example, const std::string& path) {
  Outcome outcome;
  auto file = index::IndexFile::open(example.env, path, *example.segment);
  if (!file) return {.refused = true, .code = file.error().code, .found = {}};
  index::RowSet allowed(kRows);
  for (std::uint32_t row = 0; row < kRows; row += 2) allowed.insert(row);
  for (const index::RowFilter& filter :
       {index::RowFilter{}, index::RowFilter{.allowed = &allowed, .allowed_count = kRows / 2}}) {
    const index::ColumnIndex* column = (*file)->column(0);
    if (column == nullptr) continue;
    CandidateStats stats;
    const auto status = column->candidates({.query = example.rows[3],
                                            .wanted = 1,
                                            .ef = 10,
                                            .filter = filter,
                                            .method = index::SearchMethod::kWalk},
                                           outcome.found, stats);
    if (!status) return {.refused = true, .code = status.error().code, .found = {}};
    for (const auto& candidate : outcome.found) REQUIRE(candidate.row < kRows);
  }
  return outcome;
}

/// Writes `content` with right checksums, as an attacker or a bug of ours could.
void write_checked(Env& env, const std::string& path, ByteSpan content,
                   std::uint16_t version = index::kIndexVersionNewest) {
  auto writer = segment::CheckedFileWriter::create(env, path, segment::FileKind::kIndex, version);
  REQUIRE(writer.has_value());
  REQUIRE((*writer)->append(content).has_value());
  REQUIRE((*writer)->finish().has_value());
}

}  // namespace

TEST_CASE("index damage: a flipped bit anywhere is corruption", "[engine][index]") {
  auto example = small_example();
  const Bytes good = example->env.content(test::kIndexPath);
  std::mt19937 random(kSeed);
  for (std::size_t byte = 0; byte < good.size(); byte += 7) {
    Bytes bad = good;
    bad[byte] ^= std::byte(1u << (random() % 8));
    example->env.put("bad", bad);

    const auto outcome = try_index(*example, "bad");

    CAPTURE(kSeed, byte, good.size());
    REQUIRE(outcome.refused);
    // A version that is newer than ours could be a flipped one; its checksum is looked at first.
    REQUIRE(outcome.code == ErrorCode::kCorruption);
  }
}

TEST_CASE("index damage: a file cut short is corruption", "[engine][index]") {
  auto example = small_example();
  const Bytes good = example->env.content(test::kIndexPath);
  for (std::size_t size = 0; size < good.size(); size += 101) {
    example->env.put("bad", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    CAPTURE(size);
    REQUIRE(try_index(*example, "bad").code == ErrorCode::kCorruption);
  }
}

TEST_CASE("index damage: hostile numbers under right checksums never leave the file",
          "[engine][index]") {
  auto example = small_example();
  const Bytes file = example->env.content(test::kIndexPath);
  const auto opened = segment::CheckedFile::open(
      example->env, test::kIndexPath, segment::FileKind::kIndex, index::kIndexVersionNewest);
  REQUIRE(opened.has_value());
  const Bytes content(file.begin(),
                      file.begin() + static_cast<std::ptrdiff_t>((*opened)->content_size()));
  std::mt19937 random(kSeed);
  const std::uint32_t numbers[] = {0, 1, kRows - 1, kRows, 0x7FFF'FFFF, 0xFFFF'FFFE, 0xFFFF'FFFF};
  std::size_t refused = 0, tried = 0;

  // Every word of the footer and of the tail with every number, and random words elsewhere.
  const auto mutate = [&](std::size_t offset, std::uint32_t number) {
    Bytes bad = content;
    store_number(bad.data() + offset, number);
    write_checked(example->env, "bad", bad);
    CAPTURE(kSeed, offset, number, content.size());
    const auto outcome = try_index(*example, "bad");
    refused += outcome.refused ? 1 : 0;
    ++tried;
  };
  const std::size_t footer_size =
      sizeof(index::IndexHead) + sizeof(index::IndexColumn) + index::kIndexTailSize;
  for (std::size_t offset = content.size() - footer_size; offset < content.size(); offset += 4) {
    for (const std::uint32_t number : numbers) mutate(offset, number);
  }
  for (int i = 0; i < 1'500; ++i) {
    mutate(random() % (content.size() / 4) * 4, numbers[random() % std::size(numbers)]);
  }
  CHECK(refused > tried / 4);
}

TEST_CASE("index damage: random bytes under right checksums are refused", "[engine][index]") {
  auto example = small_example();
  std::mt19937 random(kSeed);
  for (std::size_t size = 0; size < 600; size += 3) {
    Bytes content(size);
    for (auto& byte : content) byte = std::byte(random());
    write_checked(example->env, "bad", content);
    CAPTURE(kSeed, size);
    REQUIRE(try_index(*example, "bad").code == ErrorCode::kCorruption);
  }
}

TEST_CASE("index damage: the index of another segment is refused", "[engine][index]") {
  auto example = small_example();
  auto rows = example->rows;
  rows[5][0] += 1;
  auto other_rows = test::write_and_open(example->env, "other.seg", rows, kDimension, 1);
  auto other_seq = test::write_and_open(example->env, "seq.seg", example->rows, kDimension, 2);
  REQUIRE(other_rows.has_value());
  REQUIRE(other_seq.has_value());
  for (const auto* segment : {other_rows->get(), other_seq->get()}) {
    const auto file = index::IndexFile::open(example->env, test::kIndexPath, *segment);
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("index damage: another version is incompatible, so that it is rebuilt",
          "[engine][index]") {
  auto example = small_example();
  for (const int step : {-1, 1}) {
    write_checked(example->env, "other", example->env.content(test::kIndexPath),
                  static_cast<std::uint16_t>(index::kIndexVersionNewest + step));
    CAPTURE(step);
    CHECK(try_index(*example, "other").code == ErrorCode::kIncompatible);
  }
  CHECK(try_index(*example, "absent").code == ErrorCode::kNotFound);
}

TEST_CASE(
    "index damage: a page that cannot be read during a search of a mapped index is corruption",
    "[engine][index]") {
  auto example = small_example();
  const auto placement = index::Placement::kMapped;
  const auto mapped =
      index::IndexFile::open(example->env, test::kIndexPath, *example->segment, {&placement, 1});
  REQUIRE(mapped.has_value());
  CHECK((*mapped)->memory_bytes() < 1'000);
  CHECK(example->file->memory_bytes() >= example->column().memory_bytes());
  const index::CandidateRequest request = {
      .query = example->rows[0], .wanted = 5, .ef = 20, .filter = {}};
  std::vector<Candidate> from_mapped, from_resident, found;
  CandidateStats stats;
  REQUIRE((*mapped)->column(0)->candidates(request, from_mapped, stats).has_value());
  REQUIRE(example->column().candidates(request, from_resident, stats).has_value());
  REQUIRE(from_mapped.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(from_mapped[i].row == from_resident[i].row);

  example->env.fail_mappings();

  const auto status = (*mapped)->column(0)->candidates(request, found, stats);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kCorruption);
}

TEST_CASE("index damage: a damaged segment is not indexed", "[engine][index]") {
  // Large enough that a wrong vector stands in another block than all that open() reads.
  auto example = test::make_example(
      test::clustered(10'000, kDimension, 4, Distance::kEuclid, kSeed, kSeed + 1), kDimension,
      Distance::kEuclid, 1u << 30);
  REQUIRE(example.has_value());
  Bytes bad = (*example)->env.content(test::kSegmentPath);
  const float value = (*example)->rows[5'000][0];
  std::byte pattern[sizeof value];
  std::memcpy(pattern, &value, sizeof value);
  const auto at = std::search(bad.begin(), bad.end(), std::begin(pattern), std::end(pattern));
  REQUIRE(at != bad.end());
  *at ^= std::byte{1};
  (*example)->env.put("bad.seg", bad);
  auto segment = segment::Segment::open((*example)->env, "bad.seg");
  REQUIRE(segment.has_value());
  const index::ColumnPlan plan = {.column = 0, .distance = Distance::kEuclid, .hnsw = {}};
  const auto built = index::build_index((*example)->env, "bad.index", **segment, {&plan, 1}, {});
  REQUIRE_FALSE(built.has_value());
  CHECK(built.error().code == ErrorCode::kCorruption);
  CHECK_FALSE((*example)->env.exists("bad.index"));
}
