// What an operator may ask of a running node: collections as good as they get, indexes and data
// written anew, and files that nobody needs gone. Searches and writes go on meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/node/housekeeper.h"
#include "engine/node/integrity_report.h"
#include "engine/runtime/gate.h"

namespace vz::node {

/// How a call is watched and ended.
struct Watch {
  std::stop_token stop = {};
  std::function<void(double share)> on_progress = [](double) {};  ///< 0 .. 1
};

struct CollectionSizes {
  std::uint64_t points = 0;
  std::uint64_t deleted_points = 0;
  std::uint64_t indexed_points = 0;
  std::uint64_t segments = 0;
  std::uint64_t size_bytes = 0;
};
struct CollectionChange {
  std::string name;
  CollectionSizes before;
  CollectionSizes after;
};

struct Compaction {
  std::vector<CollectionChange> collections;
  Garbage garbage;  ///< freed_bytes: by how much all files together have shrunk
};

/// Thread-safe. Every call blocks, and works a step (one seal, merge or rebuild) at a time.
/// Errors of all: kNotFound (no such collection), kCancelled (`stop`, or the node ends),
/// kUnavailable (a restore is pending; the log has failed; the node has stopped), kCorruption,
/// kIoError, kNoSpace. The steps done before stand; the one that failed changed nothing.
class Maintenance {
 public:
  Maintenance(store::Store& store, log::Writer& writer, Publisher& publisher,
              Housekeeper& housekeeper, std::shared_ptr<collection::Visibility> visibility);

  /// Seals what is in memory; merges and indexes what has no graph or has dead rows.
  Result<CollectionChange> optimize(const std::string& collection, const Watch& watch);
  /// Builds the derived files of every segment anew: graphs, codes, columns.
  Result<CollectionChange> rebuild_index(const std::string& collection, const Watch& watch);
  /// optimize() of all collections; then writes every segment that is older than the call anew, so
  /// that all have the present compression.
  Result<Compaction> compact(const Watch& watch);
  Result<Garbage> collect_garbage(const Watch& watch);
  /// Reads the files of the node again, mends what can be made again, and takes what cannot out of
  /// service (engine/node/integrity_check.h). on_report: what is known so far, now and then.
  Result<IntegrityReport> check_integrity(const IntegrityRequest& request, const Watch& watch,
                                          const OnIntegrityReport& on_report);
  /// Makes a copy of `content`, which is of no node, the collection `name`, with its definition.
  /// Whoever has the name is dropped in the same moment, and its aliases lead to the new one; till
  /// then it serves. Its graphs are built before that. Returns the moment's lsn.
  /// Errors beside those of all: kInvalidArgument (name), kAlreadyExists (an alias), kTooLarge (as
  /// many collections as may be): the collection that is there stays as it is.
  /// check_place() tells the first two before anything is done for it.
  Status check_place(const std::string& name) const;
  Result<Lsn> replace_collection(const std::string& name, const collection::LiveCollection& content,
                                 const Watch& watch);
  /// Indexes that checks have found damaged. Any thread.
  [[nodiscard]] std::uint64_t damaged_indexes() const {
    return damaged_indexes_.load(std::memory_order_relaxed);
  }

  /// Ends what runs at its next safe point, waits for it, and lets nothing begin. Idempotent.
  void stop();

 private:
  class Running;
  Status optimize_one(collection::LiveCollection& collection, const Running& running);
  void abandon(CollectionId arriving, const Running& running);
  Status rewrite_older(collection::LiveCollection& collection, SegmentSeq than,
                       const Running& running);

  store::Store& store_;
  log::Writer& writer_;
  Publisher& publisher_;
  Housekeeper& housekeeper_;
  const std::shared_ptr<collection::Visibility> visibility_;
  std::stop_source stop_;
  runtime::Gate gate_;
  std::atomic<std::uint64_t> damaged_indexes_{0};
};

}  // namespace vz::node
