// Which rows of a part a reader may see: alive at its lsn, and passing its filter.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/ids.h"

namespace vz::index {

/// The lsn at which each row of a part died; 0 means alive. One writer thread, any reader.
/// Memory: 32 KiB per 4,096 rows in which any row has died.
class DeadLsns {
 public:
  static constexpr std::uint32_t kChunkRows = 4096;

  explicit DeadLsns(std::uint32_t rows) : chunks_((rows + kChunkRows - 1) / kChunkRows) {}
  ~DeadLsns() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }
  DeadLsns(const DeadLsns&) = delete;
  DeadLsns& operator=(const DeadLsns&) = delete;

  /// Writer only. The first death of a row stays.
  void mark(std::uint32_t row, Lsn lsn) {
    auto& slot = chunks_[row / kChunkRows];
    Chunk* chunk = slot.load(std::memory_order_relaxed);
    if (chunk == nullptr) {
      chunk = new Chunk();
      slot.store(chunk, std::memory_order_release);
    }
    auto& value = (*chunk)[row % kChunkRows];
    if (value.load(std::memory_order_relaxed) != 0) return;
    value.store(lsn, std::memory_order_release);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  /// 0 while the row lives.
  [[nodiscard]] Lsn get(std::uint32_t row) const {
    const Chunk* chunk = chunks_[row / kChunkRows].load(std::memory_order_acquire);
    return chunk == nullptr ? 0 : (*chunk)[row % kChunkRows].load(std::memory_order_acquire);
  }
  [[nodiscard]] bool dead_at(std::uint32_t row, Lsn lsn) const {
    const Lsn died = get(row);
    return died != 0 && died <= lsn;
  }
  /// Rows that died, at any lsn.
  [[nodiscard]] std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t memory_bytes() const {
    std::uint64_t bytes = chunks_.size() * sizeof(chunks_[0]);
    for (const auto& chunk : chunks_)
      if (chunk.load(std::memory_order_relaxed) != nullptr) bytes += sizeof(Chunk);
    return bytes;
  }

 private:
  using Chunk = std::array<std::atomic<Lsn>, kChunkRows>;
  std::vector<std::atomic<Chunk*>> chunks_;
  std::atomic<std::uint32_t> count_{0};
};

/// A set of rows of one part, one bit each.
class RowSet {
 public:
  RowSet() = default;
  explicit RowSet(std::uint32_t rows) : rows_(rows), words_((rows + 63) / 64) {}

  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  [[nodiscard]] bool contains(std::uint32_t row) const {
    return (words_[row / 64] >> (row % 64) & 1u) != 0;
  }
  void insert(std::uint32_t row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void erase(std::uint32_t row) { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  /// The words of row `first`, a multiple of 64, and of those after it.
  [[nodiscard]] std::span<const std::uint64_t> words_from(std::uint32_t first) const {
    return std::span(words_).subspan(std::min<std::size_t>(first / 64, words_.size()));
  }
  [[nodiscard]] std::uint32_t count() const {
    std::uint32_t sum = 0;
    for (const std::uint64_t word : words_)
      sum += static_cast<std::uint32_t>(__builtin_popcountll(word));
    return sum;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }
  [[nodiscard]] std::vector<std::uint64_t>& words() { return words_; }

 private:
  std::uint32_t rows_ = 0;
  std::vector<std::uint64_t> words_;
};

/// Borrowed for one search.
struct RowFilter {
  const DeadLsns* dead = nullptr;   ///< nullptr: none died
  Lsn lsn = kLsnMax;                ///< a row is dead if it died at or below this
  const RowSet* allowed = nullptr;  ///< nullptr: all
  std::uint32_t allowed_count = 0;  ///< of `allowed`

  [[nodiscard]] bool passes(std::uint32_t row) const {
    return (allowed == nullptr || allowed->contains(row)) &&
           (dead == nullptr || !dead->dead_at(row, lsn));
  }
};

}  // namespace vz::index
