// Promises P1, P2, P5 and P7 on a whole node: whichever system call fails, and whatever a power cut
// takes, each acknowledged write is there afterwards, and of the others at most the one under way.
//
// Method: one scripted client on a file system in memory. The script is run once for each possible
// failing call; then the power is cut and the node opened again. Its state must equal the model
// after exactly the acknowledged steps, or after one more.
#include <functional>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "tests/support/instrumented.h"
#include "tests/support/test_node.h"

using namespace vz;

namespace {

using State = std::map<std::string, test::CollectionState>;

/// One step of the script: what the node does, and what the model becomes when it succeeds.
struct Step {
  std::string name;
  std::function<Result<log::WriteOutcome>(node::Node&)> run;
  std::function<void(State&, Lsn)> model;
  Status (node::Node::*then)() = nullptr;  ///< maintenance after it
};

std::vector<float> vector_of(std::uint64_t id, int round) {
  return {static_cast<float>(id), static_cast<float>(round), 0.5f, -1.0f};
}

std::string payload_of(std::uint64_t id, int round) {
  return "{\"group\":" + std::to_string(id % 3) + ",\"round\":" + std::to_string(round) + "}";
}

Step upsert_step(const std::string& collection, std::uint64_t first, std::uint64_t count,
                 int round) {
  Step step;
  step.name = "upsert " + collection + " " + std::to_string(first) + "+" + std::to_string(count);
  step.run = [=](node::Node& node) {
    std::vector<log::PointData> points;
    for (std::uint64_t id = first; id < first + count; ++id)
      points.push_back(test::point(id, vector_of(id, round), payload_of(id, round)));
    return test::upsert(node, collection, std::move(points));
  };
  step.model = [=](State& state, Lsn lsn) {
    for (std::uint64_t id = first; id < first + count; ++id)
      state[collection][PointId::number(id)] = {lsn, vector_of(id, round), payload_of(id, round)};
  };
  return step;
}

Step operation_step(const std::string& name, const std::string& collection,
                    log::PointOperation operation,
                    std::function<void(test::CollectionState&, Lsn)> model) {
  Step step;
  step.name = name;
  step.run = [=](node::Node& node) {
    return test::write(node, test::points_write(node, collection, {operation}));
  };
  step.model = [=](State& state, Lsn lsn) { model(state[collection], lsn); };
  return step;
}

Step delete_group(const std::string& collection, int group) {
  const std::string want = "\"group\":" + std::to_string(group) + ",";
  return operation_step(
      "delete group", collection,
      log::DeletePoints{test::filter(
          "{\"must\":[{\"key\":\"group\",\"match\":{\"value\":" + std::to_string(group) + "}}]}")},
      [want](test::CollectionState& points, Lsn) {
        std::erase_if(points, [&](const auto& point) {
          return point.second.payload.find(want) != std::string::npos;
        });
      });
}

Step edit_payload(const std::string& collection, std::uint64_t id) {
  return operation_step(
      "set payload", collection,
      log::SetPayload{std::vector<PointId>{PointId::number(id)}, "{\"edited\":true}", std::nullopt},
      [id](test::CollectionState& points, Lsn lsn) {
        auto& point = points[PointId::number(id)];
        point.version = lsn;
        point.payload.insert(point.payload.size() - 1, ",\"edited\":true");
      });
}

Step delete_ids(const std::string& collection, std::uint64_t first, std::uint64_t last) {
  std::vector<PointId> ids;
  for (std::uint64_t id = first; id <= last; ++id) ids.push_back(PointId::number(id));
  return operation_step("delete ids", collection, log::DeletePoints{ids},
                        [ids](test::CollectionState& points, Lsn) {
                          for (const PointId& id : ids) points.erase(id);
                        });
}

Step create_step(const std::string& name) {
  return {.name = "create " + name,
          .run = [=](node::Node& node) { return test::create(node, name); },
          .model = [=](State& state, Lsn) { state[name] = {}; }};
}

Step drop_step(const std::string& name) {
  return {.name = "drop " + name,
          .run = [=](node::Node& node) { return test::write(node, log::DropCollection{name}); },
          .model = [=](State& state, Lsn) { state.erase(name); }};
}

Step settled(Step step) {
  step.then = &node::Node::settle;
  return step;
}

Step sealed(Step step) {
  step.then = &node::Node::seal;
  return step;
}

Step merged(Step step) {
  step.then = &node::Node::merge;
  return step;
}

/// Seals at every eighth row, merges where it says so, overwrites and deletes rows of every age,
/// and edits rows whose base is in a segment: one that is deleted later, and one whose segment is
/// rewritten while the edit is in the log only.
std::vector<Step> script() {
  return {create_step("a"),
          upsert_step("a", 1, 6, 1),
          upsert_step("a", 4, 6, 2),
          create_step("b"),
          upsert_step("b", 1, 3, 1),
          settled(delete_ids("a", 2, 2)),
          edit_payload("a", 1),
          upsert_step("a", 20, 9, 3),  // Freezes; the edit below is not in that memtable.
          edit_payload("a", 5),        // Its base is in a segment, and dies by it.
          settled(delete_group("a", 1)),
          upsert_step("a", 1, 2, 4),
          drop_step("b"),
          edit_payload("a", 6),
          settled(delete_ids("a", 6, 9)),
          create_step("b"),
          settled(upsert_step("b", 7, 9, 5)),
          upsert_step("a", 30, 2, 6),
          sealed(upsert_step("a", 40, 8, 7)),
          sealed(delete_ids("a", 40, 43)),
          merged(edit_payload("a", 45))};
}

struct Outcome {
  std::vector<State> models;  ///< after 0, 1, 2, ... acknowledged steps; the last may be in flight
  std::size_t acknowledged = 0;
};

/// Runs the script until a step is refused. Lsns are deterministic: one client, one record a step.
Outcome run_script(node::Node& node, const std::vector<Step>& steps) {
  Outcome outcome;
  outcome.models.emplace_back();
  for (const Step& step : steps) {
    State next = outcome.models.back();
    const Lsn expected = node.visible_lsn() + 1;
    step.model(next, expected);
    outcome.models.push_back(std::move(next));
    const auto written = step.run(node);
    if (!written) return outcome;
    ++outcome.acknowledged;
    // What maintenance cannot do now it does later; it must never lose anything.
    if (step.then != nullptr) (void)(node.*step.then)();
  }
  return outcome;
}

Result<State> read_node(const node::Node& node) {
  State state;
  for (const auto& reader : node.collections()) {
    VZ_TRY_ASSIGN(state[reader->name()], test::read_all(*reader));
  }
  return state;
}

/// Opens the node that the crash left and compares it with the model. "" if it holds what it must.
std::string verify(FaultEnv& env, const Outcome& outcome) {
  const auto node = node::Node::open(env, test::small_node());
  if (!node) return "does not open: " + node.error().message;
  const auto state = read_node(**node);
  if (!state) return "does not read: " + state.error().message;
  for (const auto& reader : (*node)->collections())
    if (reader->stats().points != state->at(reader->name()).size()) return "counts are wrong";
  for (std::size_t steps = outcome.acknowledged;
       steps < std::min(outcome.acknowledged + 2, outcome.models.size()); ++steps)
    if (*state == outcome.models[steps]) return "";
  return "state is neither that of " + std::to_string(outcome.acknowledged) +
         " acknowledged steps nor of one more";
}

/// Calls that the whole script makes when nothing fails.
std::uint64_t calls_of_script() {
  FaultEnv env;
  const auto node = node::Node::open(env, test::small_node());
  REQUIRE(node.has_value());
  const Outcome outcome = run_script(**node, script());
  REQUIRE(outcome.acknowledged == script().size());
  REQUIRE((*node)->close().has_value());
  return env.calls();
}

}  // namespace

