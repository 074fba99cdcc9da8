// Sees that tar unpacks a snapshot into the directory of a running node, and when it is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "storage/store/pending_restore.h"

namespace vz::node {

/// A snapshot that tar unpacks here, as /health and /stats show it.
struct RestoreStatus {
  bool pending = false;             ///< RESTORE is there
  std::uint64_t files = 0;          ///< that it names; 0 while it cannot be read
  std::uint64_t files_present = 0;  ///< with the size that they should have
  std::string detail;               ///< what is missing or wrong, in words; "" if nothing
};

/// Not thread-safe; time comes from the caller.
class RestoreWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// quiet: how long nothing must have changed before the files are read. `env` must outlive it.
  RestoreWatch(Env& env, store::Paths paths, std::chrono::milliseconds quiet)
      : env_(env), paths_(std::move(paths)), quiet_(quiet) {}

  /// Looks at the directory: one stat without a restore, else names and sizes. When all is there
  /// and has not changed for `quiet`, reads every file once, and gives them if all are right.
  /// What was read once is not read again before something changes.
  std::optional<store::VerifiedRestore> poll(Time now, const store::OnBytesRead& on_bytes_read);

  /// What poll() gave is in force now: there is nothing pending any more.
  void forget();
  /// It could not be put in force. Tried again when something changes.
  void gave_up(std::string why);

  [[nodiscard]] const RestoreStatus& status() const { return status_; }
  /// What RESTORE says; null while it is not there or cannot be read. Valid until the next call.
  [[nodiscard]] const store::SnapshotContents* contents() const {
    return contents_ ? &*contents_ : nullptr;
  }

 private:
  /// False if RESTORE cannot be read, or the directory.
  bool look();
  void changed(Time now);
  void warn_once();

  Env& env_;
  const store::Paths paths_;
  const std::chrono::milliseconds quiet_;

  RestoreStatus status_;
  std::optional<store::SnapshotContents> contents_;
  std::uint64_t fingerprint_ = 0;  ///< of the last look; 0: RESTORE could not be read
  Time since_;                     ///< of the last change
  bool read_ = false;              ///< the files were, since the last change
  bool warned_ = false;            ///< since the last change
  bool adopts_ = false;            ///< what the next look finds changed is our own doing
};

}  // namespace vz::node
