#include "engine/index/scan.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/index/shortlist.h"
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

/// The words of a filter are read once: the processor's own look-ahead ends with each page of them.
void fetch_words(std::span<const std::uint64_t> words) {
  constexpr std::size_t kLineWords = 8;
  for (std::size_t at = 0; at < words.size(); at += kLineWords) __builtin_prefetch(&words[at]);
}

/// Calls visit(rows) with batches of the rows that pass, ascending, of at most kBatchMax;
/// expect(row) comes before, while others are still looked for.
template <typename Expect, typename Visit>
void visit_passing(const RowFilter& filter, std::uint32_t row_count, SearchScratch& scratch,
                   const Expect& expect, const Visit& visit) {
  constexpr std::uint32_t kStep = SearchScratch::kLookedThrough, kWords = kStep / 64;
  constexpr std::uint32_t kWordsAhead = 4 * kWords;
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
  for (std::uint32_t first = 0; first < row_count; first += kStep) {
    const std::uint32_t count = std::min(kStep, row_count - first);
    if (filter.allowed == nullptr) {
      std::iota(batch + size, batch + size + count, first);
      size += count;
    } else {
      const auto rest = filter.allowed->words_from(first);
      const auto words = rest.first(std::min<std::size_t>(kWords, rest.size()));
      if (rest.size() >= kWordsAhead + kWords) fetch_words(rest.subspan(kWordsAhead, kWords));
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

/// The `wanted` best of `rows`, into scratch.best. Few rows, far from one another: each is fetched
/// as soon as its slot is known.
void take_best(const ColumnView& view, CodeComparison& compare, std::span<const std::uint32_t> rows,
               std::size_t wanted, SearchScratch& scratch) {
  scratch.mapped.clear();
  scratch.batch.clear();
  for (const std::uint32_t row : rows) {
    const std::uint32_t slot = view.slots[row];
    if (slot == kNone) continue;  // Only in a file that lies: it has no sketch either.
    if (scratch.mapped.size() < compare.rows_to_prefetch()) compare.prefetch(slot);
    scratch.mapped.push_back(slot);
    scratch.batch.push_back(row);
  }
  scratch.similarities.resize(scratch.mapped.size());
  compare(scratch.mapped, scratch.similarities);
  Best best(scratch.best, wanted);
  for (std::size_t i = 0; i < scratch.mapped.size(); ++i) {
    best.offer({scratch.similarities[i], scratch.batch[i]});
  }
  best.sort();
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
  scratch.sketch_query.assign(scratch.query);
  visit_passing(
      filter, static_cast<std::uint32_t>(view.slots.size()), scratch,
      [&](std::uint32_t row) { view.sketches.prefetch(row); },
      [&](std::span<const std::uint32_t> rows) {
        const auto ranks = std::span(scratch.similarities).first(rows.size());
        scratch.sketch_query.ranks_at(view.sketches, rows, ranks);
        shortlist.offer(ranks, rows);
      });
  take_best(view, compare, shortlist.finish(), wanted, scratch);
}

}  // namespace vz::index
