#include "engine/index/scan.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/vector/kernels.h"

namespace vz::index {
namespace {

/// Keeps the `wanted` best of what is offered in a heap with the worst on top.
class Best {
 public:
  Best(std::vector<Candidate>& heap, std::size_t wanted) : heap_(heap), wanted_(wanted) {
    heap_.clear();
  }
  /// Whatever its row is.
  [[nodiscard]] bool refuses(float similarity) const {
    return heap_.size() == wanted_ && similarity < heap_.front().similarity;
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

/// Keeps the `size` best ranks of what is offered, and a few more.
class Shortlist {
 public:
  Shortlist(SearchScratch& scratch, std::size_t size)
      : ranks_(scratch.ranks), rows_(scratch.ranked_rows), size_(size) {
    const std::size_t room = room_ + SearchScratch::kBatchMax + vector::kKeptSlack;
    if (ranks_.size() < room) {
      ranks_.resize(room);
      rows_.resize(room);
    }
  }

  /// A rank that is not a number is no row's: it has no vector.
  void offer(std::span<const float> ranks, std::span<const std::uint32_t> rows) {
    kept_ += kernels_.keep_at_least(ranks.data(), rows.data(), ranks.size(), least_,
                                    ranks_.data() + kept_, rows_.data() + kept_);
    if (kept_ >= room_) cut();
  }
  /// The rows kept, ascending.
  std::span<const std::uint32_t> finish() {
    if (kept_ > size_ + spare()) cut();
    return {rows_.data(), kept_};
  }

 private:
  /// How many too many are fine.
  [[nodiscard]] std::size_t spare() const { return size_ / 8; }

  /// Halves the range of ranks until what lies above is few enough: each step is one pass without
  /// branches, where a selection by swaps mispredicts every other comparison.
  void cut() {
    auto [low, high] = range();
    for (;;) {
      const float middle = low / 2 + high / 2;
      if (!(low < middle && middle < high)) break;  // All between are equal.
      const std::size_t above = kernels_.count_at_least(ranks_.data(), kept_, middle);
      (above >= size_ ? low : high) = middle;
      if (above >= size_ && above <= size_ + spare()) break;
    }
    least_ = low;
    kept_ = kernels_.keep_at_least(ranks_.data(), rows_.data(), kept_, low, ranks_.data(),
                                   rows_.data());
    if (kept_ >= room_) kept_ = size_;
  }

  /// The least and the greatest of the ranks kept: those of each lane first, which the compiler
  /// turns into two instructions for all.
  [[nodiscard]] std::pair<float, float> range() const {
    constexpr std::size_t kLanes = 16;
    std::array<float, kLanes> low, high;
    low.fill(std::numeric_limits<float>::max());
    high.fill(std::numeric_limits<float>::lowest());
    std::size_t i = 0;
    for (; i + kLanes <= kept_; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const float rank = ranks_[i + lane];
        low[lane] = rank < low[lane] ? rank : low[lane];
        high[lane] = rank > high[lane] ? rank : high[lane];
      }
    }
    for (; i < kept_; ++i) {
      low[0] = std::min(low[0], ranks_[i]);
      high[0] = std::max(high[0], ranks_[i]);
    }
    return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end())};
  }

