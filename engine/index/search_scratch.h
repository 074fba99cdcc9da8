// Memory that a search reuses: after warm-up it allocates nothing. Internal to engine/index.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/index/index_file.h"
#include "engine/vector/codes.h"

namespace vz::index {

/// Slots that a walk has seen. A bit each, so that 100,000 slots stay in the first cache; only what
/// was set is cleared again.
class VisitedSet {
 public:
  /// Makes room for slots below `slot_count`; forgets nothing, so clear() before.
  void reserve(std::uint32_t slot_count) {
    if (words_.size() * 64 < slot_count) words_.resize((std::size_t{slot_count} + 63) / 64);
  }
  /// False if the slot was there already.
  bool insert(std::uint32_t slot) {
    std::uint64_t& word = words_[slot / 64];
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    set_.push_back(slot);
    return true;
  }
  void clear() {
    for (const std::uint32_t slot : set_) words_[slot / 64] = 0;
    set_.clear();
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> set_;
};

/// A slot that a search has compared.
struct Found {
  float similarity = 0;
  std::uint32_t slot = 0;  ///< in a pool, the highest bit says that it was expanded
};

inline bool better(const Found& a, const Found& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.slot < b.slot);
}

struct SearchScratch {
  static constexpr std::uint32_t kBatch = 512;            ///< rows that a scan compares at once
  static constexpr std::uint32_t kLookedThrough = 4'096;  ///< and looks for them among so many
  static constexpr std::uint32_t kBatchMax = kBatch + kLookedThrough;

  VisitedSet visited;
  std::vector<Found> pool;      ///< best first
  std::vector<Found> frontier;  ///< heap
  std::vector<Candidate> best;  ///< heap, worst first
  std::vector<std::uint32_t> batch;
  std::vector<std::uint32_t> mapped;  ///< a batch as upper nodes, or as slots of rows
  std::vector<float> similarities;
  std::vector<float> ranks;                ///< of a shortlist
  std::vector<std::uint32_t> ranked_rows;  ///< likewise
  vector::CodedQuery query;
  vector::SketchQuery sketch_query;
};

/// The scratch of the calling thread. One search at a time uses it.
SearchScratch& search_scratch();

}  // namespace vz::index
