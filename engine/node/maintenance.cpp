#include "engine/node/maintenance.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace vz::node {
namespace {

using collection::LiveCollection;

/// Merges of one call: writes that never end would have it merge for ever.
constexpr int kMergesMax = 16;

CollectionSizes sizes_of(const LiveCollection& collection) {
  const auto stats = collection.stats();
  return {.points = stats.points,
          .deleted_points = stats.deleted_points,
          .indexed_points = stats.indexed_points,
          .segments = stats.segments,
          .size_bytes = stats.size_bytes};
}

std::shared_ptr<const collection::Catalog> catalog_of(const collection::Visibility& visibility) {
  MutexLock lock(visibility.mutex);
  return visibility.catalog;
}

Result<std::shared_ptr<LiveCollection>> find(const collection::Visibility& visibility,
                                             const std::string& name) {
  auto found = catalog_of(visibility)->find(name);
  if (found != nullptr) return found;
  return fail(ErrorCode::kNotFound, "collection '" + name + "' does not exist");
}

}  // namespace

/// One call while it runs: ended by its caller or by the node.
class Maintenance::Running {
 public:
  Running(Maintenance& of, const Watch& watch)
      : publisher_(of.publisher_),
        watch_(watch),
        guard_(of.gate_.enter()),
        by_caller_(watch.stop, Forward{both_}),
        by_node_(of.stop_.get_token(), Forward{both_}) {}

  /// To be asked before each step.
  [[nodiscard]] Status may_go_on() const {
    if (!guard_) return fail(ErrorCode::kUnavailable, "the node has stopped");
    if (both_.stop_requested()) return fail(ErrorCode::kCancelled, "stopped on request");
    if (publisher_.restore_pending())
      return fail(ErrorCode::kUnavailable,
                  "a snapshot is being restored here (RESTORE): ask again when it is done");
    return {};
  }
  [[nodiscard]] std::stop_token stop() const { return both_.get_token(); }
  void progress(double share) const { watch_.on_progress(share); }

 private:
  struct Forward {
    std::stop_source to;
    void operator()() { to.request_stop(); }
  };
  Publisher& publisher_;
  const Watch& watch_;
  std::stop_source both_;
  std::optional<runtime::Gate::Guard> guard_;
  std::stop_callback<Forward> by_caller_;
  std::stop_callback<Forward> by_node_;
};

Maintenance::Maintenance(log::Writer& writer, Publisher& publisher, Housekeeper& housekeeper,
                         std::shared_ptr<collection::Visibility> visibility)
    : writer_(writer),
      publisher_(publisher),
      housekeeper_(housekeeper),
      visibility_(std::move(visibility)) {}

void Maintenance::stop() {
  stop_.request_stop();
  gate_.close();
}

Status Maintenance::optimize_one(LiveCollection& collection, const Running& running) {
  VZ_TRY(running.may_go_on());
  writer_.run_between_groups(
      [&](const log::NodeState&) { collection.freeze(writer_.next_lsn() - 1); });
  for (bool more = true; more;) {
    VZ_TRY(running.may_go_on());
    VZ_TRY_ASSIGN(more, housekeeper_.seal_oldest(collection));
  }
  for (int merges = 0; merges < kMergesMax; ++merges) {
    VZ_TRY(running.may_go_on());
    VZ_TRY_ASSIGN(const bool merged, housekeeper_.merge_next(
                                         collection, collection::Activity::kAsked, running.stop()));
    if (!merged) break;
  }
  return {};
}

Result<CollectionChange> Maintenance::optimize(const std::string& name, const Watch& watch) {
  const Running running(*this, watch);
  VZ_TRY_ASSIGN(const auto live, find(*visibility_, name));
  CollectionChange change{.name = live->name(), .before = sizes_of(*live), .after = {}};
  VZ_TRY(optimize_one(*live, running));
  VZ_TRY(publisher_.remove_old_files(std::chrono::milliseconds(0)));
  change.after = sizes_of(*live);
  return change;
}

Result<CollectionChange> Maintenance::rebuild_index(const std::string& name, const Watch& watch) {
  const Running running(*this, watch);
  VZ_TRY_ASSIGN(const auto live, find(*visibility_, name));
  CollectionChange change{.name = live->name(), .before = sizes_of(*live), .after = {}};
  const auto parts = live->view().parts;
  std::size_t done = 0;
  for (const auto& part : parts->segments) {
    VZ_TRY(running.may_go_on());
    VZ_TRY(housekeeper_.rebuild_derived(*live, part, running.stop()));
    running.progress(static_cast<double>(++done) / static_cast<double>(parts->segments.size()));
  }
  VZ_TRY(publisher_.remove_old_files(std::chrono::milliseconds(0)));
  change.after = sizes_of(*live);
  return change;
}

Status Maintenance::rewrite_older(LiveCollection& collection, SegmentSeq than,
                                  const Running& running) {
  const auto parts = collection.view().parts;
  for (const auto& part : parts->segments) {
    if (part->seq() >= than || !part->damage().empty()) continue;  // Damage is repair's.
    VZ_TRY(running.may_go_on());
    VZ_TRY(housekeeper_.rewrite(collection, part, running.stop()));
  }
  return {};
}

Result<Compaction> Maintenance::compact(const Watch& watch) {
  const Running running(*this, watch);
  const SegmentSeq first_new = publisher_.next_seq();
  const auto catalog = catalog_of(*visibility_);  // Kept: the loop borrows from it.
  VZ_TRY_ASSIGN(const auto files_before, publisher_.data_files());
  Compaction done;
  for (const auto& [name, live] : catalog->collections) {
    CollectionChange& change = done.collections.emplace_back();
    change.name = name;
    change.before = sizes_of(*live);
    VZ_TRY(optimize_one(*live, running));
    VZ_TRY(rewrite_older(*live, first_new, running));
    change.after = sizes_of(*live);
    running.progress(static_cast<double>(done.collections.size()) /
                     static_cast<double>(catalog->collections.size()));
  }
  VZ_TRY(publisher_.remove_old_files(std::chrono::milliseconds(0)));
  VZ_TRY_ASSIGN(const auto files_after, publisher_.data_files());
  done.garbage = garbage_between(files_before, files_after);
  done.garbage.freed_bytes =
      done.garbage.bytes_before - std::min(done.garbage.bytes_before, done.garbage.bytes_after);
  return done;
}

Result<Garbage> Maintenance::collect_garbage(const Watch& watch) {
  const Running running(*this, watch);
  VZ_TRY(running.may_go_on());
  return housekeeper_.collect_garbage();
}

}  // namespace vz::node
