// The rows of a collection that are in the log but not yet in a segment.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/collection/part.h"
#include "engine/collection/row_hash.h"
#include "engine/vector/codes.h"
#include "storage/base/mutex.h"

namespace vz::collection {

/// Append-only: one writer thread, any number of readers, which see a row once `rows_` counts it.
/// Rows stand in chunks; a full chunk gets int8 codes of its own, so only the open chunk is
/// compared in float32.
class Memtable final : public Part {
 public:
  static constexpr std::size_t kChunksMax = 2048;

  explicit Memtable(std::shared_ptr<const CollectionDefinition> definition);
  ~Memtable() override;

  // Writer thread only.
  /// Copies the row in. The caller has marked the id's older row dead.
  void append(const PointId& id, Lsn lsn, std::uint64_t hash, std::span<const ColumnVector> vectors,
              std::string_view payload);
  /// Notes that `id` was deleted, so that a seal can write it down.
  void note_delete(const PointId& id, Lsn lsn);
  /// Half of the capacity is used: freeze before the next write, which may add as many rows again.
  [[nodiscard]] bool full() const { return rows_.load(std::memory_order_relaxed) > row_room(); }

  // Any thread, once frozen.
  [[nodiscard]] const std::vector<segment::Tombstone>& tombstones() const { return tombstones_; }

  // Any thread.
  /// Rows that one write may add at most.
  [[nodiscard]] std::uint32_t row_room() const { return row_capacity_ / 2; }
  [[nodiscard]] std::uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  /// Bytes of vectors and payloads.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// Memory that it takes: rows, codes, ids, deaths, and what was set aside for rows to come.
  [[nodiscard]] std::uint64_t memory_bytes() const {
    return sizeof *this + memory_bytes_.load(std::memory_order_relaxed) + dead_.memory_bytes();
  }

  [[nodiscard]] std::uint32_t rows_at(Lsn lsn) const override;
  [[nodiscard]] PointId id(std::uint32_t row) const override;
  [[nodiscard]] Lsn version(std::uint32_t row) const override;
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override;
  [[nodiscard]] std::optional<std::uint32_t> find(PointId id, Lsn lsn) const override;
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override;
  [[nodiscard]] const float* dense(std::size_t column, std::uint32_t row) const override;
  Result<std::string> payload(std::uint32_t row) const override;
  [[nodiscard]] std::string_view payload_text(std::uint32_t row) const;
  Result<index::RowSet> evaluate(const payload::Filter& filter, Lsn lsn,
                                 payload::EvaluateStats& stats) const override;
  Status candidates(std::size_t column, vector::Distance distance,
                    const index::CandidateRequest& request, std::vector<index::Candidate>& out,
                    index::CandidateStats& stats) const override;
  void rows_from(const std::optional<PointId>& from, Lsn lsn, const index::RowSet* allowed,
                 std::size_t limit, std::vector<std::uint32_t>& out) const override;
  [[nodiscard]] std::string damage() const override { return {}; }
  [[nodiscard]] const index::DeadLsns& dead() const override { return dead_; }
  index::DeadLsns& dead() override { return dead_; }

 private:
  static constexpr std::uint32_t kChunkRowsMax = 1024;
  struct Column;
  struct Row;
  struct Chunk;

  [[nodiscard]] const Chunk& chunk_of(std::uint32_t row) const {
    return *chunks_[row >> chunk_shift_].load(std::memory_order_acquire);
  }
  [[nodiscard]] const Row& row_at(std::uint32_t row) const;
  Chunk& open_chunk(std::uint32_t row);
  void store_vector(Chunk& chunk, std::uint32_t slot, const ColumnVector& vector);
  void count_written(Column& column, std::size_t slots, std::uint32_t dimension);
  void encode_chunk(Chunk& chunk);
  void note_memory(std::uint64_t bytes) {
    memory_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  const std::shared_ptr<const CollectionDefinition> definition_;
  const std::uint32_t chunk_shift_;  ///< log2 of rows a chunk; fewer for large vectors
  const std::uint32_t row_capacity_;
  index::DeadLsns dead_;
  std::array<std::atomic<Chunk*>, kChunksMax> chunks_{};
  std::atomic<std::uint32_t> rows_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> memory_bytes_{0};  ///< of the heap, but for dead_
  std::vector<segment::Tombstone> tombstones_;

  mutable Mutex ids_mutex_;
  /// Newest row of each id; older ones hang on Row::previous.
  boost::unordered_flat_map<PointId, std::uint32_t, PointIdHash> ids_ VZ_GUARDED_BY(ids_mutex_);
};

}  // namespace vz::collection
