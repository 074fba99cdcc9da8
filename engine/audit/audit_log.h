// The audit log of a node: appends, reads and judges it. Format: engine/audit/audit_event.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/audit/audit_event.h"
#include "engine/limits.h"
#include "storage/base/mutex.h"
#include "storage/env/env.h"

namespace vz::audit {

/// What is wrong with a chain.
struct Problem {
  std::string file;
  std::uint64_t line = 0;  ///< in the file, from 1; 0: the file as a whole
  std::string what;
};

struct Verdict {
  std::uint64_t files = 0;
  std::uint64_t lines = 0;  ///< that could be read
  Head head;                ///< what audit.head says
  /// The first limits::kAuditProblemsMax of them, in order.
  std::vector<Problem> problems;
  [[nodiscard]] bool sound() const { return problems.empty(); }
};

/// Reads every line in `directory`, and changes nothing. A directory without a log is sound.
/// While a node appends a line may be seen that the head does not name yet; that is sound too.
/// Errors: kIoError, kPermissionDenied.
Result<Verdict> verify(Env& env, const std::string& directory);

/// Which lines; "" and 0 are any.
struct Query {
  std::int64_t since_us = 0;  ///< from then on
  std::int64_t until_us = 0;  ///< before then
  std::string actor{};
  std::string action{};  ///< what it contains
  std::string result{};
  std::size_t limit = 100;  ///< the newest of them
};
/// Lines as they stand, oldest first. What is damaged is passed over: verify() tells.
/// Errors: kIoError, kPermissionDenied.
Result<std::vector<std::string>> read(Env& env, const std::string& directory, const Query& query);

/// Thread-safe: its lock is held across the disk's writes, so that lines are durable in their
/// order.
class Log {
 public:
  struct Options {
    std::uint64_t file_bytes = limits::kAuditFileBytesMax;
    std::size_t files = limits::kAuditFilesMax;
  };
  /// Goes on behind the last line; makes `directory` and the log if need be. A line that a kill cut
  /// short is taken away. When the end is not what audit.head says, the chain goes on from that
  /// head in a new file, the first line of which says so: verify() names the gap for ever.
  /// Errors: kIoError, kNoSpace, kPermissionDenied.
  static Result<std::unique_ptr<Log>> open(Env& env, const std::string& directory,
                                           std::int64_t now_us, const Options& options);

  /// Durable when it returns. Errors: kIoError, kNoSpace: the event may be in the log or not; the
  /// next append first makes good what has failed.
  Status append(const Event& event) VZ_EXCLUDES(mutex_);

  [[nodiscard]] Head head() const VZ_EXCLUDES(mutex_);
  /// The last line is written, and audit.head does not name it yet: the disk was full.
  [[nodiscard]] bool head_behind() const VZ_EXCLUDES(mutex_);
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  Log(Env& env, std::string directory, const Options& options)
      : env_(env), directory_(std::move(directory)), options_(options) {}

  Status resume(std::int64_t now_us) VZ_REQUIRES(mutex_);
  Status append_locked(const Event& event) VZ_REQUIRES(mutex_);
  Status begin_file() VZ_REQUIRES(mutex_);
  Status clear_the_way() VZ_REQUIRES(mutex_);
  Status rewrite_file() VZ_REQUIRES(mutex_);
  Status publish_head() VZ_REQUIRES(mutex_);
  void remove_oldest() VZ_REQUIRES(mutex_);

  Env& env_;
  const std::string directory_;
  const Options options_;
  mutable Mutex mutex_;
  Head head_ VZ_GUARDED_BY(mutex_);
  bool head_behind_ VZ_GUARDED_BY(mutex_) = false;      ///< audit.head does not name the last line
  std::unique_ptr<File> file_ VZ_GUARDED_BY(mutex_);    ///< null: the next line begins one
  std::string path_ VZ_GUARDED_BY(mutex_);              ///< of it
  std::uint64_t file_bytes_ VZ_GUARDED_BY(mutex_) = 0;  ///< of its whole lines
  bool torn_ VZ_GUARDED_BY(mutex_) = false;             ///< a write into it has failed
};

}  // namespace vz::audit
