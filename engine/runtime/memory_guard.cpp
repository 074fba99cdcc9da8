#include "engine/runtime/memory_guard.h"

#include <string>
#include <utility>

#include "engine/runtime/process_numbers.h"

namespace vz::runtime {

MemoryGuard::MemoryGuard(Options options)
    : options_(std::move(options)),
      limit_bytes_(options_.limit_bytes != 0 ? options_.limit_bytes : memory_limit_bytes()) {}

std::uint64_t MemoryGuard::usage_bytes() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now_ns = std::chrono::nanoseconds(now).count();
  std::int64_t due = next_look_ns_.load(std::memory_order_acquire);
  const std::int64_t next = now_ns + std::chrono::nanoseconds(options_.look_every).count();
  // One thread looks; the others go on with what was seen before.
  if (now_ns >= due && next_look_ns_.compare_exchange_strong(due, next))
    usage_bytes_.store(options_.usage ? options_.usage() : process_memory_bytes(),
                       std::memory_order_release);
  return usage_bytes_.load(std::memory_order_acquire);
}

Status MemoryGuard::admit(double share, const char* what) const {
  const std::uint64_t usage = usage_bytes();
  if (static_cast<double>(usage) < share * static_cast<double>(limit_bytes_)) return {};
  return fail(ErrorCode::kUnavailable, "memory is short: " + std::to_string(usage) + " of " +
                                           std::to_string(limit_bytes_) + " bytes are used, and " +
                                           what + " are refused until there is more");
}

}  // namespace vz::runtime
