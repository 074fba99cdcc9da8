// A cut: all collections as of one lsn, for a snapshot.
//
// 1. On the writer, between two groups: every memtable is frozen, no I/O. What comes later goes
//    into new ones.
// 2. Each collection is sealed until the image holds exactly what was frozen; one that has not
//    changed since its last seal is there already. CutCollector looks at each image that is
//    published and takes a collection's entry when its flushed lsn is that of the cut, so that
//    later seals do not matter; merges in between change the files and not what they say.
// 3. In the same moment the entry's files get second names (storage/store/second_names.h), so that
//    neither a merge nor a restore takes them away.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/log/state.h"
#include "storage/manifest/manifest.h"
#include "storage/store/snapshot_contents.h"
#include "storage/store/store.h"

namespace vz::node {

/// An entry for a collection that no image holds yet.
manifest::CollectionEntry entry_of_new(const collection::LiveCollection& live);

/// Second names of files, for a cut or a check, in DATA/tmp/snapshot-<n>/.
class CutFiles {
 public:
  /// An empty directory. Errors: kIoError, kNoSpace.
  static Result<std::unique_ptr<CutFiles>> make(Env& env, const store::Paths& paths);
  ~CutFiles();  ///< takes them away
  CutFiles(const CutFiles&) = delete;
  CutFiles& operator=(const CutFiles&) = delete;

  /// Errors: those of store::give_second_names.
  Status add(const manifest::CollectionEntry& entry);
  /// The same of those that are there; returns the others, by path from the directory.
  /// Errors: kIoError, kNoSpace.
  Result<std::set<std::string>> add_present(const manifest::CollectionEntry& entry);
  [[nodiscard]] const std::string& root() const { return root_; }

  /// Takes away what a kill has left. For the start.
  static void remove_leftovers(Env& env, const store::Paths& paths);

 private:
  CutFiles(Env& env, const store::Paths& paths, std::string root)
      : env_(env), paths_(paths), root_(std::move(root)) {}

  Env& env_;
  const store::Paths paths_;
  const std::string root_;
};

/// Catches entries. Not thread-safe: under the publisher's lock, but for what is constant after
/// capture(), awaits() and status().
class CutCollector {
 public:
  explicit CutCollector(CutFiles& files) : files_(files) {}

  /// Freezes all. Writer thread, between two groups. lsn: of the last record.
  void capture(const log::NodeState& state, Lsn lsn, std::int64_t time_us);
  /// Takes what `image`, which is in force, holds as of the cut.
  void look(const manifest::Manifest& image) VZ_EXCLUDES(mutex_);
  /// What was caught, as an image that goes with `in_force`.
  [[nodiscard]] manifest::Manifest image(const manifest::Manifest& in_force) const
      VZ_EXCLUDES(mutex_);

  /// Any thread: whether an image that holds it is still to come.
  [[nodiscard]] bool awaits(CollectionId id) const VZ_EXCLUDES(mutex_);
  /// Any thread: what giving second names has come to.
  [[nodiscard]] Status status() const VZ_EXCLUDES(mutex_);
  /// Any thread: all were caught; false if one was dropped before.
  [[nodiscard]] bool complete() const VZ_EXCLUDES(mutex_);

  [[nodiscard]] Lsn lsn() const { return lsn_; }
  [[nodiscard]] const std::vector<std::shared_ptr<collection::LiveCollection>>& collections()
      const {
    return collections_;
  }

 private:
  struct Captured {
    manifest::CollectionEntry empty{};  ///< for one that no image holds and that holds nothing
    Lsn flushed_lsn = 0;                ///< that its entry will have; 0: whatever it has now
    std::string name{};
    std::string definition_json{};
  };
  void take(manifest::CollectionEntry entry, const Captured& as_of) VZ_REQUIRES(mutex_);

  CutFiles& files_;
  Lsn lsn_ = 0;
  std::int64_t time_us_ = 0;
  std::vector<std::shared_ptr<collection::LiveCollection>> collections_;
  std::shared_ptr<const collection::Catalog> catalog_;

  mutable Mutex mutex_;
  std::map<CollectionId, Captured> awaited_ VZ_GUARDED_BY(mutex_);
  std::map<CollectionId, manifest::CollectionEntry> caught_ VZ_GUARDED_BY(mutex_);
  Status status_ VZ_GUARDED_BY(mutex_);
};

/// Immutable; its files stay as long as it lives, whatever becomes of the node.
class Cut {
 public:
  Cut(std::unique_ptr<CutFiles> files, store::SnapshotContents contents, Lsn lsn)
      : files_(std::move(files)), contents_(std::move(contents)), lsn_(lsn) {}

  /// Every record up to here is in it, and none beyond.
  [[nodiscard]] Lsn lsn() const { return lsn_; }
  [[nodiscard]] const store::SnapshotContents& contents() const { return contents_; }
  /// The directory that the contents' paths are relative to.
  [[nodiscard]] const std::string& root() const { return files_->root(); }

 private:
  std::unique_ptr<CutFiles> files_;
  store::SnapshotContents contents_;
  Lsn lsn_;
};

}  // namespace vz::node
