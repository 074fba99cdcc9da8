// Seals, merges and rebuilds: each is files first, then one publish, then one swap in memory.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <vector>

#include "engine/collection/merge_plan.h"
#include "engine/node/publisher.h"

namespace vz::node {

struct HousekeeperOptions {
  unsigned index_threads = 2;
  /// Of the payloads of segments that are written from now on; 0: not compressed.
  std::function<int()> zstd_level = [] { return 1; };
};

/// Thread-safe: one seal and one merge or rebuild at a time; who comes second waits.
class Housekeeper {
 public:
  Housekeeper(store::Store& store, log::Writer& writer, Publisher& publisher,
              HousekeeperOptions options)
      : store_(store), writer_(writer), publisher_(publisher), options_(options) {}

  /// Writes the oldest frozen memtable of `collection` to a segment. False: there is none.
  /// Errors: kIoError, kNoSpace, kUnavailable (the log has failed): it stays frozen, try again.
  Result<bool> seal_oldest(collection::LiveCollection& collection);

  /// Freezes what is in memory and makes segments of it. Errors: as seal_oldest().
  Status seal_memory(collection::LiveCollection& collection);

  /// Does the next merge, rewrite or rebuild that the plan asks for. False: nothing to do.
  /// Errors: kCancelled, kCorruption, kIoError, kNoSpace: nothing has changed.
  Result<bool> merge_next(collection::LiveCollection& collection, collection::Activity activity,
                          std::stop_token stop);

  /// Writes a segment anew without its dead rows, as it would be written now: compression, graph
  /// and columns. False: it is not in service any more. Errors: as merge_next().
  Result<bool> rewrite(collection::LiveCollection& collection,
                       const std::shared_ptr<collection::SealedPart>& part, std::stop_token stop);
  /// The same with its derived files alone. The old ones serve until the new ones are there.
  Result<bool> rebuild_derived(collection::LiveCollection& collection,
                               const std::shared_ptr<collection::SealedPart>& part,
                               std::stop_token stop);
  /// Writes the file of its dead rows anew, as they are in memory. False: it is not in service any
  /// more. Errors: kIoError, kNoSpace, kUnavailable: nothing has changed.
  Result<bool> rewrite_deaths(collection::LiveCollection& collection,
                              const std::shared_ptr<collection::SealedPart>& part);
  /// Writes the living rows of `content`, which is of another directory, as the only segment of
  /// `arriving`, a collection of ours that has no name and no rows yet, and publishes it. Its files
  /// say that it is called `name`.
  /// Errors: as merge_next(), kCorruption also for rows that are not what `content` says.
  Status adopt(collection::LiveCollection& arriving, const std::string& name,
               const collection::LiveCollection& content, std::stop_token stop);
  /// Removes the data files that the image in force does not name; nothing is sealed or merged
  /// meanwhile. Errors: those of Publisher::collect_garbage().
  Result<Garbage> collect_garbage();

 private:
  using Segments = std::vector<std::shared_ptr<collection::SealedPart>>;

  /// Errors: kNoSpace, a copy of `inputs` may not fit.
  Status require_room(const Segments& inputs) const;
  Status merge(collection::LiveCollection& collection, const Segments& inputs, const Segments& all,
               std::stop_token stop) VZ_REQUIRES(merge_mutex_);
  Status rebuild(collection::LiveCollection& collection,
                 const std::shared_ptr<collection::SealedPart>& part, std::stop_token stop)
      VZ_REQUIRES(merge_mutex_);
  [[nodiscard]] bool derived_outdated(const collection::LiveCollection& collection,
                                      const collection::SealedPart& part) VZ_REQUIRES(merge_mutex_);
  using SegmentEdit = std::function<Status(Lsn flushed, manifest::SegmentEntry& segment)>;
  /// Publishes an image in which `edit` has changed the segment's entry; then `apply`, as
  /// Publisher::publish() has it. Errors: kInternal (the segment is not in the image), those of
  /// `edit` and of publish(): nothing has changed.
  Status publish_segment(const collection::LiveCollection& collection,
                         const collection::SealedPart& part, const SegmentEdit& edit,
                         const Publisher::Swap& apply) VZ_REQUIRES(merge_mutex_);
  Status write_deaths(const collection::LiveCollection& collection, Lsn as_of,
                      manifest::CollectionEntry& entry);
  /// What a write under these numbers may have left, as far as its name goes.
  static manifest::SegmentEntry unpublished(const collection::PartNumbers& numbers);
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
