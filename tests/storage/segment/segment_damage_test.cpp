// Segments that rotted, were cut, or were made by a hostile hand: never a wrong value, never a
// crash.
#include <numeric>

#include <catch2/catch.hpp>

#include "storage/format/segment_format.h"
#include "storage/segment/payload_block.h"
#include "storage/segment/segment.h"
#include "tests/storage/segment/memory_env.h"
#include "tests/storage/segment/mend.h"
#include "tests/storage/segment/model_rows.h"

using namespace vz;
using segment::Footer;
using segment::Segment;
using segment::VectorColumn;
using segment::VectorKind;

namespace {

const std::string kPath = "c/1-7.seg";
const std::vector<VectorColumn> kAllKinds = {
    {"", VectorKind::kDense, 6},
    {"title", VectorKind::kDense, 3},
    {"words", VectorKind::kSparse, 0},
    {"late", VectorKind::kMulti, 5},
};

struct Example {
  test::ModelRows model;
  Bytes file;
};

Example example(std::uint32_t rows, std::uint32_t seed, int zstd_level = 1) {
  std::mt19937 random(seed);
  Example made{test::random_rows(kAllKinds, {.rows = rows}, random), {}};
  Footer footer;
  footer.collection_name = "docs";
  footer.definition_json = "{}";
  footer.replaces = {1, 2, 3};
  footer.tombstones = {{PointId::number(4), 9}, {PointId::uuid(4, 4), 10}};
  footer.columns = kAllKinds;
  test::MemoryEnv env;
  REQUIRE(segment::write_segment(env, kPath, footer, made.model, {.zstd_level = zstd_level}));
  made.file = env.content(kPath);
  return made;
}

Result<std::unique_ptr<Segment>> opened(Bytes file) {
  static test::MemoryEnv env;
  env.put(kPath, std::move(file));
  return Segment::open(env, kPath);
}

/// Counts accessors that gave another value than the model's without failed() being true.
class LieDetector {
 public:
  LieDetector(const Segment& segment, const test::ModelRows& model)
      : segment_(segment), model_(model) {}

  std::size_t lies() {
    for (std::uint32_t row = 0; row < model_.row_count(); ++row) read(row);
    return lies_;
  }

 private:
  void expect(bool right) { lies_ += right || segment_.failed() ? 0 : 1; }
  void read(std::uint32_t row) {
    const test::ModelRow& expected = model_.rows[row];
    const auto payload = segment_.payload(row);
    // A Result may not hold a wrong value even when the segment has failed elsewhere.
    lies_ += !payload || *payload == test::stored_payload(expected.payload) ? 0 : 1;
    lies_ += payload || segment_.failed() ? 0 : 1;
    for (std::size_t column = 0; column < expected.vectors.size(); ++column) {
      read_vector(column, row, expected.vectors[column]);
    }
    expect(segment_.version(row) == expected.version);
    expect(segment_.row_hash(row) == expected.hash);
    expect(segment_.id(row) == expected.id);
    expect(segment_.find(expected.id) == row);
    expect(segment_.lower_bound(expected.id) == row);
  }
  void read_vector(std::size_t column, std::uint32_t row,
                   const std::optional<test::ModelVector>& expected) {
    const auto vector = segment_.vector(column, row);
    lies_ += vector || segment_.failed() ? 0 : 1;
    if (vector) {
      const bool right =
          vector->has_value() == expected.has_value() &&
          (!expected || (std::equal((*vector)->values.begin(), (*vector)->values.end(),
                                    expected->values.begin(), expected->values.end()) &&
                         std::equal((*vector)->indices.begin(), (*vector)->indices.end(),
                                    expected->indices.begin(), expected->indices.end())));
      lies_ += right ? 0 : 1;
    }
    expect(segment_.has_vector(column, row) == expected.has_value());
    if (kAllKinds[column].kind != VectorKind::kDense) return;
    const float* dense = segment_.dense(column, row);
    expect((dense != nullptr) == expected.has_value());
    if (dense != nullptr && expected) {
      lies_ += std::equal(expected->values.begin(), expected->values.end(), dense) ? 0 : 1;
    }
  }

