// What the steps of one check share.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/checked_file.h"
#include "storage/store/store.h"
#include "tools/offline/check.h"
#include "tools/offline/finding.h"
#include "tools/offline/hindrance.h"
#include "tools/offline/pace.h"

namespace vz::offline {

/// Where in a file; length 0: not known.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Gathers findings. Thread-safe.
class Findings {
 public:
  explicit Findings(store::Paths paths);

  /// `path` is absolute. An empty `message` leaves the title of the kind.
  void add(FindingId id, const std::string& path, Extent extent, std::string_view collection,
           std::string message) VZ_EXCLUDES(mutex_);
  /// One of an earlier run, as it was.
  void add(Finding finding) VZ_EXCLUDES(mutex_);
  /// All of them by file and offset; bad blocks that touch each other as one.
  std::vector<Finding> take() VZ_EXCLUDES(mutex_);

 private:
  const store::Paths paths_;
  Mutex mutex_;
  std::vector<Finding> findings_ VZ_GUARDED_BY(mutex_);
};

/// A file of segment kind that the manifest in force names.
struct NamedFile {
  std::string path{};
  segment::FileKind kind = segment::FileKind::kSegment;
  segment::FileInfo info{};
  std::string collection{};
  bool present = false;               ///< by the listing of its directory
  std::atomic<bool> damaged = false;  ///< a finding names it: nothing more is derived from it

  [[nodiscard]] bool usable() const { return present && !damaged.load(); }
};

/// The id of a finding about a file: one for segments, one for what is derived from them.
inline FindingId by_kind(const NamedFile& file, FindingId of_segment, FindingId of_derived) {
  return file.kind == segment::FileKind::kSegment ? of_segment : of_derived;
}

struct Run {
  WatchedEnv& env;
  const store::Paths& paths;
  const CheckOptions& options;
  Findings& findings;
  Pace& pace;

  /// `path`, which is absolute, relative to the directory; "" for the directory itself.
  [[nodiscard]] std::string name_of(std::string_view path) const;
  /// Adds a finding about `file` and marks it as damaged.
  void report(NamedFile& file, FindingId id, Extent extent, std::string message) const;
  /// A version that this program cannot read ends the check; the first one counts.
  void report_incompatible(const Error& error) const;
  [[nodiscard]] std::optional<Error> incompatible() const;

  mutable Mutex mutex{};
  mutable std::optional<Error> first_incompatible VZ_GUARDED_BY(mutex){};
};

/// The name of `path` in the directory of `paths`; "" for that itself.
std::string relative_name(const store::Paths& paths, std::string_view path);

/// Runs every task once, on `threads` threads of its own, and waits for them.
void run_tasks(std::span<const std::function<void()>> tasks, unsigned threads);

}  // namespace vz::offline