  const vector::Kernels& kernels_ = vector::kernels();
  std::vector<float>& ranks_;
  std::vector<std::uint32_t>& rows_;
  std::size_t size_;
  std::size_t room_ = std::max<std::size_t>(4 * size_, 4'096);
  std::size_t kept_ = 0;
  float least_ = std::numeric_limits<float>::lowest();
};

/// Calls visit(rows) with batches of the rows that pass, ascending, of at most kBatchMax;
/// expect(row) comes before, while others are still looked for.
template <typename Expect, typename Visit>
void visit_passing(const RowFilter& filter, std::uint32_t row_count, SearchScratch& scratch,
                   const Expect& expect, const Visit& visit) {
  constexpr std::uint32_t kWords = SearchScratch::kBatch / 64;
  const bool some_dead = filter.dead != nullptr && filter.dead->count() > 0;
  scratch.batch.resize(SearchScratch::kBatchMax + vector::kPlacesSlack);
  std::uint32_t* const batch = scratch.batch.data();
  std::size_t size = 0;
  const auto flush = [&] {
    std::uint32_t* end = batch + size;
    size = 0;
    if (some_dead) {
      end = std::remove_if(
          batch, end, [&](std::uint32_t row) { return filter.dead->dead_at(row, filter.lsn); });
    }
    if (end != batch) visit(std::span<const std::uint32_t>(batch, end));
  };
  for (std::uint32_t first = 0; first < row_count; first += SearchScratch::kBatch) {
    const std::uint32_t count = std::min<std::uint32_t>(SearchScratch::kBatch, row_count - first);
    if (filter.allowed == nullptr) {
      std::iota(batch + size, batch + size + count, first);
      size += count;
    } else {
      const auto rest = filter.allowed->words_from(first);
      const auto words = rest.first(std::min<std::size_t>(kWords, rest.size()));
      std::size_t found =
          vector::kernels().places_of_bits(words.data(), words.size(), first, batch + size);
      while (found > 0 && batch[size + found - 1] >= row_count) --found;  // Of the last word.
      for (const std::uint32_t row : std::span(batch + size, found)) expect(row);
      size += found;
    }
    if (size >= SearchScratch::kBatch) flush();
  }
  flush();
}

/// The slots of `rows` that have one.
std::span<const std::uint32_t> slots_of(const ColumnView& view, std::span<const std::uint32_t> rows,
                                        std::vector<std::uint32_t>& out) {
  out.clear();
  for (const std::uint32_t row : rows) {
    if (view.slots[row] != kNone) out.push_back(view.slots[row]);
  }
  return out;
}

/// Compares `slots` and offers them.
template <typename Compare>
void offer_slots(const ColumnView& view, Compare& compare, std::span<const std::uint32_t> slots,
                 std::vector<float>& similarities, Best& best) {
  similarities.resize(slots.size());
  const std::size_t ahead = std::min(compare.rows_to_prefetch(), slots.size());
  for (std::size_t i = 0; i < ahead; ++i) compare.prefetch(slots[i]);
  compare(slots, similarities);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (best.refuses(similarities[i])) continue;  // Before its row is looked up.
    best.offer({similarities[i], view.rows[slots[i]]});
  }
}

template <typename Compare>
void scan_all(const ColumnView& view, Compare& compare, const RowFilter& filter, std::size_t wanted,
              SearchScratch& scratch) {
  Best best(scratch.best, wanted);
  visit_passing(
      filter, static_cast<std::uint32_t>(view.slots.size()), scratch,
      [&](std::uint32_t row) { __builtin_prefetch(view.slots.data() + row); },
      [&](std::span<const std::uint32_t> rows) {
        offer_slots(view, compare, slots_of(view, rows, scratch.mapped), scratch.similarities,
                    best);
      });
  best.sort();
}

}  // namespace

void scan(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch) {
  scan_all(view, compare, filter, wanted, scratch);
}
void scan(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch) {
  scan_all(view, compare, filter, wanted, scratch);
}

void scan_sketches(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
                   std::size_t wanted, std::size_t shortlist_size, SearchScratch& scratch) {
  Shortlist shortlist(scratch, shortlist_size);
  scratch.similarities.resize(SearchScratch::kBatchMax);
  visit_passing(
      filter, static_cast<std::uint32_t>(view.slots.size()), scratch,
      [&](std::uint32_t row) { view.sketches.prefetch(row); },
      [&](std::span<const std::uint32_t> rows) {
        const auto ranks = std::span(scratch.similarities).first(rows.size());
        scratch.query.sketches_at(view.sketches, rows, ranks);
        shortlist.offer(ranks, rows);
      });
  Best best(scratch.best, wanted);
  offer_slots(view, compare, slots_of(view, shortlist.finish(), scratch.mapped),
              scratch.similarities, best);
  best.sort();
}

}  // namespace vz::index
