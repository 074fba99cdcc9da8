// Indexes of few, equal or strange vectors.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "engine/index/duplicates.h"
#include "engine/index/graph.h"
#include "tests/engine/index/example.h"

using namespace vz;
using index::Candidate;
using index::CandidateStats;
using vector::Distance;

namespace {

constexpr unsigned kSeed = 99;
constexpr Distance kAll[] = {Distance::kCosine, Distance::kDot, Distance::kEuclid,
                             Distance::kManhattan};
constexpr std::uint32_t kNever = 1u << 30;

std::vector<Candidate> ask(const test::Example& example, std::span<const float> query,
                           std::size_t wanted, std::size_t ef = 64,
                           const index::RowFilter& filter = {}) {
  std::vector<Candidate> found;
  CandidateStats stats;
  const auto status = example.column().candidates({.query = query,
                                                   .wanted = wanted,
                                                   .ef = ef,
                                                   .filter = filter,
                                                   .method = index::SearchMethod::kWalk},
                                                  found, stats);
  REQUIRE(status.has_value());
  return found;
}

}  // namespace

TEST_CASE("index: none, one or two rows, with and without a graph", "[engine][index]") {
  for (const std::uint32_t graph_rows_min : {0u, kNever}) {
    for (const auto distance : kAll) {
      for (const std::size_t count : {0, 1, 2}) {
        CAPTURE(graph_rows_min, vector::distance_name(distance), count);
        auto example = test::make_example(test::clustered(count, 5, 1, distance, kSeed, kSeed), 5,
                                          distance, graph_rows_min);
        REQUIRE(example.has_value());
        CHECK((*example)->column().has_graph() == (graph_rows_min == 0 && count > 0));
        const std::vector<float> query = {1, 0, 0, 0, 0};
        const auto found = ask(**example, query, 10);
        REQUIRE(found.size() == count);
        CHECK((*example)->rescored(query, 10, found) == (*example)->exact(query, 10));
      }
    }
  }
}

TEST_CASE("index: rows without the vector are never candidates", "[engine][index]") {
  for (const std::uint32_t graph_rows_min : {0u, kNever}) {
    auto rows = test::clustered(600, 16, 5, Distance::kEuclid, kSeed, kSeed + 1);
    for (std::size_t i = 0; i < rows.size(); i += 3) rows[i].clear();
    auto example = test::make_example(rows, 16, Distance::kEuclid, graph_rows_min);
    REQUIRE(example.has_value());
    index::RowSet allowed(600);
    for (std::uint32_t row = 0; row < 600; row += 2) allowed.insert(row);

    const auto found = ask(**example, rows[1], 600);
    const auto filtered =
        ask(**example, rows[1], 600, 64, {.allowed = &allowed, .allowed_count = 300});

    CAPTURE(graph_rows_min);
    CHECK(found.size() == 400);
    CHECK(filtered.size() == 200);
    for (const auto& candidate : found) REQUIRE(candidate.row % 3 != 0);
    for (const auto& candidate : filtered) {
      REQUIRE(candidate.row % 3 != 0);
      REQUIRE(candidate.row % 2 == 0);
    }
  }
}

TEST_CASE("index: a segment in which no row has the vector gives nothing", "[engine][index]") {
  auto example = test::make_example(std::vector<std::vector<float>>(50), 8, Distance::kDot, 0);
  REQUIRE(example.has_value());
  CHECK(ask(**example, std::vector<float>(8, 1.0f), 10).empty());
}

