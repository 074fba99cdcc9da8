#include "engine/index/scan.h"

#include <algorithm>
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

/// Keeps at least the `size` best ranks of what is offered, and fewer than four times as many:
/// cheaper than a heap where most offers are refused.
class Shortlist {
 public:
  Shortlist(std::vector<Found>& kept, std::size_t size) : kept_(kept), size_(size) {
    kept_.clear();
  }
  void offer(float rank, std::uint32_t row) {
    if (!(rank >= threshold_)) return;  // Not a number: the row has no vector.
    kept_.push_back({rank, row});
    if (kept_.size() >= 4 * size_) cut();
  }
  void finish() {
    if (kept_.size() > size_) cut();
  }

 private:
  void cut() {
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(size_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end(), [](const Found& a, const Found& b) {
      return a.similarity > b.similarity;
    });
    threshold_ = last->similarity;
    kept_.resize(size_);
  }

  std::vector<Found>& kept_;
  std::size_t size_;
  float threshold_ = std::numeric_limits<float>::lowest();
};

/// Calls visit(rows) with batches of the rows that pass, ascending, of at most kBatchMax.
template <typename Visit>
void visit_passing(const RowFilter& filter, std::uint32_t row_count, SearchScratch& scratch,
                   const Visit& visit) {
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
      size += vector::kernels().places_of_bits(words.data(), words.size(), first, batch + size);
      while (size > 0 && batch[size - 1] >= row_count) --size;  // Of the last word.
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
  compare(slots, similarities);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    best.offer({similarities[i], view.rows[slots[i]]});
  }
}

template <typename Compare>
void scan_all(const ColumnView& view, Compare& compare, const RowFilter& filter, std::size_t wanted,
              SearchScratch& scratch) {
  Best best(scratch.best, wanted);
  visit_passing(filter, static_cast<std::uint32_t>(view.slots.size()), scratch,
                [&](std::span<const std::uint32_t> rows) {
                  offer_slots(view, compare, slots_of(view, rows, scratch.mapped),
                              scratch.similarities, best);
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
  Shortlist shortlist(scratch.pool, shortlist_size);
  scratch.similarities.resize(SearchScratch::kBatchMax);
  visit_passing(filter, static_cast<std::uint32_t>(view.slots.size()), scratch,
                [&](std::span<const std::uint32_t> rows) {
                  const auto ranks = std::span(scratch.similarities).first(rows.size());
                  scratch.query.sketches_at(view.sketches, rows, ranks);
                  for (std::size_t i = 0; i < rows.size(); ++i) shortlist.offer(ranks[i], rows[i]);
                });
  shortlist.finish();

  Best best(scratch.best, wanted);
  auto& slots = scratch.mapped;
  slots.clear();
  for (const Found& found : scratch.pool) slots.push_back(view.slots[found.slot]);
  std::sort(slots.begin(), slots.end());  // As they lie in memory.
  offer_slots(view, compare, slots, scratch.similarities, best);
  best.sort();
}

}  // namespace vz::index