  const Segment& segment_;
  const test::ModelRows& model_;
  std::size_t lies_ = 0;
};

/// Reads everything there is to read; every byte of every span is touched. Returns errors met.
std::size_t read_everything(const Segment& segment) {
  std::size_t errors = 0;
  volatile double sink = 0;
  for (std::uint32_t row = 0; row < segment.row_count(); ++row) {
    const PointId id = segment.id(row);
    sink = sink + static_cast<double>(segment.version(row) + segment.row_hash(row));
    (void)segment.find(id);
    (void)segment.find({id.kind, id.high, id.low + 1});
    (void)segment.lower_bound({id.kind, id.high + 1, id.low});
    const auto payload = segment.payload(row);
    errors += payload ? 0 : 1;
    for (std::size_t column = 0; column < segment.footer().columns.size(); ++column) {
      (void)segment.has_vector(column, row);
      const auto vector = segment.vector(column, row);
      errors += vector ? 0 : 1;
      if (vector && *vector) {
        for (const float value : (*vector)->values) sink = sink + static_cast<double>(value);
        for (const std::uint32_t index : (*vector)->indices) sink = sink + index;
      }
      if (segment.footer().columns[column].kind != VectorKind::kDense) continue;
      segment.prefetch_dense(column, row);
      if (const float* dense = segment.dense(column, row)) {
        for (std::uint32_t i = 0; i < segment.footer().columns[column].dimension; ++i) {
          sink = sink + static_cast<double>(dense[i]);
        }
      }
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("segment damage: every flipped bit of a small file is found") {
  const Example made = example(12, 1);
  REQUIRE(made.file.size() < 8000);
  REQUIRE(LieDetector(**opened(made.file), made.model).lies() == 0);
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < made.file.size() * 8; ++bit) {
    const auto segment = opened(test::flipped(made.file, bit));
    if (segment) FAIL("flipped bit " << bit << " passed");
    REQUIRE(segment.error().code == ErrorCode::kCorruption);
    ++refused;
  }
  CHECK(refused == made.file.size() * 8);
}

TEST_CASE("segment damage: a flipped bit in any block never gives a wrong value") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const Example made = example(1300, seed, 0);
  REQUIRE(made.file.size() > 4 * 65536);
  int refused = 0;
  int found_later = 0;
  for (int i = 0; i < 40; ++i) {
    // Every fifth in the last bytes, which are read at open.
    const std::size_t range = i % 5 == 0 ? 2000 : made.file.size();
    const std::size_t bit = (made.file.size() - range) * 8 + random() % (range * 8);
    CAPTURE(bit);
    const auto segment = opened(test::flipped(made.file, bit));
    if (!segment) {
      REQUIRE(segment.error().code == ErrorCode::kCorruption);
      ++refused;
      continue;
    }
    REQUIRE(LieDetector(**segment, made.model).lies() == 0);
    REQUIRE((*segment)->failed());  // Everything was touched, so the flip was met.
    ++found_later;
  }
  CHECK(refused > 0);
  CHECK(found_later > 0);
}

TEST_CASE("segment damage: an accessor that cannot say why leaves the reason in damage()") {
  const Example made = example(900, 3);
  const auto segment = opened(test::flipped(made.file, 100 * 8));  // In the id column.
  REQUIRE(segment);
  REQUIRE_FALSE((*segment)->failed());

  CHECK((*segment)->id(5) == PointId{});

  CHECK((*segment)->failed());
  REQUIRE((*segment)->damage());
  CHECK((*segment)->damage()->code == ErrorCode::kCorruption);
  CHECK((*segment)->damage()->message.find(kPath + " at offset 0: block of 65536 bytes") == 0);
  CHECK_FALSE((*segment)->find(made.model.rows[5].id));
  CHECK((*segment)->lower_bound(made.model.rows[5].id) == made.model.row_count());
}

TEST_CASE("segment damage: a file cut at any 512 bytes does not open") {
  const Example made = example(300, 4);
  for (std::size_t size = 0; size < made.file.size(); size += 512) {
    CAPTURE(size);
    const auto segment =
        opened(Bytes(made.file.begin(), made.file.begin() + static_cast<std::ptrdiff_t>(size)));
    REQUIRE_FALSE(segment);
    REQUIRE(segment.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("segment damage: hostile bytes behind right checksums never crash or leave the file") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Example packed = example(40, static_cast<std::uint32_t>(seed), 1);
  const Example stored = example(40, static_cast<std::uint32_t>(seed), 0);
  std::size_t opened_count = 0;
  std::size_t refused = 0;
  std::size_t errors = 0;
  for (int i = 0; i < 6000; ++i) {
    Bytes content = test::content_of(i % 2 == 0 ? packed.file : stored.file);
    // Every third aims at the footer, and every third at the tables before it.
    const std::size_t first =
        i % 3 == 0
            ? 0
            : content.size() - std::min<std::size_t>(content.size(), i % 3 == 1 ? 700 : 1500);
    test::mutate(content, first, random);
    const auto segment =
        opened(test::sealed(content, static_cast<std::uint8_t>(segment::FileKind::kSegment), 1));
    if (!segment) {
      ++refused;
      REQUIRE(segment.error().code == ErrorCode::kCorruption);
      continue;
    }
    ++opened_count;
    errors += read_everything(**segment);
  }
  // The search is worth something only if it gets past the door, and meets damage behind it.
  CHECK(opened_count > 500);
  CHECK(refused > 500);
  CHECK(errors > 100);
}

TEST_CASE("segment damage: id columns out of order behind right checksums are refused") {
  const Example made = example(40, 5);
  Bytes content = test::content_of(made.file);
  for (int i = 0; i < 8; ++i) std::swap(content[16 + i], content[24 + i]);  // Two numbers.

  const auto segment =
      opened(test::sealed(content, static_cast<std::uint8_t>(segment::FileKind::kSegment), 1));

  REQUIRE(segment);
  CHECK_FALSE((*segment)->find(made.model.rows[2].id));
  CHECK((*segment)->failed());
  CHECK((*segment)->damage()->message.find("id column: row") != std::string::npos);
}

TEST_CASE("segment damage: payload blocks can be salvaged from a file that has lost all else") {
  const Example made = example(900, 6);
  Bytes rest = made.file;
  rest.resize(rest.size() - 1500);                               // No trailer, no footer,
  std::fill(rest.begin(), rest.begin() + 20'000, std::byte{0});  // no ids.
  std::size_t rows = 0;
  std::size_t broken_candidates = 0;
  for (std::size_t at = 0; at < rest.size(); at += 8) {
    const auto block = segment::PayloadBlock::salvage(ByteSpan(rest).subspan(at));
    if (!block) {
      ++broken_candidates;
      continue;
    }
    for (std::uint32_t i = 0; i < block->row_count(); ++i, ++rows) {
      const auto& expected = made.model.rows[block->first_row() + i];
      REQUIRE(block->id(i) == expected.id);
      REQUIRE(block->text(i) == test::stored_payload(expected.payload));
    }
  }
  CHECK(rows == made.model.rows.size());
  CHECK(broken_candidates > 1000);
}

TEST_CASE("segment damage: a salvaged block with any flipped bit is refused") {
  segment::PayloadBlockBuilder builder(1);
  for (std::uint64_t i = 0; i < 9; ++i) {
    REQUIRE(builder.add(i < 5 ? PointId::number(i) : PointId::uuid(i, i), R"({"k":"value"})"));
  }
  const auto good = builder.finish(100);
  REQUIRE(good);
  REQUIRE(segment::PayloadBlock::salvage(*good));
  CHECK(builder.empty());

  for (std::size_t bit = 0; bit < good->size() * 8; ++bit) {
    CAPTURE(bit);
    REQUIRE_FALSE(segment::PayloadBlock::salvage(test::flipped(*good, bit)));
  }
}
