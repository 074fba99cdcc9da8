#include "engine/node/restore_watch.h"

#include <utility>

#include "storage/base/log.h"

namespace vz::node {

void RestoreWatch::forget() {
  status_ = {};
  contents_.reset();
  fingerprint_ = 0;
  read_ = false;
  warned_ = false;
  adopts_ = false;
}

void RestoreWatch::changed(Time now) {
  since_ = now;
  warned_ = false;
  read_ = false;
}

void RestoreWatch::warn_once() {
  if (warned_) return;
  warned_ = true;
  LogEvent(LogLevel::kWarn, "restore_incomplete")
      .with("files", status_.files)
      .with("files_present", status_.files_present)
      .with("detail", status_.detail);
}

bool RestoreWatch::look() {
  const auto failed = [this](const Error& error) {
    contents_.reset();
    status_ = {.pending = true, .detail = error.message};
    return false;
  };
  // RESTORE is read again only when something has changed.
  if (contents_) {
    const auto arrival = store::look_at_arrival(env_, paths_, *contents_);
    if (arrival && arrival->fingerprint == fingerprint_) return true;
  }
  auto contents = store::read_restore(env_, paths_);
  if (!contents) return failed(contents.error());
  const auto arrival = store::look_at_arrival(env_, paths_, *contents);
  if (!arrival) return failed(arrival.error());
  contents_ = *std::move(contents);
  status_ = {.pending = true,
             .files = arrival->files,
             .files_present = arrival->files_present,
             .detail = arrival->problem};
  fingerprint_ = arrival->fingerprint;
  return true;
}

std::optional<store::VerifiedRestore> RestoreWatch::poll(Time now,
                                                         const store::OnBytesRead& on_bytes_read) {
  if (!store::restore_pending(env_, paths_)) {
    if (status_.pending) LogEvent(LogLevel::kInfo, "restore_gone").with("path", paths_.restore());
    forget();
    return std::nullopt;
  }
  const bool was_pending = status_.pending;
  const std::uint64_t before = fingerprint_;
  const std::string detail = status_.detail;
  const bool readable = look();
  if (!readable) fingerprint_ = 0;
  if (std::exchange(adopts_, false)) {
    status_.detail = detail;
  } else if (!was_pending || fingerprint_ != before || (!readable && status_.detail != detail)) {
    changed(now);
  }
  if (!was_pending)
    LogEvent(LogLevel::kInfo, "restore_pending")
        .with("files", status_.files)
        .with("files_present", status_.files_present);
  if (now - since_ < quiet_) return std::nullopt;
  if (!readable || status_.files_present != status_.files) {
    warn_once();
    return std::nullopt;
  }
  if (read_) return std::nullopt;

  auto verified = store::VerifiedRestore::verify(env_, paths_, on_bytes_read);
  if (verified) {
    read_ = true;
    return *std::move(verified);
  }
  if (verified.error().code == ErrorCode::kCancelled) return std::nullopt;
  read_ = true;
  status_.detail = verified.error().message;
  warn_once();
  return std::nullopt;
}

void RestoreWatch::gave_up(std::string why) {
  status_.detail = std::move(why);
  adopts_ = true;
}

}  // namespace vz::node
