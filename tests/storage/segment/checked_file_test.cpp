// The checked file: what is written reads back, and no damage passes unseen.
#include "storage/segment/checked_file.h"

#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "storage/base/crc32c.h"
#include "storage/format/checked_file_format.h"
#include "tests/storage/segment/memory_env.h"

using namespace vz;
using segment::CheckedFile;
using segment::CheckedFileWriter;
using segment::FileInfo;
using segment::FileKind;

namespace {

constexpr std::uint16_t kVersion = 3;
const std::string kPath = "dir/file";

Bytes random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Writes `content` in pieces of up to `piece_max` bytes.
FileInfo write(Env& env, ByteSpan content, std::size_t piece_max = 100'000) {
  auto writer = CheckedFileWriter::create(env, kPath, FileKind::kIndex, kVersion);
  REQUIRE(writer);
  std::mt19937 random(7);
  while (!content.empty()) {
    const std::size_t size = std::min<std::size_t>(content.size(), random() % piece_max + 1);
    REQUIRE((*writer)->append(content.first(size)));
    content = content.subspan(size);
  }
  const auto info = (*writer)->finish();
  REQUIRE(info);
  return *info;
}

Result<std::unique_ptr<CheckedFile>> open(Env& env) {
  return CheckedFile::open(env, kPath, FileKind::kIndex, kVersion);
}

}  // namespace

TEST_CASE("checked file: content of any size reads back, and the info describes the file") {
  for (const std::size_t size :
       {0ul, 1ul, 63ul, 65535ul, 65536ul, 65537ul, 1048575ul, 1048576ul, 1048577ul, 3000000ul}) {
    CAPTURE(size);
    test::MemoryEnv env;
    const Bytes content = random_bytes(size, 1);

    const FileInfo info = write(env, content);
    auto file = open(env);

    REQUIRE(file);
    CHECK((*file)->content_size() == size);
    CHECK((*file)->version() == kVersion);
    CHECK((*file)->path() == kPath);
    const auto bytes = (*file)->bytes(0, size);
    REQUIRE(bytes);
    CHECK(std::equal(bytes->begin(), bytes->end(), content.begin(), content.end()));
    CHECK_FALSE((*file)->failed());
    const Bytes& raw = env.content(kPath);
    CHECK(info.size_bytes == raw.size());
    CHECK((*file)->file_size() == raw.size());
    CHECK(info.trailer_crc32c == (*file)->trailer_crc32c());
    CHECK(info.trailer_crc32c == crc32c(ByteSpan(raw).last(64).first(60)));
    Sha256 whole;
    whole.update(raw);
    CHECK(info.sha256 == whole.finish());
    CHECK(env.files().size() == 1);  // No ".tmp" stays behind.
  }
}

TEST_CASE("checked file: the bytes do not depend on how they were appended") {
  const Bytes content = random_bytes(2'500'000, 2);
  test::MemoryEnv small_pieces;
  test::MemoryEnv large_pieces;

  const FileInfo first = write(small_pieces, content, 1000);
  const FileInfo second = write(large_pieces, content, 5'000'000);

  CHECK(first == second);
  CHECK(small_pieces.content(kPath) == large_pieces.content(kPath));
}

TEST_CASE("checked file: pad_to gives zero bytes up to the alignment, and none when aligned") {
  test::MemoryEnv env;
  auto writer = CheckedFileWriter::create(env, kPath, FileKind::kIndex, kVersion);
  REQUIRE(writer);

  REQUIRE((*writer)->append(as_bytes("abc")));
  REQUIRE((*writer)->pad_to(64));
  CHECK((*writer)->offset() == 64);
  REQUIRE((*writer)->pad_to(64));
  CHECK((*writer)->offset() == 64);
  REQUIRE((*writer)->append(as_bytes("d")));
  REQUIRE((*writer)->pad_to(65536));
  REQUIRE((*writer)->finish());

  auto file = open(env);
  REQUIRE(file);
  REQUIRE((*file)->content_size() == 65536);
  const auto bytes = (*file)->bytes(0, 65536);
  REQUIRE(bytes);
  CHECK(as_text(bytes->first(3)) == "abc");
  CHECK((*bytes)[64] == std::byte{'d'});
  std::size_t nonzero = 0;
  for (const std::byte byte : *bytes) nonzero += byte != std::byte{0} ? 1 : 0;
  CHECK(nonzero == 4);
}

