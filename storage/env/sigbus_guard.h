// Turns a SIGBUS inside a mapped file into zeros and a flag.
//
// A mapped page that cannot be read (the file shrank, the disk failed) kills the process by SIGBUS.
// Mapped files therefore register their range here; the handler looks the faulting address up, maps
// a zero page over it, sets the range's flag and lets the read go on. A signal handler has no
// context but the process, so the table is process-wide: the one such state of this program.
#pragma once

#include <cstddef>

#include "storage/base/status.h"

namespace vz {

inline constexpr std::size_t kGuardedRangesMax = 65'536;  // About the kernel's limit of mappings.

/// A mapped range under guard, for as long as it lives. End it before the range is unmapped.
class GuardedRange {
 public:
  /// Registers `size_bytes` > 0 bytes at page-aligned `begin`, and the handler at the first call.
  /// Errors: kIoError when kGuardedRangesMax ranges are registered, or sigaction fails.
  /// Thread-safe.
  static Result<GuardedRange> create(const void* begin, std::size_t size_bytes);
  ~GuardedRange();
  GuardedRange(GuardedRange&& other) noexcept;
  GuardedRange& operator=(GuardedRange&&) = delete;

  /// True once a page of the range could not be read; stays true. Thread-safe.
  [[nodiscard]] bool failed() const;

 private:
  explicit GuardedRange(std::size_t slot) : slot_(slot) {}

  std::size_t slot_;
};

}  // namespace vz
