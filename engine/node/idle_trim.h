// Freed memory goes back to the kernel once the node is quiet.
#pragma once

#include <cstdint>

namespace vz::node {

/// Why: request bodies, memtables and builds leave the heap full of free blocks, several times what
/// a small node needs. Not while the node works: the blocks are about to be used again, and a trim
/// holds each arena's lock.
/// How: malloc_trim returns what is free inside the arenas. What is free at an arena's end only a
/// large free() in it returns, if it is above M_TRIM_THRESHOLD: that is low while the node is
/// quiet, and return_own_heap() makes such a free(). Arenas of io threads wait for a request.
/// Not thread-safe, except return_own_heap().
class IdleTrim {
 public:
  static constexpr std::int64_t kQuietMs = 1'000;
  static constexpr std::int64_t kBusyMs = 60'000;  ///< a node that is never quiet trims so often
  static constexpr int kBusyThresholdBytes = 64 << 20;
  static constexpr int kQuietThresholdBytes = 256 << 10;

  /// To be called a few times a second. `work` is any number that changes when something was done.
  /// True if it trimmed.
  bool poll(std::uint64_t work, std::int64_t now_ms);
  /// For the arena of the calling thread. Cheap when there is nothing to return.
  static void return_own_heap();

 private:
  void trim(bool quiet);

  std::uint64_t work_ = 0;
  std::int64_t changed_ms_ = 0;  ///< when `work` was last seen to change
  std::int64_t trimmed_ms_ = 0;
  bool due_ = true;  ///< a start frees what recovery used
  bool threshold_low_ = false;
};

}  // namespace vz::node
