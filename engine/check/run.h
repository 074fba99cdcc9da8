// What the steps of one check share.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check/finding.h"
#include "engine/check/pace.h"
#include "engine/check/watched_env.h"
#include "storage/base/mutex.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/checked_file.h"
#include "storage/store/store.h"

namespace vz::check {

/// Each level includes those before it.
enum class Level : std::uint8_t {
  kLayout = 0,    ///< FORMAT, CURRENT, the manifests, and which files are there
  kSizes = 1,     ///< length and trailer of every file that the manifest names
  kBlocks = 2,    ///< every block's checksum, the log, ids, dead rows
  kContents = 3,  ///< SHA-256, vectors, payloads, row hashes, digests, indexes, columns
  kSearch = 4,    ///< a sample of points is searched for, and compared with a scan
};

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

/// A segment with its files, which are whoever named them's; null for what it does not have.
struct NamedSegment {
  const manifest::SegmentEntry* entry = nullptr;
  NamedFile* seg = nullptr;
  NamedFile* dead = nullptr;
  NamedFile* index = nullptr;
  NamedFile* fields = nullptr;
};

struct NamedCollection {
  const manifest::CollectionEntry* entry = nullptr;
  std::vector<NamedSegment> segments{};
};

/// The id of a finding about a file: one for segments, one for what is derived from them.
inline FindingId by_kind(const NamedFile& file, FindingId of_segment, FindingId of_derived) {
  return file.kind == segment::FileKind::kSegment ? of_segment : of_derived;
}

struct Run {
  WatchedEnv& env;
  const store::Paths& paths;
  const Level level;
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

/// The files that `entry` names, where `paths` has them, as `add(path, kind, info)` makes a
/// NamedFile* of each.
template <typename Add>
NamedCollection name_files(const store::Paths& paths, const manifest::CollectionEntry& entry,
                           Add add) {
  using segment::FileKind;
  NamedCollection out{.entry = &entry};
  for (const manifest::SegmentEntry& part : entry.segments) {
    const auto derived = [&](const std::optional<manifest::VersionedFile>& file, FileKind kind,
                             auto path_of) -> NamedFile* {
      if (!file) return nullptr;
      return add((paths.*path_of)(entry.id, part.epoch, part.seq, file->number), kind, file->info);
    };
    out.segments.push_back(
        {.entry = &part,
         .seg = add(paths.seg(entry.id, part.epoch, part.seq), FileKind::kSegment, part.seg),
         .dead = derived(part.dead, FileKind::kDead, &store::Paths::dead),
         .index = derived(part.index, FileKind::kIndex, &store::Paths::index),
         .fields = derived(part.fields, FileKind::kFields, &store::Paths::fields)});
  }
  return out;
}

/// The name of `path` in the directory of `paths`; "" for that itself.
std::string relative_name(const store::Paths& paths, std::string_view path);

}  // namespace vz::check
