// The best `wanted` candidates of a scan.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/index/index_file.h"

namespace vz::collection {

/// Keeps the `wanted` largest similarities; of equal ones the lower row. Not thread-safe.
class TopCandidates {
 public:
  explicit TopCandidates(std::size_t wanted) : wanted_(wanted) {}

  void offer(index::Candidate candidate) {
    if (wanted_ == 0) return;
    if (heap_.size() < wanted_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end(), better);
    } else if (better(candidate, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.back() = candidate;
      std::push_heap(heap_.begin(), heap_.end(), better);
    }
  }
  /// Appends them, best first, and empties this.
  void append_to(std::vector<index::Candidate>& out) {
    std::sort_heap(heap_.begin(), heap_.end(), better);
    out.insert(out.end(), heap_.begin(), heap_.end());
    heap_.clear();
  }

 private:
  static bool better(const index::Candidate& a, const index::Candidate& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
  }

  std::size_t wanted_;
  std::vector<index::Candidate> heap_;  ///< worst first
};

}  // namespace vz::collection
