// The crash loop's verifier on its own: what it must accept, and each kind of loss it must see.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/fault/kill_loop/compare.h"
#include "tests/fault/kill_loop/oracle.h"

using namespace vz;
using namespace vz::kill_loop;

namespace {

constexpr const char* kName = "shared-dot";

PointState point(Lsn version, float first, const std::string& payload = R"({"n":1,"owner":0})") {
  return {.version = version, .vector = {first, 2.5F}, .payload = payload};
}

/// Two points, acknowledged as log records 5 and 6.
ClientState two_points() {
  ClientState state;
  state.acknowledged[kName] = {{"1", point(5, 0.5F)}, {"2", point(6, 1.5F)}};
  state.last_lsn = 6;
  return state;
}

Operation points_operation(const std::string& body) {
  return {.kind = Operation::Kind::kPoints, .collection = kName, .body = body};
}

/// Overwrites point 2 and writes point 3, in one request.
Operation upsert_of_two() {
  return points_operation(R"([{"upsert":{"points":[
      {"id":2,"vector":[7,7],"payload":{"n":2}},{"id":3,"vector":[8,8],"payload":{"n":3}}]}}])");
}

Verdict::Outcome outcome(const ClientState& expected, const Collections& observed) {
  return compare(expected, observed).outcome;
}

}  // namespace

TEST_CASE("verifier: exactly what was acknowledged is accepted", "[fault]") {
  const ClientState expected = two_points();

  CHECK(outcome(expected, expected.acknowledged) == Verdict::Outcome::kBefore);
}

TEST_CASE("verifier: each kind of loss in an acknowledged write is seen", "[fault]") {
  const ClientState expected = two_points();
  Collections observed = expected.acknowledged;
  Points& points = observed[kName];

  SECTION("a lost point") {
    points.erase("2");
  }
  SECTION("a point that nobody wrote, or that was deleted") {
    points["9"] = point(4, 1);
  }
  SECTION("an older version") {
    points["2"].version = 5;
  }
  SECTION("a version of zero") {
    points["2"].version = 0;
  }
  SECTION("one bit of a vector") {
    points["2"].vector[0] = -points["2"].vector[0];
  }
  SECTION("minus zero for zero") {
    // Equal as numbers, not as bytes.
    ClientState zero = expected;
    zero.acknowledged[kName]["2"].vector[0] = 0.0F;
    points["2"].vector[0] = -0.0F;
    CHECK(outcome(zero, observed) == Verdict::Outcome::kDifferent);
  }
  SECTION("a shorter vector") {
    points["2"].vector.pop_back();
  }
  SECTION("a changed payload") {
    points["2"].payload = R"({"n":2,"owner":0})";
  }
  SECTION("a lost payload") {
    points["2"].payload = "{}";
  }
  SECTION("a lost collection") {
    observed.erase(kName);
  }
  SECTION("a dropped collection that came back") {
    observed["own-0-1"] = {};
  }

  const Verdict verdict = compare(expected, observed);
  CHECK(verdict.outcome == Verdict::Outcome::kDifferent);
  CHECK_FALSE(verdict.difference.empty());
}

TEST_CASE("verifier: an unanswered batch may be wholly absent or wholly there", "[fault]") {
  ClientState expected = two_points();
  expected.in_flight = upsert_of_two();
  Collections with_it = expected.acknowledged;
  apply(*expected.in_flight, 9, with_it);

  CHECK(outcome(expected, expected.acknowledged) == Verdict::Outcome::kBefore);
  const Verdict verdict = compare(expected, with_it);
  CHECK(verdict.outcome == Verdict::Outcome::kAfter);
  CHECK(verdict.lsn == 9);

  settle(verdict, expected);
  CHECK_FALSE(expected.in_flight);
  CHECK(expected.last_lsn == 9);
  CHECK(expected.acknowledged.at(kName).at("2").version == 9);
  CHECK(outcome(expected, with_it) == Verdict::Outcome::kBefore);
}

TEST_CASE("verifier: half an unanswered batch is a broken promise", "[fault]") {
  ClientState expected = two_points();
  expected.in_flight = upsert_of_two();
  Collections observed = expected.acknowledged;
  apply(*expected.in_flight, 9, observed);

  SECTION("only its first point") {
    observed[kName].erase("3");
  }
  SECTION("only its second point") {
    observed[kName]["2"] = point(6, 1.5F);
  }
  SECTION("its points as two log records") {
    observed[kName]["3"].version = 10;
  }
  SECTION("as a log record older than what was acknowledged") {
    observed[kName]["2"].version = 6;
    observed[kName]["3"].version = 6;
  }
  SECTION("whole, but an acknowledged point is gone") {
    observed[kName].erase("1");
  }

  CHECK(outcome(expected, observed) == Verdict::Outcome::kDifferent);
}

