#include "storage/env/sigbus_guard.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/env/posix_error.h"

namespace vz {
namespace {

constexpr std::uintptr_t kFree = 0;
constexpr std::uintptr_t kClaimed = 1;  // Being filled in: no range begins at address 1.
constexpr std::size_t kNoSlot = kGuardedRangesMax;

/// Constant while begin is an address; only the owner of a claimed slot writes `end`.
struct Slot {
  std::atomic<std::uintptr_t> begin{kFree};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> failed{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

Slot slots[kGuardedRangesMax];
std::atomic<std::size_t> slots_used{0};  // Slots at and beyond this were never claimed.
std::atomic<std::size_t> first_hint{0};  // Where the search for a free slot begins.
struct sigaction previous_action {};     // Written before the handler is installed.
std::uintptr_t page_size = 4096;         // The same.

bool map_zeros(std::uintptr_t begin, std::uintptr_t end) {
  // By syscall(2), because the sanitizers' mmap is not safe in a signal handler.
  const long mapped = ::syscall(SYS_mmap, begin, end - begin, PROT_READ,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0L);
  return mapped == static_cast<long>(begin);
}

/// True if `address` was in a registered range, which now reads as zeros there.
bool heal(std::uintptr_t address) {
  const std::size_t used = slots_used.load(std::memory_order_acquire);
  for (std::size_t index = 0; index < used; ++index) {
    Slot& slot = slots[index];
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin <= kClaimed || address < begin) continue;
    const std::uintptr_t end = slot.end.load(std::memory_order_acquire);
    if (address >= end) continue;
    // The slot may have changed hands between the two loads; ours cannot, its file is being read.
    if (slot.begin.load(std::memory_order_acquire) != begin) continue;
    slot.failed.store(true, std::memory_order_release);
    const std::uintptr_t page = address & ~(page_size - 1);
    // Each zero page may split a mapping. When the kernel allows no more, the whole range becomes
    // one mapping of zeros: the flag says already that none of it counts.
    return map_zeros(page, page + page_size) || map_zeros(begin, end);
  }
  return false;
}

void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
    return;
  }
  const bool sent = info->si_code <= 0;  // By kill(2) and the like, not by a fault.
  if (sent && previous_action.sa_handler == SIG_IGN) return;
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal, &by_default, nullptr);
  // A fault happens again on return and ends the process, with the right address in the core.
  if (sent) ::raise(signal);
}

void on_sigbus(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool fault = info->si_code > 0;
  if (!fault || !heal(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    pass_on(signal, info, context);
  }
  errno = saved_errno;
}

/// 0, or the errno of sigaction.
int install() {
  page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (::sigaction(SIGBUS, nullptr, &previous_action) != 0) return errno;
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, nullptr) == 0 ? 0 : errno;
}

std::size_t claim_slot() {
  const std::size_t start = first_hint.load(std::memory_order_relaxed);
  for (std::size_t step = 0; step < kGuardedRangesMax; ++step) {
    const std::size_t index = (start + step) % kGuardedRangesMax;
    std::uintptr_t expected = kFree;
    if (!slots[index].begin.compare_exchange_strong(expected, kClaimed)) continue;
    first_hint.store((index + 1) % kGuardedRangesMax, std::memory_order_relaxed);
    return index;
  }
  return kNoSlot;
}

}  // namespace

Result<GuardedRange> GuardedRange::create(const void* begin, std::size_t size_bytes) {
  static const int install_error = install();
  if (install_error != 0) return fail_errno(install_error, "installing", "the SIGBUS handler");
  const std::size_t index = claim_slot();
  if (index == kNoSlot) {
    return fail(ErrorCode::kIoError, "more than " + std::to_string(kGuardedRangesMax) +
                                         " files are mapped at the same time");
  }

  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t size = (size_bytes + page_size - 1) & ~(page_size - 1);
  Slot& slot = slots[index];
  slot.failed.store(false, std::memory_order_relaxed);
  slot.end.store(address + size, std::memory_order_release);
  slot.begin.store(address, std::memory_order_release);
  std::size_t used = slots_used.load();
  while (used <= index && !slots_used.compare_exchange_weak(used, index + 1)) {
  }
  return GuardedRange(index);
}

GuardedRange::GuardedRange(GuardedRange&& other) noexcept
    : slot_(std::exchange(other.slot_, kNoSlot)) {}

GuardedRange::~GuardedRange() {
  if (slot_ == kNoSlot) return;
  slots[slot_].begin.store(kFree, std::memory_order_release);
  // Lowest free slot first, roughly, so that the handler's scan stays short.
  std::size_t hint = first_hint.load(std::memory_order_relaxed);
  if (slot_ < hint) first_hint.compare_exchange_strong(hint, slot_, std::memory_order_relaxed);
}

bool GuardedRange::failed() const {
  return slots[slot_].failed.load(std::memory_order_acquire);
}

}  // namespace vz
