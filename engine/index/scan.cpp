#include "engine/index/scan.h"

#include <algorithm>
#include <limits>
#include <utility>

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

/// Keeps at least the `size` best ranks of what is offered, and fewer than twice as many: cheaper
/// than a heap where most offers are refused.
class Shortlist {
 public:
  Shortlist(std::vector<Found>& kept, std::size_t size) : kept_(kept), size_(size) {
    kept_.clear();
  }
  void offer(float rank, std::uint32_t row) {
    if (!(rank >= threshold_)) return;  // Not a number: the row has no vector.
    kept_.push_back({rank, row});
    if (kept_.size() >= 2 * size_) cut();
  }
  void finish() {
    if (kept_.size() > size_) cut();
  }

 private:
  void cut() {
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(size_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end(), better);
    threshold_ = last->similarity;
    kept_.resize(size_);
  }

  std::vector<Found>& kept_;
  std::size_t size_;
  float threshold_ = std::numeric_limits<float>::lowest();
};

/// Calls visit(rows) with batches of the rows that pass, ascending.
template <typename Visit>
void visit_passing(const RowFilter& filter, std::uint32_t row_count, SearchScratch& scratch,
                   const Visit& visit) {
  const bool some_dead = filter.dead != nullptr && filter.dead->count() > 0;
  scratch.batch.resize(SearchScratch::kBatch);
  std::uint32_t* const batch = scratch.batch.data();
  std::size_t size = 0;
  const auto add = [&](std::uint32_t row) {
    if (some_dead && filter.dead->dead_at(row, filter.lsn)) return;
    batch[size++] = row;
    if (size < SearchScratch::kBatch) return;
    visit(std::span<const std::uint32_t>(batch, size));
    size = 0;
  };
  if (filter.allowed == nullptr) {
    for (std::uint32_t row = 0; row < row_count; ++row) add(row);
  } else {
    const auto& words = filter.allowed->words();
    const std::size_t word_count = std::min<std::size_t>(words.size(), (row_count + 63) / 64);
    for (std::size_t index = 0; index < word_count; ++index) {
      for (std::uint64_t word = words[index]; word != 0; word &= word - 1) {
        const auto row =
            static_cast<std::uint32_t>(index * 64 + static_cast<unsigned>(__builtin_ctzll(word)));
        if (row < row_count) add(row);
      }
    }
  }
  if (size > 0) visit(std::span<const std::uint32_t>(batch, size));
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
  scratch.similarities.resize(SearchScratch::kBatch);
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