TEST_CASE("checked file: any flipped bit is found, at open or at the block that holds it") {
  test::MemoryEnv env;
  const Bytes content = random_bytes(700, 3);
  write(env, content);
  const Bytes good = env.content(kPath);

  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    CAPTURE(bit);
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    env.put(kPath, bad);

    const auto file = open(env);

    if (bit / 8 >= content.size()) {
      REQUIRE_FALSE(file);
      REQUIRE(file.error().code == ErrorCode::kCorruption);
      continue;
    }
    REQUIRE(file);
    REQUIRE_FALSE((*file)->failed());
    const auto bytes = (*file)->bytes(0, 1);
    REQUIRE_FALSE(bytes);
    REQUIRE(bytes.error().code == ErrorCode::kCorruption);
    REQUIRE((*file)->failed());
  }
}

TEST_CASE("checked file: damage in one block leaves the others readable") {
  test::MemoryEnv env;
  const Bytes content = random_bytes(10 * 65536 + 5, 4);
  write(env, content);
  Bytes bad = env.content(kPath);
  bad[3 * 65536 + 17] ^= std::byte{0x10};
  env.put(kPath, bad);
  const auto file = open(env);
  REQUIRE(file);

  CHECK((*file)->verify(0, 3 * 65536));
  CHECK((*file)->verify(4 * 65536, 6 * 65536 + 5));
  CHECK_FALSE((*file)->failed());

  const auto damaged = (*file)->bytes(3 * 65536 - 1, 2);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message.find(kPath + " at offset 196608") != std::string::npos);
  CHECK(damaged.error().message.find("expected crc32c 0x") != std::string::npos);
  CHECK((*file)->failed());
  CHECK((*file)->bytes(0, 10));            // A sound block still reads,
  CHECK_FALSE((*file)->bytes(196608, 1));  // and the damaged one stays refused.
}

TEST_CASE("checked file: swapped blocks are damage") {
  test::MemoryEnv env;
  write(env, random_bytes(2 * 65536, 5));
  Bytes bad = env.content(kPath);
  std::swap_ranges(bad.begin(), bad.begin() + 65536, bad.begin() + 65536);
  env.put(kPath, bad);

  const auto file = open(env);

  REQUIRE(file);
  CHECK_FALSE((*file)->verify(0, 1));
  CHECK_FALSE((*file)->verify(65536, 1));
}