TEST_CASE("index: equal vectors tie in row order under a scan", "[engine][index]") {
  for (const auto distance : kAll) {
    std::vector<std::vector<float>> rows(1'000, std::vector<float>{0.6f, 0.8f, 0.0f});
    auto example = test::make_example(rows, 3, distance, kNever);
    REQUIRE(example.has_value());
    const auto found = ask(**example, std::vector<float>{0.0f, 1.0f, 0.0f}, 20);
    REQUIRE(found.size() == 20);
    for (std::uint32_t i = 0; i < 20; ++i) CHECK(found[i].row == i);
  }
}

TEST_CASE("index: a thousand equal vectors among others are found, and do not hide the others",
          "[engine][index]") {
  for (const auto distance : kAll) {
    auto rows = test::clustered(5'000, 16, 50, distance, kSeed, kSeed + 2);
    for (std::size_t i = 2'000; i < 3'000; ++i) rows[i] = rows[2'000];
    auto example = test::make_example(rows, 16, distance, 0);
    REQUIRE(example.has_value());
    CAPTURE(kSeed, vector::distance_name(distance));

    // Near them: of the best ten by value all are found. Dot prefers long vectors, not equal ones.
    const auto near = ask(**example, rows[2'000], 40, 128);
    REQUIRE(near.size() == 40);
    const auto best = (*example)->exact(rows[2'000], 10);
    const auto got = (*example)->rescored(rows[2'000], 10, near);
    const auto value = [&](std::uint32_t row) {
      return vector::similarity(distance, rows[2'000].data(), rows[row].data(), 16);
    };
    CHECK(value(got[9]) >= value(best[9]) - 1e-3f * std::abs(value(best[9])));

    // Away from them: as in any other graph.
    double sum = 0;
    for (std::size_t i = 0; i < 50; ++i) {
      const auto& query = rows[i * 37];
      sum += test::recall((*example)->rescored(query, 10, ask(**example, query, 40, 128)),
                          (*example)->exact(query, 10));
    }
    CHECK(sum / 50 >= 0.93);
  }
}

TEST_CASE("index: zero vectors and a zero query are ordinary", "[engine][index]") {
  for (const auto distance : kAll) {
    for (const std::uint32_t graph_rows_min : {0u, kNever}) {
      auto rows = test::clustered(300, 12, 4, distance, kSeed, kSeed + 3);
      for (std::size_t i = 0; i < 300; i += 10) rows[i].assign(12, 0.0f);
      auto example = test::make_example(rows, 12, distance, graph_rows_min);
      REQUIRE(example.has_value());
      CAPTURE(vector::distance_name(distance), graph_rows_min);

      CHECK(ask(**example, std::vector<float>(12, 0.0f), 300).size() == 300);
      const auto found = ask(**example, rows[1], 40);
      CHECK(found.size() == 40);
      CHECK(test::recall((*example)->rescored(rows[1], 10, found),
                         (*example)->exact(rows[1], 10)) >= 0.9);
    }
  }
}

TEST_CASE("index: only zero vectors", "[engine][index]") {
  for (const auto distance : kAll) {
    std::vector<std::vector<float>> rows(200, std::vector<float>(12, 0.0f));
    auto example = test::make_example(rows, 12, distance, 0);
    REQUIRE(example.has_value());
    CHECK(ask(**example, std::vector<float>(12, 1.0f), 30).size() == 30);
  }
}

TEST_CASE("index: where codes lose too much they are off, and float32 gives the answer",
          "[engine][index]") {
  // All rows lie in a ball that is far smaller than a step of the codes.
  for (const std::uint32_t graph_rows_min : {0u, kNever}) {
    auto rows = test::clustered(3'000, 24, 1, Distance::kEuclid, kSeed, kSeed + 4);
    for (auto& row : rows) {
      for (float& value : row) value = 1'000.0f + 0.01f * value;
    }
    auto example = test::make_example(rows, 24, Distance::kEuclid, graph_rows_min);
    REQUIRE(example.has_value());
    CAPTURE(kSeed, graph_rows_min);
    CHECK_FALSE((*example)->column().codes_on());
    CHECK((*example)->column().has_graph() == (graph_rows_min == 0));
    double sum = 0;
    for (std::size_t i = 0; i < 20; ++i) {
      const auto& query = rows[i * 101];
      sum += test::recall((*example)->rescored(query, 10, ask(**example, query, 40, 200)),
                          (*example)->exact(query, 10));
    }
    CHECK(sum / 20 >= 0.95);
  }
}

TEST_CASE("index: one build thread gives the same file each time, several give as good a one",
          "[engine][index]") {
  const auto rows = test::clustered(2'000, 32, 20, Distance::kCosine, kSeed, kSeed + 5);
  auto first = test::make_example(rows, 32, Distance::kCosine, 0);
  auto second = test::make_example(rows, 32, Distance::kCosine, 0);
  auto threaded = test::make_example(rows, 32, Distance::kCosine, 0, 3);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  REQUIRE(threaded.has_value());
  CHECK((*first)->env.content(test::kIndexPath) == (*second)->env.content(test::kIndexPath));
  double sum = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    sum += test::recall((*threaded)->rescored(rows[i], 10, ask(**threaded, rows[i], 40, 128)),
                        (*threaded)->exact(rows[i], 10));
  }
  CHECK(sum / 50 >= 0.95);
}

TEST_CASE("index: a stopped build publishes nothing", "[engine][index]") {
  test::MemoryEnv env;
  const auto rows = test::clustered(500, 8, 3, Distance::kDot, kSeed, kSeed);
  auto segment = test::write_and_open(env, test::kSegmentPath, rows, 8, 1);
  REQUIRE(segment.has_value());
  std::stop_source stop;
  stop.request_stop();
  const index::ColumnPlan plan = {.column = 0, .distance = Distance::kDot, .hnsw = {}};

  const auto built = index::build_index(env, test::kIndexPath, **segment, {&plan, 1},
                                        {.graph_rows_min = 0, .stop = stop.get_token()});

  REQUIRE_FALSE(built.has_value());
  CHECK(built.error().code == ErrorCode::kCancelled);
  CHECK(env.files().size() == 1);
}

TEST_CASE("index: codes only, when asked so; another column is not indexed", "[engine][index]") {
  test::MemoryEnv env;
  const auto rows = test::clustered(500, 8, 3, Distance::kDot, kSeed, kSeed);
  auto segment = test::write_and_open(env, test::kSegmentPath, rows, 8, 1);
  REQUIRE(segment.has_value());
  const index::ColumnPlan plan = {.column = 0, .distance = Distance::kDot, .hnsw = {}};
  REQUIRE(
      index::build_index(env, test::kIndexPath, **segment, {&plan, 1},
                         {.graph = index::GraphPolicy::kCodesOnly, .graph_rows_min = 0, .stop = {}})
          .has_value());
  auto file = index::IndexFile::open(env, test::kIndexPath, **segment);
  REQUIRE(file.has_value());
  REQUIRE((*file)->column(0) != nullptr);
  CHECK_FALSE((*file)->column(0)->has_graph());
  CHECK((*file)->column(0)->memory_bytes() >= 500 * 64);
  CHECK((*file)->column(1) == nullptr);

  const index::ColumnPlan wrong = {.column = 1, .distance = Distance::kDot, .hnsw = {}};
  const auto refused = index::build_index(env, "other", **segment, {&wrong, 1}, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("graph: islands get a way in and a way out", "[engine][index]") {
  // Two rings; the entry is in the first.
  index::Graph graph;
  graph.m = 2;
  graph.link_stride = 4;
  graph.links.assign(8 * 4, index::kNone);
  for (std::uint32_t slot = 0; slot < 8; ++slot) {
    graph.links_of(slot)[0] = slot < 4 ? (slot + 1) % 4 : 4 + (slot + 1) % 4;
  }
  const auto added = index::connect_islands(
      graph, 8, [](std::uint32_t a, std::uint32_t b) { return -std::abs(float(a) - float(b)); },
      100);

  CHECK(added == 2);
  const auto order = index::breadth_first_order(graph, 8);
  CHECK(order[0] == 0);
  CHECK(std::set<std::uint32_t>(order.begin(), order.end()).size() == 8);
  const auto& out = graph.links_of(4);
  CHECK(std::find(out.begin(), out.end(), 3u) != out.end());
  const auto& in = graph.links_of(3);
  CHECK(std::find(in.begin(), in.end(), 4u) != in.end());
}

TEST_CASE("graph: every duplicate can be reached from the first, and leads out",
          "[engine][index]") {
  // Slots 1 and 3 .. 40 are equal; links of the graph over the distinct ones are all in use.
  std::vector<std::vector<float>> values(41, std::vector<float>{1.0f, 2.0f, 3.0f});
  values[0] = {0.0f, 0.0f, 1.0f};
  values[2] = {0.0f, 0.0f, 2.0f};
  std::vector<const float*> vectors;
  for (const auto& value : values) vectors.push_back(value.data());
  index::GraphInput input;
  input.vectors = vectors;
  input.dimension = 3;

  const auto distinct = index::find_distinct(input, 41);

  REQUIRE(distinct.firsts == std::vector<std::uint32_t>{0, 1, 2});
  index::Graph graph;
  graph.m = 1;
  graph.link_stride = 4;
  graph.entry_slot = 2;
  graph.links = {1, 2, 1, 2, 0, 2, 0, 2, 0, 1, 0, 1};

  const auto hung = index::hang_duplicates(graph, distinct);

  CHECK(hung.entry_slot == 2);
  std::set<std::uint32_t> reached = {1};
  std::vector<std::uint32_t> todo = {1};
  while (!todo.empty()) {
    const auto links = hung.links_of(todo.back());
    todo.pop_back();
    for (const auto link : links) {
      REQUIRE((link == index::kNone || link < 41));
      if (link != index::kNone && reached.insert(link).second) todo.push_back(link);
    }
  }
  CHECK(reached.size() == 41);
  for (std::uint32_t slot = 3; slot < 41; ++slot) {
    const auto links = hung.links_of(slot);
    CAPTURE(slot);
    CHECK(std::count_if(links.begin(), links.end(), [](auto link) { return link < 3; }) > 0);
  }
}
