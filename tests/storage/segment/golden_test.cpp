// Files of format version 1, kept as hex in tests/compat: today's reader reads them, and today's
// writer makes the same bytes. A change here is a change of the format: it needs a new version, and
// the old file stays.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "storage/segment/segment.h"
#include "tests/storage/segment/memory_env.h"
#include "tests/storage/segment/model_rows.h"

using namespace vz;
using segment::DeadRows;
using segment::Footer;
using segment::VectorKind;

namespace {

const std::string kPath = "file";

std::string compat_path(const std::string& name) {
  return std::string(VZ_SOURCE_DIR) + "/tests/compat/" + name;
}

Bytes read_hex(const std::string& name) {
  std::ifstream in(compat_path(name));
  REQUIRE(in);
  Bytes bytes;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes.push_back(static_cast<std::byte>(std::stoul(line.substr(i, 2), nullptr, 16)));
    }
  }
  return bytes;
}

void write_hex(const std::string& name, const std::string& comment, const Bytes& bytes) {
  std::ofstream out(compat_path(name));
  out << "# " << comment << '\n';
  constexpr const char* kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    out << kDigits[byte >> 4] << kDigits[byte & 15];
    if (i % 48 == 47 || i + 1 == bytes.size()) out << '\n';
  }
  REQUIRE(out.good());
}

/// Written out by hand, so that no library's random numbers are part of the format.
test::ModelRows golden_rows() {
  test::ModelRows model;
  for (std::uint32_t i = 0; i < 12; ++i) {
    test::ModelRow row;
    row.id = i < 7 ? PointId::number(i * 1000 + 5)
                   : PointId::uuid(0x0123456789ABCDEFull + i, 0xFEDCBA9876543210ull - i);
    row.version = 100 + i * 3;
    row.hash = 0x1111111111111111ull * (i + 1);
    const auto number = static_cast<float>(i);
    row.vectors.emplace_back(test::ModelVector{{number, -number, 0.5f}, {}});
    row.vectors.emplace_back(std::nullopt);
    row.vectors.emplace_back(std::nullopt);
    if (i % 3 != 0) row.vectors[1] = test::ModelVector{{number + 0.25f, 2}, {i, i + 70'000}};
    if (i % 4 != 1) {
      row.vectors[2] = test::ModelVector{std::vector<float>(2 * (i % 3), number), {}};
    }
    if (i % 5 != 2) {
      row.payload = R"({"title":"number )" + std::to_string(i) + R"(","n":)" + std::to_string(i) +
                    R"(,"tags":["red","green","blue"]})";
    }
    model.rows.push_back(std::move(row));
  }
  return model;
}

Footer golden_footer() {
  Footer footer;
  footer.collection = 42;
  footer.collection_name = "golden";
  footer.definition_json = R"({"vectors":{"size":3,"distance":"Cosine"}})";
  footer.epoch = 2;
  footer.seq = 9;
  footer.replaces = {3, 4};
  footer.tombstones = {{PointId::number(6), 500}, {PointId::uuid(7, 8), 501}};
  footer.columns = {{"", VectorKind::kDense, 3},
                    {"words", VectorKind::kSparse, 0},
                    {"late", VectorKind::kMulti, 2}};
  return footer;
}

Bytes golden_segment(int zstd_level) {
  test::MemoryEnv env;
  REQUIRE(segment::write_segment(env, kPath, golden_footer(), golden_rows(),
                                 {.zstd_level = zstd_level}));
  return env.content(kPath);
}

DeadRows golden_dead() {
  return {.epoch = 2, .seq = 9, .as_of = 777, .row_count = 12, .rows = {0, 3, 4, 11}};
}

Bytes golden_dead_bytes() {
  test::MemoryEnv env;
  REQUIRE(segment::write_dead_rows(env, kPath, golden_dead()));
  return env.content(kPath);
}

void require_golden(const Bytes& file) {
  test::MemoryEnv env;
  env.put(kPath, file);
  const auto segment = segment::Segment::open(env, kPath);
  if (!segment) FAIL(segment.error().message);
  test::require_equal(**segment, golden_rows());
  const Footer& footer = (*segment)->footer();
  CHECK(footer.collection == 42);
  CHECK(footer.collection_name == "golden");
  CHECK(footer.definition_json == golden_footer().definition_json);
  CHECK(footer.epoch == 2);
  CHECK(footer.seq == 9);
  CHECK(footer.min_lsn == 100);
  CHECK(footer.max_lsn == 501);
  CHECK(footer.replaces == std::vector<SegmentSeq>{3, 4});
  REQUIRE(footer.tombstones.size() == 2);
  CHECK(footer.tombstones[1].id == PointId::uuid(7, 8));
  CHECK((*segment)->column("late") == 2);
}

}  // namespace

TEST_CASE("golden: segments of version 1 are read, stored and compressed") {
  require_golden(read_hex("segment_v1.hex"));
  require_golden(read_hex("segment_v1_zstd.hex"));
}

TEST_CASE("golden: today's writer makes the bytes of version 1") {
  // Only without zstd: another version of that library may compress otherwise.
  CHECK(golden_segment(0) == read_hex("segment_v1.hex"));
  CHECK(golden_dead_bytes() == read_hex("dead_v1.hex"));
}

TEST_CASE("golden: dead rows of version 1 are read") {
  test::MemoryEnv env;
  env.put(kPath, read_hex("dead_v1.hex"));
  const auto dead = segment::read_dead_rows(env, kPath);
  REQUIRE(dead);
  CHECK(dead->epoch == 2);
  CHECK(dead->seq == 9);
  CHECK(dead->as_of == 777);
  CHECK(dead->row_count == 12);
  CHECK(dead->rows == golden_dead().rows);
}

// Run by name when a new format version is made, and never for an old one.
TEST_CASE("golden: write the files", "[.write-golden]") {
  write_hex("segment_v1.hex", "A segment file, format version 1, payload stored.",
            golden_segment(0));
  write_hex("segment_v1_zstd.hex", "A segment file, format version 1, payload in zstd.",
            golden_segment(1));
  write_hex("dead_v1.hex", "A dead rows file, format version 1.", golden_dead_bytes());
}
