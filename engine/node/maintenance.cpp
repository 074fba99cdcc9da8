#include "engine/node/maintenance.h"

#include <algorithm>
#include <chrono>

#include "engine/node/maintenance_running.h"

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

Result<std::shared_ptr<LiveCollection>> find(const collection::Visibility& visibility,
                                             const std::string& name) {
  auto found = catalog_of(visibility)->find(name);
  if (found != nullptr) return found;
  return fail(ErrorCode::kNotFound, "collection '" + name + "' does not exist");
}

}  // namespace

Maintenance::Maintenance(store::Store& store, log::Writer& writer, Publisher& publisher,
                         Housekeeper& housekeeper,
                         std::shared_ptr<collection::Visibility> visibility)
    : store_(store),
      writer_(writer),
      publisher_(publisher),
      housekeeper_(housekeeper),
      visibility_(std::move(visibility)) {}

void Maintenance::stop() {
  stop_.request_stop();
  gate_.close();
}

Status Maintenance::optimize_one(LiveCollection& collection, const Running& running) {
  VZ_TRY(running.may_go_on());
  VZ_TRY(housekeeper_.seal_memory(collection));
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