TEST_CASE("verifier: deletes, drops and creations in flight are decided too", "[fault]") {
  ClientState expected = two_points();

  SECTION("a delete by filter") {
    expected.in_flight = points_operation(
        R"([{"delete":{"filter":{"must":[{"key":"owner","match":{"value":0}}]}}}])");
    Collections observed = expected.acknowledged;
    observed[kName].clear();
    CHECK(outcome(expected, observed) == Verdict::Outcome::kAfter);
    observed[kName]["1"] = point(5, 0.5F);
    CHECK(outcome(expected, observed) == Verdict::Outcome::kDifferent);
  }
  SECTION("a drop") {
    expected.in_flight = Operation{.kind = Operation::Kind::kDrop, .collection = kName, .body = ""};
    CHECK(outcome(expected, {}) == Verdict::Outcome::kAfter);
    CHECK(outcome(expected, {{kName, {}}}) == Verdict::Outcome::kDifferent);
  }
  SECTION("a creation") {
    expected.in_flight =
        Operation{.kind = Operation::Kind::kCreate, .collection = "c", .body = "{}"};
    Collections observed = expected.acknowledged;
    observed["c"] = {};
    CHECK(outcome(expected, observed) == Verdict::Outcome::kAfter);
    observed["c"] = {{"1", point(3, 1)}};
    CHECK(outcome(expected, observed) == Verdict::Outcome::kDifferent);
  }
}

TEST_CASE("model: payload edits and batches do what the API says", "[fault]") {
  Collections state = {{kName, {{"1", point(5, 0.5F, R"({"a":1,"b":2})")}}}};
  const auto payload = [&] { return state.at(kName).at("1").payload; };

  apply(points_operation(R"([{"set_payload":{"points":[1],"payload":{"b":3,"c":4}}}])"), 6, state);
  CHECK(payload() == R"({"a":1,"b":3,"c":4})");
  CHECK(state.at(kName).at("1").version == 6);

  apply(points_operation(R"([{"delete_payload":{"points":[1],"keys":["a"]}}])"), 7, state);
  CHECK(payload() == R"({"b":3,"c":4})");

  const std::string range = R"({"must":[{"key":"b","range":{"gte":3,"lt":4}}]})";
  apply(
      points_operation(R"([{"overwrite_payload":{"filter":)" + range + R"(,"payload":{"z":1}}}])"),
      8, state);
  CHECK(payload() == R"({"z":1})");

  apply(points_operation(R"([{"clear_payload":{"points":[1]}},
      {"update_vectors":{"points":[{"id":1,"vector":[9,9]}]}}])"),
        9, state);
  CHECK(payload() == "{}");
  CHECK(state.at(kName).at("1").vector == std::vector<float>{9, 9});
  CHECK(state.at(kName).at("1").version == 9);
}

TEST_CASE("model: state and operations survive a trip through text", "[fault]") {
  const Collections state = {{kName, {{"1", point(5, 0.1F)}, {uuid_id(3, 7), point(6, -0.0F)}}}};

  std::optional<Lsn> unknown;
  CHECK(differences(state, collections_from_json(to_json(state)), 0, unknown).empty());
  const Operation operation = upsert_of_two();
  CHECK(operation_from_line(to_line(operation)).body == operation.body);
  CHECK(owner_of(uuid_id(3, 7)) == 3);
  CHECK(owner_of(number_id(2, 99)) == 2);
  CHECK(owner_of("\"00000000-0000-4000-8000-\"") == -1);
}

TEST_CASE("oracle: a driver that dies takes up where it was", "[fault]") {
  const auto dir = (std::filesystem::temp_directory_path() / "vz-oracle-test").string();
  std::filesystem::remove_all(dir);
  {
    auto oracle = Oracle::open(dir, 1);
    REQUIRE(oracle);
    ClientOracle& client = oracle->clients()[0];
    client.state.acknowledged[kName] = {};
    REQUIRE(oracle->checkpoint());
    REQUIRE(client.begin(upsert_of_two()));
    REQUIRE(client.acknowledge(5));
    REQUIRE(client.begin(points_operation(R"([{"delete":{"points":[2]}}])")));
  }

  auto oracle = Oracle::open(dir, 1);

  REQUIRE(oracle);
  const ClientState& state = oracle->clients()[0].state;
  CHECK(state.last_lsn == 5);
  CHECK(state.acknowledged.at(kName).size() == 2);
  CHECK(state.acknowledged.at(kName).at("3").version == 5);
  REQUIRE(state.in_flight);
  CHECK(state.in_flight->body == R"([{"delete":{"points":[2]}}])");
  CHECK_FALSE(Oracle::open(dir, 2));
  std::filesystem::remove_all(dir);
}

TEST_CASE("oracle: an lsn that goes back is a failure", "[fault]") {
  const auto dir = (std::filesystem::temp_directory_path() / "vz-oracle-lsn-test").string();
  auto oracle = Oracle::open(dir, 1);
  REQUIRE(oracle);
  ClientOracle& client = oracle->clients()[0];
  client.state.acknowledged[kName] = {};
  REQUIRE(oracle->checkpoint());
  REQUIRE(client.begin(upsert_of_two()));
  REQUIRE(client.acknowledge(5));
  REQUIRE(client.begin(upsert_of_two()));

  CHECK_FALSE(client.acknowledge(4));
  std::filesystem::remove_all(dir);
}
