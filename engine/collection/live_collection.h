// A collection in memory: its parts, the changes that the writer makes, and the reads.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/collection/collection.h"
#include "engine/collection/memtable.h"
#include "engine/collection/sealed_part.h"
#include "engine/collection/visibility.h"
#include "engine/runtime/histogram.h"

namespace vz::collection {

/// A frozen memtable with the state of the collection at the moment it was frozen.
struct FrozenMemtable {
  std::shared_ptr<Memtable> memtable;
  Lsn first_lsn = 0;    ///< of its records
  Lsn flushed_lsn = 0;  ///< every record up to here is in it or in older parts
  std::uint64_t points = 0;
  std::uint64_t digest = 0;
  std::int64_t updated_at_us = 0;
};

/// All parts, oldest first. Immutable; replaced whole.
struct Parts {
  std::vector<std::shared_ptr<SealedPart>> segments;
  std::vector<FrozenMemtable> frozen;
  std::shared_ptr<Memtable> active;

  /// Newest first: where a live row is most likely.
  template <typename Function>
  void for_each(Function&& function) const {
    function(*active);
    for (auto at = frozen.rbegin(); at != frozen.rend(); ++at) function(*at->memtable);
    for (auto at = segments.rbegin(); at != segments.rend(); ++at) function(**at);
  }
};

/// What a reader works on: after taking it, no lock and no pointer back.
struct View {
  std::shared_ptr<const Parts> parts;
  Lsn lsn = 0;
};

/// A row that lives now, for the writer.
struct RowLocation {
  Part* part = nullptr;
  std::uint32_t row = 0;
};

class LiveCollection final : public Reader {
 public:
  struct Start {
    CollectionId id = 0;
    std::string name;
    std::shared_ptr<const CollectionDefinition> definition;
    std::int64_t created_at_us = 0;
    std::int64_t updated_at_us = 0;
    Lsn flushed_lsn = 0;
    std::uint64_t points = 0;
    std::uint64_t digest = 0;
    std::vector<std::shared_ptr<SealedPart>> segments;
  };
  LiveCollection(std::shared_ptr<Visibility> visibility, Start start);

  // Writer thread only ------------------------------------------------------------------------
  /// The row of `id` that lives now, whatever readers see yet.
  [[nodiscard]] std::optional<RowLocation> find_live(const PointId& id) const;
  /// Ids of the rows that live now and pass, at most `limit` + 1 of them.
  Result<std::vector<PointId>> find_matching(const payload::Filter& filter,
                                             std::size_t limit) const;
  void put(const PointId& id, Lsn lsn, std::span<const ColumnVector> vectors,
           std::string_view payload);
  /// False if it did not live.
  bool erase(const PointId& id, Lsn lsn);
  void touched(Lsn lsn, std::int64_t time_us);
  void define(Lsn lsn, std::shared_ptr<const CollectionDefinition> definition);
  [[nodiscard]] const Memtable& active() const;
  [[nodiscard]] std::size_t frozen_count() const { return parts_->frozen.size(); }
  /// Moves the active memtable to the frozen ones, as of `lsn`. False if nothing has changed since
  /// the last time.
  bool freeze(Lsn lsn);
  /// Replaces the oldest frozen memtable by the segment made of it (null if it held no row), whose
  /// row i is its row order[i]; deaths since are carried over.
  void replace_frozen(std::shared_ptr<SealedPart> segment, std::span<const std::uint32_t> order);
  /// Replaces segments by the one they were merged into (null if no row was left).
  /// `sources[i]` is where row i came from.
  struct MergedRow {
    std::uint32_t input = 0;
    std::uint32_t row = 0;
  };
  void replace_segments(std::span<const std::shared_ptr<SealedPart>> inputs,
                        std::shared_ptr<SealedPart> output, std::span<const MergedRow> sources);
  /// The first and only content of a collection that arrives: it has none before. part: null if
  /// it has no row. Writer thread.
  void attach(std::shared_ptr<SealedPart> part, std::uint64_t points, std::uint64_t digest);
  /// Of one that has arrived, once: its name was "". Before readers can see it.
  void give_name(std::string name);
  void mark_dropped() { dropped_.store(true, std::memory_order_release); }

  // Any thread --------------------------------------------------------------------------------
  [[nodiscard]] View view() const;
  /// A part answers otherwise from now on: it got another index or other columns, which may find
  /// other rows, or it went out of service.
  void part_changed();
  [[nodiscard]] bool dropped() const { return dropped_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t digest() const { return digest_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t created_at_us() const { return created_at_us_; }
  /// Lsn of the oldest record that will be in no segment once everything up to `flushed` is sealed;
  /// 0 if there is none.
  [[nodiscard]] Lsn first_unflushed_lsn(Lsn flushed) const;
  /// Steady-clock time of the last write, for "quiet for 2 s".
  [[nodiscard]] std::int64_t last_write_ns() const {
    return last_write_ns_.load(std::memory_order_relaxed);
  }

  // Reader
  [[nodiscard]] CollectionId id() const override { return id_; }
  /// "" while it arrives (storage/format/catalog_record.h).
  [[nodiscard]] const std::string& name() const override {
    return *shown_name_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::shared_ptr<const CollectionDefinition> definition() const override {
    return definition_.load();
  }
  [[nodiscard]] std::optional<ContentVersion> content_version() const override;
  Result<SearchOutcome> search(const SearchRequest& request) const override;
  Result<std::vector<Record>> get(std::span<const PointId> ids,
                                  const PointSelection& selection) const override;
  Result<ScrollOutcome> scroll(const ScrollRequest& request) const override;
  Result<std::uint64_t> count(const payload::Filter& filter) const override;
  [[nodiscard]] CollectionStats stats() const override;
  [[nodiscard]] SearchNumbers search_numbers() const override;
  [[nodiscard]] std::vector<std::uint64_t> field_counts() const override;

 private:
  void set_parts(std::shared_ptr<const Parts> parts);
  void kill(const RowLocation& location, Lsn lsn);
  Result<SearchOutcome> find_nearest(const SearchRequest& request) const;

  const std::shared_ptr<Visibility> visibility_;
  const std::uint64_t instance_;  ///< no other object of this process has it
  const CollectionId id_;
  const std::string first_name_;
  std::string given_name_;  ///< constant once shown_name_ points at it
  std::atomic<const std::string*> shown_name_;
  const std::int64_t created_at_us_;
  Published<CollectionDefinition> definition_;
  // Written under visibility_->mutex by the writer.
  std::shared_ptr<const Parts> parts_;
  std::uint64_t layout_ = 0;  ///< changes of the parts and of what is derived from them

  // Written by the writer thread, read by any.
  std::atomic<std::int64_t> updated_at_us_;
  std::atomic<std::int64_t> last_write_ns_{0};
  std::atomic<std::uint64_t> points_;
  std::atomic<std::uint64_t> digest_;
  std::atomic<Lsn> active_first_lsn_{0};  ///< 0: the active memtable is untouched
  std::atomic<Lsn> written_lsn_{0};       ///< of its newest record; 0: none since the start
  std::atomic<bool> dropped_{false};

  // Written by readers.
  mutable runtime::Histogram search_latency_;  ///< of searches that were answered
  mutable std::atomic<std::uint64_t> failed_searches_{0};
  mutable std::atomic<std::uint64_t> evaluations_{0};
};

}  // namespace vz::collection
