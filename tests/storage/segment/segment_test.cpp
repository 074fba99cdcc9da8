// Segments: rows of every kind read back as they were written, and every id is found.
#include "storage/segment/segment.h"

#include <map>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/storage/segment/memory_env.h"
#include "tests/storage/segment/model_rows.h"

using namespace vz;
using segment::Footer;
using segment::Segment;
using segment::VectorColumn;
using segment::VectorKind;

namespace {

const std::string kPath = "c/1-7.seg";
const std::vector<VectorColumn> kAllKinds = {
    {"", VectorKind::kDense, 24},      {"title", VectorKind::kDense, 3},
    {"words", VectorKind::kSparse, 0}, {"late", VectorKind::kMulti, 5},
    {"never", VectorKind::kDense, 8},
};

Footer example_footer() {
  Footer footer;
  footer.collection = 17;
  footer.collection_name = "docs";
  footer.definition_json = R"({"vectors":{"size":24}})";
  footer.epoch = 3;
  footer.seq = 7;
  footer.replaces = {2, 5};
  footer.tombstones = {{PointId::number(9), 500'000}, {PointId::uuid(1, 2), 12}};
  footer.columns = kAllKinds;
  return footer;
}

std::unique_ptr<Segment> written(Env& env, const Footer& footer, const test::ModelRows& rows,
                                 int zstd_level = 1) {
  const auto info = segment::write_segment(env, kPath, footer, rows, {.zstd_level = zstd_level});
  if (!info) FAIL(info.error().message);
  auto segment = Segment::open(env, kPath);
  if (!segment) FAIL(segment.error().message);
  CHECK((*segment)->file().file_size() == info->size_bytes);
  CHECK((*segment)->file().trailer_crc32c() == info->trailer_crc32c);
  return std::move(*segment);
}

}  // namespace

TEST_CASE("segment: rows of all kinds read back equal, for many sizes and mixtures") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const std::uint32_t rows : {1u, 2u, 63u, 64u, 65u, 511u, 512u, 513u, 1025u, 3000u}) {
    for (const std::uint32_t uuid_percent : {0u, 50u, 100u}) {
      for (const int level : {0, 1}) {
        CAPTURE(rows, uuid_percent, level);
        test::MemoryEnv env;
        auto model = test::random_rows(
            kAllKinds, {.rows = rows, .uuid_percent = uuid_percent, .absent_percent = 40}, random);
        for (auto& row : model.rows) row.vectors.back().reset();  // "never"

        const auto segment = written(env, example_footer(), model, level);

        test::require_equal(*segment, model);
      }
    }
  }
}