TEST_CASE("node: a script without faults ends in the model's state, also after a clean restart",
          "[node]") {
  FaultEnv env;
  auto node = node::Node::open(env, test::small_node());
  REQUIRE(node.has_value());

  const Outcome outcome = run_script(**node, script());

  REQUIRE(outcome.acknowledged == script().size());
  REQUIRE(read_node(**node).value() == outcome.models.back());
  REQUIRE((*node)->close().has_value());
  node->reset();
  CHECK(verify(env, outcome) == "");
}

/// Else one at each call, in turn.
constexpr bool kEachVariant = !vz::test::kInstrumented;

TEST_CASE("node: acknowledged writes survive a failing call and a power cut, at every call",
          "[node][fault]") {
  const std::uint64_t calls = calls_of_script();
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(calls, seed);
  enum Variant { kFailsOnce, kFailsFromThere, kFailsOnceNamesKept };
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    for (const Variant variant : {kFailsOnce, kFailsFromThere, kFailsOnceNamesKept}) {
      if (!kEachVariant && fault / 3 % 3 != static_cast<std::uint64_t>(variant)) continue;
      FaultEnv env;
      variant == kFailsFromThere ? env.fail_from(fault) : env.fail_at(fault);
      Outcome outcome;
      outcome.models.emplace_back();
      {
        auto node = node::Node::open(env, test::small_node());
        if (node) outcome = run_script(**node, script());
      }
      env.heal();
      if (variant == kFailsOnceNamesKept) {
        env.lose_power_names_kept();
      } else {
        fault % 3 == 0 ? env.lose_power_worst() : env.lose_power(seed + fault);
      }

      INFO("failing call " << fault << ", variant " << variant);
      REQUIRE(verify(env, outcome) == "");
    }
  }
}

