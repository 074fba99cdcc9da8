// Damaging copies of a directory, repairing them, and comparing what a node then serves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/tools/offline/data_kit.h"
#include "tools/offline/repair.h"

namespace vz::test {

using NodeStates = std::map<std::string, CollectionState>;

/// What a node on this disk serves; `env` stays as it is.
inline NodeStates served(const FaultEnv& env) {
  const auto copy = env.crash_image(1);
  const auto node = node::Node::open(*copy, small_node());
  INFO((node ? std::string() : node.error().message));
  REQUIRE(node);
  NodeStates states;
  for (const auto& collection : (*node)->collections()) {
    auto state = read_all(*collection);
    INFO((state ? std::string() : state.error().message));
    REQUIRE(state);
    states[collection->name()] = std::move(*state);
  }
  return states;
}

inline std::string text_of(const offline::RepairReport& report) {
  std::string text = "loss " + std::to_string(report.loss()) + "\n";
  for (const auto& action : report.actions) text += action.file + ": " + action.what + "\n";
  for (const auto& note : report.notes) text += "note: " + note + "\n";
  for (const auto& lost : report.points) {
    text += lost.name + ": gone";
    for (const auto& id : lost.gone) text += " " + id.to_string();
    text += " and " + std::to_string(lost.gone_count() - lost.gone.size()) + ", returned " +
            std::to_string(lost.returned) + ", unconfirmed " +
            std::to_string(lost.unconfirmed_versions) + "\n";
  }
  return text;
}

inline offline::RepairReport planned(Env& env) {
  auto report = offline::repair(env, kDataDir, {});
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

inline Result<offline::RepairReport> apply(Env& env, std::uint64_t loss_allowed) {
  return offline::repair(
      env, kDataDir,
      {.run = offline::RepairOptions::Run::kApplied, .loss_allowed = loss_allowed, .tool = "test"});
}

inline offline::RepairReport applied(Env& env, std::uint64_t loss_allowed) {
  auto report = apply(env, loss_allowed);
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

/// Everything of `before` but what the report names is in `after`, and nothing else.
inline void require_same_but_for(const offline::RepairReport& report, const NodeStates& before,
                                 const NodeStates& after) {
  REQUIRE(report.records.records == 0);
  REQUIRE(before.size() == after.size());
  for (const auto& [name, expected] : before) {
    CAPTURE(name);
    REQUIRE(after.contains(name));
    const CollectionState& found = after.at(name);
    offline::LostPoints lost;
    for (const auto& one : report.points)
      if (one.name == name) lost = one;
    std::uint64_t missing = 0;
    for (const auto& [id, point] : expected) {
      const auto at = found.find(id);
      CAPTURE(id.to_string());
      const bool named = std::find(lost.gone.begin(), lost.gone.end(), id) != lost.gone.end();
      REQUIRE((at == found.end() || !named));
      if (at == found.end()) {
        missing += named ? 0 : 1;
        continue;
      }
      REQUIRE(at->second.values == point.values);
      REQUIRE(at->second.payload == point.payload);
      if (lost.unconfirmed_versions == 0) REQUIRE(at->second.version == point.version);
    }
    REQUIRE(missing == lost.gone_count() - lost.gone.size());
    std::uint64_t extra = 0;
    for (const auto& [id, point] : found) extra += expected.contains(id) ? 0 : 1;
    REQUIRE(extra == lost.returned);
  }
}

/// Where records of the log were lost: what they did not touch is as it was.
inline void require_prefix(const offline::RepairReport& report, const NodeStates& before,
                           const NodeStates& after) {
  const Lsn first_lost = report.records.first_lsn;
  for (const auto& [name, expected] : before) {
    if (!after.contains(name)) continue;
    CAPTURE(name, first_lost);
    for (const auto& [id, point] : expected) {
      if (point.version >= first_lost) continue;
      CAPTURE(id.to_string());
      REQUIRE(after.at(name).contains(id));
      REQUIRE(after.at(name).at(id) == point);
    }
    for (const auto& [id, point] : after.at(name)) REQUIRE(point.version < first_lost);
  }
}

/// The promises behind an application: a check finds nothing, a node takes writes, and again.
inline void require_sound(FaultEnv& env) {
  const auto report = checked(env, check::Level::kContents);
  INFO(text_of(report.findings));
  REQUIRE_FALSE(report.damaged());
  const auto copy = env.crash_image(1);
  {
    const auto node = node::Node::open(*copy, small_node());
    INFO((node ? std::string() : node.error().message));
    REQUIRE(node);
    for (const auto& collection : (*node)->collections()) {
      const std::size_t size = collection->definition()->vectors.at(0).size;
      REQUIRE(upsert(**node, collection->name(), {point(777, std::vector<float>(size, 2), "{}")}));
    }
    REQUIRE((*node)->settle());
    REQUIRE((*node)->close());
  }
  const auto again = checked(*copy, check::Level::kContents);
  INFO(text_of(again.findings));
  REQUIRE_FALSE(again.damaged());
}

/// What a node serves of a damaged log that it takes for one that ends earlier: nothing tells rot
/// in the last group of a killed node, or the loss of its last file, from writes that never were.
inline NodeStates served_or(const FaultEnv& env, const NodeStates& otherwise) {
  const auto copy = env.crash_image(1);
  return node::Node::open(*copy, small_node()) ? served(env) : otherwise;
}

/// A plan that writes nothing, an application that does what it says, and then nothing to do.
inline offline::RepairReport repair_and_compare(FaultEnv& env, const NodeStates& before) {
  const auto calls = env.calls();
  const auto plan = planned(env);
  INFO(text_of(plan));
  REQUIRE(env.calls() == calls);
  if (plan.loss() > 0) {
    const auto refused = applied(env, plan.loss() - 1);
    REQUIRE_FALSE(refused.applied);
    REQUIRE(env.calls() == calls);
  }
  const auto done = applied(env, plan.loss());
  REQUIRE(done.applied == !plan.actions.empty());
  REQUIRE(done.loss() == plan.loss());
  require_sound(env);
  const auto after = served(env);
  if (done.records.records == 0) {
    require_same_but_for(done, before, after);
  } else {
    require_prefix(done, before, after);
  }
  const auto then = env.calls();
  const auto again = applied(env, 0);
  INFO(text_of(again));
  REQUIRE(again.actions.empty());
  REQUIRE(env.calls() == then);
  return done;
}

/// Every file of the directory but LOCK, by path.
inline std::map<std::string, Bytes> files_in(Env& env, const std::string& directory = kDataDir) {
  std::map<std::string, Bytes> out;
  const auto entries = env.list(directory);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.type == FileType::kDirectory) {
      out.merge(files_in(env, path));
    } else if (entry.name != "LOCK") {
      auto bytes = read_file(env, path, 1u << 30);
      REQUIRE(bytes);
      out[path] = std::move(*bytes);
    }
  }
  return out;
}

}  // namespace vz::test
