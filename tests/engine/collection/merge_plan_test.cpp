// The merge plan as a pure function: which segments, when.
#include "engine/collection/merge_plan.h"

#include <catch2/catch.hpp>

#include "engine/index/index_file.h"

using namespace vz::collection;

namespace {

using Plan = std::vector<std::size_t>;

SegmentSummary sealed(std::uint32_t rows) {
  return {
      .rows = rows, .dead_rows = 0, .has_graph = false, .settled = rows < vz::index::kGraphRowsMin};
}
SegmentSummary graph(std::uint32_t rows, std::uint32_t dead = 0) {
  return {.rows = rows, .dead_rows = dead, .has_graph = true, .settled = true};
}
Plan plan(std::vector<SegmentSummary> segments, Activity activity) {
  return plan_merge(segments, activity);
}

}  // namespace

TEST_CASE("merge plan: nothing to do for no segment, one small one, or a few graphs") {
  for (const Activity activity : {Activity::kWriting, Activity::kQuiet}) {
    CHECK(plan({}, activity).empty());
    CHECK(plan({sealed(vz::index::kGraphRowsMin - 1)}, activity).empty());
    CHECK(plan({graph(100'000), graph(24'000), sealed(500)}, activity).empty());
  }
}

TEST_CASE(
    "merge plan: under ingest a graph waits for 50,000 rows, in quiet for the least that has one") {
  const std::vector<SegmentSummary> segments = {sealed(16'000), sealed(16'000), sealed(16'000)};

  CHECK(plan(segments, Activity::kWriting).empty());
  CHECK(plan(segments, Activity::kQuiet) == Plan{0, 1, 2});
  CHECK(plan({sealed(25'000), graph(80'000), sealed(25'000)}, Activity::kWriting) == Plan{0, 2});
}

TEST_CASE("merge plan: a single big segment is indexed where it is, once") {
  CHECK(plan({sealed(20'000)}, Activity::kQuiet) == Plan{0});

  auto without_vectors = sealed(20'000);
  without_vectors.settled = true;  // It was tried: no column has rows enough for a graph.

  CHECK(plan({without_vectors}, Activity::kQuiet).empty());
}

TEST_CASE("merge plan: small segments do not pile up") {
  const std::vector<SegmentSummary> nine(9, sealed(10));
  const std::vector<SegmentSummary> five(5, sealed(10));

  CHECK(plan(nine, Activity::kWriting).size() == 9);
  CHECK(plan(five, Activity::kWriting).empty());
  CHECK(plan(five, Activity::kQuiet).size() == 5);
}

TEST_CASE("merge plan: more than four graphs merge by tiers of factor four") {
  CHECK(plan({graph(1'000'000), graph(60'000), graph(70'000), graph(200'000), graph(900'000)},
             Activity::kWriting) == Plan{1, 2, 3});
  CHECK(
      plan({graph(10'000), graph(1'000'000), graph(1'000'000), graph(1'000'000), graph(1'000'000)},
           Activity::kWriting) == Plan{0, 1});
}

TEST_CASE("merge plan: a segment with more than thirty percent dead rows is rewritten") {
  CHECK(plan({graph(100'000, 30'000)}, Activity::kWriting).empty());
  CHECK(plan({graph(60'000), graph(100'000, 30'001)}, Activity::kWriting) == Plan{1});
}

TEST_CASE("merge plan: in quiet small graphs become one, unless little would come to the largest") {
  CHECK(plan({graph(50'000), sealed(500), graph(50'000)}, Activity::kQuiet) == Plan{0, 2});
  CHECK(plan({graph(50'000), graph(50'000)}, Activity::kWriting).empty());
  CHECK(plan({graph(100'000), graph(25'000)}, Activity::kQuiet) == Plan{0, 1});
  CHECK(plan({graph(100'000), graph(12'000), graph(12'999)}, Activity::kQuiet).empty());
  CHECK(plan({graph(200'000), graph(62'144)}, Activity::kQuiet) == Plan{0, 1});
  CHECK(plan({graph(200'000), graph(62'145)}, Activity::kQuiet).empty());
}