TEST_CASE("node: a power cut at every call loses nothing acknowledged", "[node][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  const auto steps = script();
  // A cut between two steps, and during maintenance after each of them.
  for (std::size_t cut = 0; cut <= steps.size(); ++cut) {
    for (std::uint64_t variant = 0; variant < 6; ++variant) {
      FaultEnv env;
      Outcome outcome;
      {
        auto node = node::Node::open(env, test::small_node());
        REQUIRE(node.has_value());
        outcome = run_script(**node, {steps.begin(), steps.begin() + static_cast<long>(cut)});
      }
      REQUIRE(outcome.acknowledged == cut);
      variant == 0 ? env.lose_power_worst() : env.lose_power(seed + cut * 100 + variant);

      INFO("cut after step " << cut << ", variant " << variant);
      REQUIRE(verify(env, outcome) == "");
    }
  }
}

TEST_CASE("node: after a failed sync it refuses writes, goes on reading, and says why",
          "[node][fault]") {
  FaultEnv env;
  auto node = node::Node::open(env, test::small_node());
  REQUIRE(node.has_value());
  REQUIRE(test::create(**node, "a"));
  REQUIRE(test::upsert(**node, "a", {test::point(1, vector_of(1, 1), "{}")}));
  env.fail_at(0, {.only = FaultCall::kSync});

  const auto refused = test::upsert(**node, "a", {test::point(2, vector_of(2, 1), "{}")});

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK((*node)->poisoned());
  CHECK_FALSE((*node)->health().front().healthy);
  const auto visible = test::read_all(*(*node)->find("a"));
  REQUIRE(visible);
  CHECK(visible->size() == 1);
  const auto calls = env.calls();
  CHECK_FALSE(test::upsert(**node, "a", {test::point(3, vector_of(3, 1), "{}")}));
  CHECK(env.calls() == calls);  // Nothing more is written.

  // Maintenance passes through the writer, which must not show what was never acknowledged.
  (void)(*node)->seal();
  const auto later = test::read_all(*(*node)->find("a"));
  REQUIRE(later);
  CHECK(later->size() == 1);
}

TEST_CASE("node: the checker sees loss when syncs do nothing", "[node][fault]") {
  bool file_loss_seen = false;
  bool directory_loss_seen = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const bool directories : {false, true}) {
      FaultEnv env;
      Outcome outcome;
      {
        auto node = node::Node::open(env, test::small_node());
        REQUIRE(node.has_value());
        directories ? env.ignore_directory_syncs(true) : env.ignore_file_syncs(true);
        outcome = run_script(**node, script());
      }
      seed == 0 ? env.lose_power_worst() : env.lose_power(seed);
      env.ignore_directory_syncs(false);
      env.ignore_file_syncs(false);
      (directories ? directory_loss_seen : file_loss_seen) |= !verify(env, outcome).empty();
    }
  }
  CHECK(file_loss_seen);
  CHECK(directory_loss_seen);
}
