#include "engine/index/scan.h"

#include <algorithm>

namespace vz::index {
namespace {

/// Keeps the `wanted` best of what is offered in a heap with the worst on top.
class Best {
 public:
  Best(std::vector<Candidate>& heap, std::size_t wanted) : heap_(heap), wanted_(wanted) {
    heap_.clear();
  }
  void offer(const Candidate& candidate) {
    if (heap_.size() < wanted_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end(), precedes);
    } else if (precedes(candidate, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), precedes);
      heap_.back() = candidate;
      std::push_heap(heap_.begin(), heap_.end(), precedes);
    }
  }
  void sort() { std::sort_heap(heap_.begin(), heap_.end(), precedes); }

 private:
  std::vector<Candidate>& heap_;
  std::size_t wanted_;
};

template <typename Compare>
class Scan {
 public:
  Scan(const ColumnView& view, Compare& compare, const RowFilter& filter, std::size_t wanted,
       SearchScratch& scratch)
      : view_(view),
        compare_(compare),
        filter_(filter),
        scratch_(scratch),
        best_(scratch.best, wanted) {
    scratch_.batch.clear();
    scratch_.similarities.resize(SearchScratch::kBatch);
  }

  void run() {
    if (filter_.allowed != nullptr) {
      scan_allowed();
    } else {
      scan_slots();
    }
    flush();
    best_.sort();
  }

 private:
  /// In slot order: the codes lie one after another.
  void scan_slots() {
    const bool some_dead = filter_.dead != nullptr && filter_.dead->count() > 0;
    for (std::uint32_t slot = 0; slot < view_.slot_count; ++slot) {
      if (some_dead && filter_.dead->dead_at(view_.rows[slot], filter_.lsn)) continue;
      add(slot);
    }
  }

  /// In row order, over the set bits.
  void scan_allowed() {
    const auto& words = filter_.allowed->words();
    const bool some_dead = filter_.dead != nullptr && filter_.dead->count() > 0;
    const std::size_t word_count = std::min(words.size(), (view_.slots.size() + 63) / 64);
    for (std::size_t index = 0; index < word_count; ++index) {
      for (std::uint64_t word = words[index]; word != 0; word &= word - 1) {
        const auto row =
            static_cast<std::uint32_t>(index * 64 + static_cast<unsigned>(__builtin_ctzll(word)));
        if (row >= view_.slots.size()) return;
        const std::uint32_t slot = view_.slots[row];
        if (slot == kNone || (some_dead && filter_.dead->dead_at(row, filter_.lsn))) continue;
        add(slot);
      }
    }
  }

  void add(std::uint32_t slot) {
    scratch_.batch.push_back(slot);
    if (scratch_.batch.size() == SearchScratch::kBatch) flush();
  }

  void flush() {
    const std::size_t count = scratch_.batch.size();
    compare_(scratch_.batch, std::span(scratch_.similarities).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      best_.offer({scratch_.similarities[i], view_.rows[scratch_.batch[i]]});
    }
    scratch_.batch.clear();
  }

  const ColumnView& view_;
  Compare& compare_;
  const RowFilter& filter_;
  SearchScratch& scratch_;
  Best best_;
};

}  // namespace

void scan(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch) {
  Scan<CodeComparison>(view, compare, filter, wanted, scratch).run();
}
void scan(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch) {
  Scan<FloatComparison>(view, compare, filter, wanted, scratch).run();
}

}  // namespace vz::index
