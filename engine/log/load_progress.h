// How far the start of a node is.
#pragma once

#include <atomic>
#include <cstdint>

namespace vz::log {

/// Written by the thread that recovers, read by any. Each number only grows during one start.
struct LoadProgress {
  std::atomic<std::uint64_t> segments{0};  ///< opened
  std::atomic<std::uint64_t> segments_total{0};
  std::atomic<std::uint64_t> records{0};  ///< of the log, applied
  std::atomic<std::uint64_t> log_bytes{0};
  std::atomic<std::uint64_t> log_bytes_total{0};  ///< of the log's files: at least what is in them

  void reset() {
    for (auto* number : {&segments, &segments_total, &records, &log_bytes, &log_bytes_total})
      number->store(0, std::memory_order_relaxed);
  }
};

}  // namespace vz::log