TEST_CASE("segment: the footer reads back, with the lsns of rows and tombstones") {
  test::MemoryEnv env;
  std::mt19937 random(1);
  auto model = test::random_rows(kAllKinds, {.rows = 50}, random);
  for (auto& row : model.rows) row.version += 100;

  const auto segment = written(env, example_footer(), model);

  const Footer expected = example_footer();
  const Footer& footer = segment->footer();
  CHECK(footer.collection == expected.collection);
  CHECK(footer.collection_name == expected.collection_name);
  CHECK(footer.definition_json == expected.definition_json);
  CHECK(footer.epoch == expected.epoch);
  CHECK(footer.seq == expected.seq);
  CHECK(footer.replaces == expected.replaces);
  CHECK(footer.min_lsn == 12);
  CHECK(footer.max_lsn == 500'000);
  REQUIRE(footer.tombstones.size() == 2);
  CHECK(footer.tombstones[0].id == PointId::number(9));
  CHECK(footer.tombstones[1].id == PointId::uuid(1, 2));
  CHECK(footer.tombstones[1].lsn == 12);
  REQUIRE(footer.columns.size() == kAllKinds.size());
  for (std::size_t i = 0; i < kAllKinds.size(); ++i) {
    CHECK(footer.columns[i].name == kAllKinds[i].name);
    CHECK(footer.columns[i].kind == kAllKinds[i].kind);
    CHECK(footer.columns[i].dimension == kAllKinds[i].dimension);
    CHECK(segment->column(kAllKinds[i].name) == i);
  }
  CHECK_FALSE(segment->column("nothing"));
}

TEST_CASE("segment: without rows it holds tombstones only, and without those nothing") {
  test::MemoryEnv env;
  const test::ModelRows none;

  const auto tombstones = written(env, example_footer(), none);
  CHECK(tombstones->row_count() == 0);
  CHECK(tombstones->footer().max_lsn == 500'000);
  CHECK_FALSE(tombstones->find(PointId::number(9)));
  CHECK(tombstones->lower_bound(PointId::number(0)) == 0);

  const auto nothing = written(env, Footer{}, none);
  CHECK(nothing->footer().min_lsn == 0);
  CHECK(nothing->footer().max_lsn == 0);
  CHECK(nothing->footer().columns.empty());
  CHECK_FALSE(nothing->failed());
}

TEST_CASE("segment: payloads that are empty, huge and in between keep their bytes") {
  test::MemoryEnv env;
  std::mt19937 random(2);
  Footer footer = example_footer();
  footer.columns.clear();
  auto model = test::random_rows({}, {.rows = 3000, .payload_percent = 0}, random);
  SECTION("none at all takes no block") {
    const auto segment = written(env, footer, model);
    test::require_equal(*segment, model);
    auto explicit_none = model;
    for (auto& row : explicit_none.rows) row.payload = "{}";
    const Bytes before = env.content(kPath);
    written(env, footer, explicit_none);
    CHECK(env.content(kPath) == before);
  }
  SECTION("the first only after thousands of rows without") {
    model.rows[2500].payload = R"({"a":1})";
    test::require_equal(*written(env, footer, model), model);
  }
  SECTION("a few far larger than a block among small ones") {
    for (std::size_t i = 0; i < model.rows.size(); i += 7) model.rows[i].payload = R"({"b":2})";
    for (const std::size_t i : {0u, 1u, 1500u, 2999u}) {
      model.rows[i].payload.assign(300'000, ' ');
      for (char& c : model.rows[i].payload) c = static_cast<char>(random() % 90 + 32);
    }
    test::require_equal(*written(env, footer, model), model);
    test::require_equal(*written(env, footer, model, 0), model);
  }
}

TEST_CASE("segment: payloads read in any order, and from two segments in turn, do not mix") {
  test::MemoryEnv env;
  std::mt19937 random(3);
  Footer footer;
  const auto first_model = test::random_rows({}, {.rows = 2000, .payload_percent = 100}, random);
  const auto second_model = test::random_rows({}, {.rows = 2000, .payload_percent = 100}, random);
  auto first = written(env, footer, first_model);
  auto second = written(env, footer, second_model);

  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t row = i % 5 == 0 ? random() % 1990 : static_cast<std::uint32_t>(i) % 1990;
    REQUIRE(*first->payload(row) == test::stored_payload(first_model.rows[row].payload));
    if (i % 3 == 0) {
      REQUIRE(*second->payload(row) == test::stored_payload(second_model.rows[row].payload));
    }
  }

  // A segment opened where a closed one was may not see that one's cached block.
  for (int i = 0; i < 50; ++i) {
    CAPTURE(i);
    const auto& model = i % 2 == 0 ? first_model : second_model;
    first.reset();
    first = written(env, footer, model);
    REQUIRE(*first->payload(5) == test::stored_payload(model.rows[5].payload));
  }
}

TEST_CASE("segment: find and lower_bound agree with a std::map, whatever the ids look like") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::string shape = GENERATE("random", "sequential", "clustered", "extremes", "uuid random",
                                     "uuid same high", "uuid by time", "mixed");
  CAPTURE(shape);
  std::map<PointId, std::uint32_t> ids;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    PointId id;
    if (shape == "random") id = PointId::number(random());
    if (shape == "sequential") id = PointId::number(1000 + i);
    if (shape == "clustered") id = PointId::number((i % 5) * (1ull << 60) + (random() & 0xFFFF));
    if (shape == "extremes") id = PointId::number(i == 0 ? ~0ull : (i == 1 ? 0 : 1ull << (i % 64)));
    if (shape == "uuid random") id = PointId::uuid(random(), random());
    if (shape == "uuid same high") id = PointId::uuid(42, random() % 100'000);
    if (shape == "uuid by time") id = PointId::uuid((1700000000ull + i / 10) << 16, random());
    if (shape == "mixed") {
      id = i % 3 == 0 ? PointId::uuid(random(), random()) : PointId::number(random() % 1'000'000);
    }
    ids[id] = 0;
  }
  test::ModelRows model;
  for (auto& [id, row] : ids) {
    row = model.row_count();
    model.rows.push_back({.id = id, .version = 1, .hash = 2, .vectors = {}, .payload = {}});
  }
  test::MemoryEnv env;
  const auto segment = written(env, Footer{}, model);

  std::vector<PointId> probes = {PointId::number(0), PointId::number(~0ull), PointId::uuid(0, 0),
                                 PointId::uuid(~0ull, ~0ull)};
  for (const auto& [id, row] : ids) {
    probes.push_back(id);
    probes.push_back({id.kind, id.high, id.low + 1});
    probes.push_back({id.kind, id.high, id.low - 1});
    probes.push_back(PointId::number(random()));
    probes.push_back(PointId::uuid(random(), random()));
  }
  std::size_t wrong = 0;
  for (const PointId& probe : probes) {
    const auto exact = ids.find(probe);
    const auto bound = ids.lower_bound(probe);
    const auto found = segment->find(probe);
    wrong += found.has_value() == (exact != ids.end()) ? 0 : 1;
    if (found && exact != ids.end()) wrong += *found == exact->second ? 0 : 1;
    const std::uint32_t expected = bound == ids.end() ? model.row_count() : bound->second;
    wrong += segment->lower_bound(probe) == expected ? 0 : 1;
    if (wrong != 0) FAIL("wrong for " << probe.to_string());
  }
}

TEST_CASE("segment: the writer refuses rows that break the contract, and publishes nothing") {
  test::MemoryEnv env;
  std::mt19937 random(4);
  auto model = test::random_rows(kAllKinds, {.rows = 20, .absent_percent = 0}, random);
  Footer footer = example_footer();
  SECTION("ids out of order") {
    std::swap(model.rows[3].id, model.rows[4].id);
  }
  SECTION("an id twice") {
    model.rows[4].id = model.rows[3].id;
  }
  SECTION("a dense vector of another dimension") {
    model.rows[9].vectors[0]->values.pop_back();
  }
  SECTION("a multi-vector with a part of a row") {
    model.rows[9].vectors[3]->values.resize(4);
  }
  SECTION("sparse indices that do not ascend") {
    model.rows[9].vectors[2] = test::ModelVector{{1, 2}, {5, 5}};
  }
  SECTION("sparse with fewer indices than values") {
    model.rows[9].vectors[2] = test::ModelVector{{1, 2}, {5}};
  }
  SECTION("a column without dimension") {
    footer.columns[1].dimension = 0;
  }
  SECTION("a column's name twice") {
    footer.columns[1].name = "";
  }
  SECTION("a dimension over the limit") {
    footer.columns[1].dimension = 65'537;
  }
  SECTION("tombstones out of order") {
    std::swap(footer.tombstones[0], footer.tombstones[1]);
  }
  SECTION("a payload over the limit") {
    model.rows[0].payload.assign((64u << 20) + 1, ' ');
  }

  const auto info = segment::write_segment(env, kPath, footer, model, {});

  REQUIRE_FALSE(info);
  CHECK_FALSE(info.error().message.empty());
  CHECK(env.files().empty());
}

TEST_CASE("segment: eight threads reading a cold segment all read what was written") {
  test::MemoryEnv env;
  std::mt19937 random(5);
  auto model = test::random_rows(kAllKinds, {.rows = 2000}, random);
  const auto segment = written(env, example_footer(), model);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        std::mt19937 local(thread);
        for (int i = 0; i < 400; ++i) {
          const std::uint32_t row = local() % model.row_count();
          const auto& expected = model.rows[row];
          if (segment->find(expected.id) != row) ++wrong;
          if (segment->version(row) != expected.version) ++wrong;
          const auto payload = segment->payload(row);
          if (!payload || *payload != test::stored_payload(expected.payload)) ++wrong;
          const float* dense = segment->dense(1, row);
          if ((dense != nullptr) != expected.vectors[1].has_value()) ++wrong;
          if (dense != nullptr && dense[2] != expected.vectors[1]->values[2]) ++wrong;
          segment->prefetch_dense(0, row);
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK_FALSE(segment->failed());
}

TEST_CASE("segment: memory is a small part of a file with large vectors") {
  test::MemoryEnv env;
  std::mt19937 random(6);
  Footer footer;
  footer.columns = {{"", VectorKind::kDense, 512}};
  const auto model =
      test::random_rows(footer.columns, {.rows = 4000, .payload_percent = 0}, random);

  const auto segment = written(env, footer, model);

  CHECK(segment->memory_bytes() > 4000 * 10 / 8);
  CHECK(segment->memory_bytes() < 20'000);
}