TEST_CASE("checked file: a file cut or grown anywhere does not open") {
  test::MemoryEnv env;
  write(env, random_bytes(70'000, 6));
  const Bytes good = env.content(kPath);
  const auto refused = [&](Bytes bytes) {
    env.put(kPath, std::move(bytes));
    const auto file = open(env);
    return !file && file.error().code == ErrorCode::kCorruption;
  };

  for (std::size_t size = 0; size < good.size(); size += size < 70'000 ? 512 : 1) {
    CAPTURE(size);
    REQUIRE(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(refused(longer));
  Bytes shifted(1, std::byte{0});
  shifted.insert(shifted.end(), good.begin(), good.end());
  CHECK(refused(shifted));
}

TEST_CASE("checked file: ranges beyond the content are refused without overflow") {
  test::MemoryEnv env;
  write(env, random_bytes(1000, 7));
  const auto file = open(env);
  REQUIRE(file);
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};

  CHECK((*file)->bytes(1000, 0));
  CHECK((*file)->bytes(999, 1));
  CHECK_FALSE((*file)->failed());
  for (const auto& [offset, size] : {std::pair<std::uint64_t, std::uint64_t>{1000, 1},
                                     {1001, 0},
                                     {0, 1001},
                                     {kHuge, 1},
                                     {1, kHuge},
                                     {kHuge, kHuge},
                                     {500, kHuge - 499}}) {
    CAPTURE(offset, size);
    const auto bytes = (*file)->bytes(offset, size);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == ErrorCode::kCorruption);
  }
  (*file)->read_ahead(kHuge, kHuge);
  (*file)->read_ahead(10, kHuge);
  (*file)->forget();
}

TEST_CASE("checked file: another kind, a newer version and a missing file each have their error") {
  test::MemoryEnv env;
  write(env, random_bytes(10, 8));

  const auto other_kind = CheckedFile::open(env, kPath, FileKind::kDead, kVersion);
  const auto newer = CheckedFile::open(env, kPath, FileKind::kIndex, kVersion - 1);
  const auto missing = CheckedFile::open(env, "dir/none", FileKind::kIndex, kVersion);

  REQUIRE_FALSE(other_kind);
  CHECK(other_kind.error().code == ErrorCode::kCorruption);
  CHECK(other_kind.error().message.find("kind: expected 2, found 3") != std::string::npos);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == ErrorCode::kIncompatible);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
}

TEST_CASE("checked file: a container newer than ours is incompatible, not corrupt") {
  auto bytes = format::encode(format::CheckedTrailer{.version = 1, .kind = 1});
  store_number<std::uint16_t>(bytes.data() + 8, 2);
  store_number<std::uint32_t>(bytes.data() + 60, crc32c(ByteSpan(bytes).first(60)));

  const auto trailer = format::decode_checked_trailer(bytes, 64);

  REQUIRE_FALSE(trailer);
  CHECK(trailer.error().code == ErrorCode::kIncompatible);
}

TEST_CASE("checked file: a trailer whose numbers disagree is refused behind a right checksum") {
  const auto good =
      format::encode(format::CheckedTrailer{.version = 1, .kind = 1, .content_size = 100'000});
  REQUIRE(format::decode_checked_trailer(good, 100'000 + 2 * 4 + 64));
  for (const std::size_t offset : {16u, 23u, 24u, 31u, 32u, 39u, 40u, 43u}) {
    CAPTURE(offset);
    auto bad = good;
    bad[offset] ^= std::byte{0x40};
    store_number<std::uint32_t>(bad.data() + 60, crc32c(ByteSpan(bad).first(60)));

    const auto trailer = format::decode_checked_trailer(bad, 100'000 + 2 * 4 + 64);

    REQUIRE_FALSE(trailer);
    CHECK(trailer.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("checked file: a page that the disk cannot deliver is damage, also in a verified block") {
  test::MemoryEnv env;
  write(env, random_bytes(200'000, 9));
  const auto file = open(env);
  REQUIRE(file);
  REQUIRE((*file)->bytes(0, 10));

  env.fail_mappings();

  CHECK((*file)->failed());
  CHECK_FALSE((*file)->bytes(0, 10));
  CHECK_FALSE((*file)->verify(100'000, 10));
  CHECK_FALSE(open(env));
}

TEST_CASE("checked file: an abandoned writer leaves nothing, and a leftover .tmp is replaced") {
  test::MemoryEnv env;
  env.put(kPath + ".tmp", random_bytes(5000, 10));
  {
    auto writer = CheckedFileWriter::create(env, kPath, FileKind::kIndex, kVersion);
    REQUIRE(writer);
    REQUIRE((*writer)->append(random_bytes(2'000'000, 11)));
  }
  CHECK(env.files().empty());

  env.put(kPath + ".tmp", random_bytes(5'000'000, 12));
  write(env, random_bytes(100, 13));
  CHECK(env.files().size() == 1);
  CHECK(open(env));
}

TEST_CASE("checked file: eight threads that touch the same cold blocks all read what was written") {
  test::MemoryEnv env;
  const Bytes content = random_bytes(40 * 65536, 14);
  write(env, content);
  const auto file = open(env);
  REQUIRE(file);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        std::mt19937 random(static_cast<std::uint32_t>(thread));
        for (int i = 0; i < 500; ++i) {
          const std::uint64_t offset = random() % (content.size() - 100);
          const auto bytes = (*file)->bytes(offset, 100);
          if (!bytes || !std::equal(bytes->begin(), bytes->end(),
                                    content.begin() + static_cast<std::ptrdiff_t>(offset))) {
            ++wrong;
          }
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK_FALSE((*file)->failed());
}
