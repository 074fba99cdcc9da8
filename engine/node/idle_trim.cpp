#include "engine/node/idle_trim.h"

#include <chrono>
#include <cstdlib>

#include <malloc.h>

#include "storage/base/log.h"

namespace vz::node {
namespace {

/// From here on free() looks at the end of the arena (FASTBIN_CONSOLIDATION_THRESHOLD is half).
constexpr std::size_t kLargeBlockBytes = 128u << 10;

}  // namespace

void IdleTrim::return_own_heap() {
  void* volatile block = std::malloc(kLargeBlockBytes);  // Volatile: or the pair is left out.
  std::free(block);
}

void IdleTrim::trim(bool quiet) {
  const auto begin = std::chrono::steady_clock::now();
  if (quiet) {
    (void)mallopt(M_TRIM_THRESHOLD, kQuietThresholdBytes);
    threshold_low_ = true;
  }
  (void)malloc_trim(0);
  const auto took = std::chrono::steady_clock::now() - begin;
  LogEvent(LogLevel::kDebug, "memory_trimmed")
      .with("took_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

bool IdleTrim::poll(std::uint64_t work, std::int64_t now_ms) {
  if (work != work_ || changed_ms_ == 0) {
    work_ = work;
    changed_ms_ = now_ms;
    due_ = true;
    if (threshold_low_) (void)mallopt(M_TRIM_THRESHOLD, kBusyThresholdBytes);
    threshold_low_ = false;
  }
  if (trimmed_ms_ == 0) trimmed_ms_ = now_ms;
  const bool quiet = now_ms - changed_ms_ >= kQuietMs;
  if (!due_ || (!quiet && now_ms - trimmed_ms_ < kBusyMs)) return false;
  trim(quiet);
  trimmed_ms_ = now_ms;
  due_ = !quiet;  // Once more when it is.
  return true;
}

}  // namespace vz::node
