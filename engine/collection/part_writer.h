// Writing the files of a segment: rows, index, columns, deaths.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/collection/live_collection.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::collection {

/// Where the files go. Numbers are never used again, whether the write succeeds or not.
struct PartNumbers {
  Epoch epoch = 0;
  SegmentSeq seq = 0;
  std::uint64_t index = 0;
  std::uint64_t fields = 0;
};
struct PartWriteOptions {
  index::GraphPolicy graph = index::GraphPolicy::kBySize;
  unsigned threads = 1;
  std::stop_token stop = {};
  int zstd_level = 1;
};

/// What a segment is written from: a memtable or other segments.
struct PartContent {
  const segment::RowSource& rows;
  std::vector<segment::Tombstone> tombstones;  ///< sorted by id
  std::vector<SegmentSeq> replaces;
};

/// Writes .seg, .index and .fields below paths.collections(), which is there. All are durable when
/// it returns; no manifest names them yet.
/// Errors: those of the rows, kCancelled, kIoError, kNoSpace; leftovers are removed at the next
/// start.
Result<manifest::SegmentEntry> write_part(Env& env, const store::Paths& paths,
                                          const LiveCollection& collection, PartContent content,
                                          const PartNumbers& numbers,
                                          const PartWriteOptions& options);

/// Writes the .index (options: graph, threads, stop) or the .fields of a segment under this number.
/// Durable when they return; no manifest names the file yet.
/// Errors: kCorruption (the segment), kCancelled, kIoError, kNoSpace; nothing is published.
Result<manifest::VersionedFile> write_index(Env& env, const store::Paths& paths,
                                            const CollectionDefinition& definition,
                                            const segment::Segment& segment, std::uint64_t number,
                                            const PartWriteOptions& options);
Result<manifest::VersionedFile> write_fields(Env& env, const store::Paths& paths,
                                             const CollectionDefinition& definition,
                                             const segment::Segment& segment, std::uint64_t number);

/// Writes .index and .fields of a segment anew. `entry` is what the manifest says of it now.
Result<manifest::SegmentEntry> rebuild_derived(Env& env, const store::Paths& paths,
                                               const LiveCollection& collection,
                                               const SealedPart& part, manifest::SegmentEntry entry,
                                               const PartNumbers& numbers,
                                               const PartWriteOptions& options);

/// Rows of a part that died at or below `as_of`, ascending.
std::vector<std::uint32_t> dead_rows(const Part& part, std::uint32_t rows, Lsn as_of);

/// Writes the .dead file with exactly `rows` and puts it into `entry`; no file for no rows.
Status write_dead(store::Store& store, CollectionId collection, std::vector<std::uint32_t> rows,
                  Lsn as_of, std::uint64_t number, manifest::SegmentEntry& entry);

/// The rows of a frozen memtable that live at its flushed lsn, by id.
class MemtableRows final : public segment::RowSource {
 public:
  explicit MemtableRows(const FrozenMemtable& frozen);
  /// Row i of the segment is row order()[i] of the memtable.
  [[nodiscard]] const std::vector<std::uint32_t>& order() const { return order_; }
  /// Its deletes of ids that do not live again, newest of each id, sorted.
  [[nodiscard]] std::vector<segment::Tombstone> tombstones() const;

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(order_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return table_.id(order_[row]); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override {
    return table_.version(order_[row]);
  }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override {
    return table_.row_hash(order_[row]);
  }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    return table_.vector(column, order_[row]);
  }
  Result<std::string_view> payload(std::uint32_t row) const override {
    return table_.payload_text(order_[row]);
  }

 private:
  const Memtable& table_;
  const Lsn flushed_lsn_;
  std::vector<std::uint32_t> order_;
};

/// The rows of several segments that lived at `as_of`, merged by id.
class MergedRows final : public segment::RowSource {
 public:
  /// Errors: kCorruption of an input.
  static Result<MergedRows> make(std::span<const std::shared_ptr<SealedPart>> inputs, Lsn as_of);
  [[nodiscard]] const std::vector<LiveCollection::MergedRow>& sources() const { return sources_; }

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(sources_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override {
    return part(row).id(sources_[row].row);
  }
  [[nodiscard]] Lsn version(std::uint32_t row) const override {
    return part(row).version(sources_[row].row);
  }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override {
    return part(row).row_hash(sources_[row].row);
  }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    return part(row).vector(column, sources_[row].row);
  }
  Result<std::string_view> payload(std::uint32_t row) const override;

 private:
  explicit MergedRows(std::span<const std::shared_ptr<SealedPart>> inputs)
      : inputs_(inputs.begin(), inputs.end()) {}
  [[nodiscard]] const SealedPart& part(std::uint32_t row) const {
    return *inputs_[sources_[row].input];
  }

  std::vector<std::shared_ptr<SealedPart>> inputs_;
  std::vector<LiveCollection::MergedRow> sources_;
  mutable std::string payload_;
};

/// Tombstones that the merged segment must carry on: those of the inputs whose id did not live
/// again in them, while some other segment has rows older than the delete.
std::vector<segment::Tombstone> merged_tombstones(
    std::span<const std::shared_ptr<SealedPart>> inputs,
    std::span<const std::shared_ptr<SealedPart>> all, const MergedRows& rows);

}  // namespace vz::collection
