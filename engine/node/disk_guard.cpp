#include "engine/node/disk_guard.h"

#include "storage/base/log.h"
#include "storage/store/ballast.h"

namespace vz::node {

DiskGuard::DiskGuard(Env& env, store::Paths paths, Options options)
    : env_(env), paths_(std::move(paths)), options_(options) {}

void DiskGuard::look(Clock::time_point now) {
  if (looked_ && now - *looked_ < options_.look_every) return;
  looked_ = now;
  const auto found = env_.disk_space(paths_.root);
  space_ = found ? *found : DiskSpace();
}

std::uint64_t DiskGuard::reserve() const {
  return options_.reserve_bytes.value_or(store::default_reserve_bytes(space_.total_bytes));
}

Status DiskGuard::admit_growth() {
  MutexLock lock(mutex_);
  look(Clock::now());
  if (space_.total_bytes == 0 || space_.free_bytes >= reserve()) return {};
  return fail(
      ErrorCode::kNoSpace,
      "the disk is full: " + std::to_string(space_.free_bytes) + " bytes are free and " +
          std::to_string(reserve()) +
          " are held in reserve; reads and deletes go on, other writes when there is space");
}

DiskSpace DiskGuard::space() {
  MutexLock lock(mutex_);
  look(Clock::now());
  return space_;
}

std::uint64_t DiskGuard::reserve_bytes() {
  MutexLock lock(mutex_);
  look(Clock::now());
  return reserve();
}

void DiskGuard::make_way() {
  const DiskSpace space = this->space();
  if (space.total_bytes == 0 || space.free_bytes >= store::ballast_bytes(reserve_bytes())) return;
  if (store::release_ballast(env_, paths_))
    LogEvent(LogLevel::kWarn, "ballast_released").with("free_bytes", space.free_bytes);
}

void DiskGuard::tend() {
  make_way();
  const DiskSpace space = this->space();
  const std::uint64_t reserve = reserve_bytes();
  const std::uint64_t ballast = store::ballast_bytes(reserve);
  if (reserve > 0 && space.free_bytes > reserve + 2 * ballast &&
      store::present_ballast_bytes(env_, paths_) < ballast) {
    store::release_ballast(env_, paths_);  // One that a kill has cut short.
    if (const Status made = store::make_ballast(env_, paths_, ballast); !made)
      LogEvent(LogLevel::kWarn, "ballast_not_made").with("reason", made.error().message);
  }
}

bool DiskGuard::release() {
  if (!store::release_ballast(env_, paths_)) return false;
  LogEvent(LogLevel::kWarn, "ballast_released").with("reason", "a write found the disk full");
  return true;
}

}  // namespace vz::node
