// Seals, merges and rebuilds: each is files first, then one publish, then one swap in memory.
#pragma once

#include <map>
#include <stop_token>
#include <vector>

#include "engine/collection/merge_plan.h"
#include "engine/node/publisher.h"

namespace vz::node {

struct HousekeeperOptions {
  unsigned index_threads = 2;
};

/// Two threads may use it: one that seals, one that merges; each kind runs once at a time.
class Housekeeper {
 public:
  Housekeeper(store::Store& store, log::Writer& writer, Publisher& publisher,
              HousekeeperOptions options)
      : store_(store), writer_(writer), publisher_(publisher), options_(options) {}

  /// Writes the oldest frozen memtable of `collection` to a segment. False: there is none.
  /// Errors: kIoError, kNoSpace, kUnavailable (the log has failed): it stays frozen, try again.
  Result<bool> seal_oldest(collection::LiveCollection& collection);

  /// Does the next merge, rewrite or rebuild that the plan asks for. False: nothing to do.
  /// Errors: kCancelled, kCorruption, kIoError, kNoSpace: nothing has changed.
  Result<bool> merge_next(collection::LiveCollection& collection, collection::Activity activity,
                          std::stop_token stop);

 private:
  using Segments = std::vector<std::shared_ptr<collection::SealedPart>>;

  /// Errors: kNoSpace, a copy of `inputs` may not fit.
  Status require_room(const Segments& inputs) const;
  Status merge(collection::LiveCollection& collection, const Segments& inputs, const Segments& all,
               std::stop_token stop);
  Status rebuild(collection::LiveCollection& collection,
                 const std::shared_ptr<collection::SealedPart>& part, std::stop_token stop);
  [[nodiscard]] bool derived_outdated(const collection::LiveCollection& collection,
                                      const collection::SealedPart& part);
  Status write_deaths(const collection::LiveCollection& collection, Lsn as_of,
                      manifest::CollectionEntry& entry);
  void discard(CollectionId collection, const manifest::SegmentEntry& entry);

  store::Store& store_;
  log::Writer& writer_;
  Publisher& publisher_;
  const HousekeeperOptions options_;

  Mutex seal_mutex_;
  Mutex merge_mutex_;
  /// The declared fields that a segment's columns were last built for, so that a rebuild that
  /// brings nothing is not tried again.
  std::map<SegmentSeq, std::vector<payload::DeclaredField>> built_for_ VZ_GUARDED_BY(merge_mutex_);
};

}  // namespace vz::node
