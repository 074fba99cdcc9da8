// The one place that changes the manifest, and security.json.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "engine/collection/part_writer.h"
#include "engine/log/writer.h"
#include "engine/node/cut.h"
#include "storage/store/store.h"

namespace vz::node {

/// What a collection of garbage has removed.
struct Garbage {
  std::uint64_t files_removed = 0;
  std::uint64_t freed_bytes = 0;
  std::uint64_t bytes_before = 0;  ///< of all data files and images
  std::uint64_t bytes_after = 0;
};

using DataFiles = std::map<std::string, std::uint64_t>;  ///< sizes by path
/// freed_bytes: of the files that went.
Garbage garbage_between(const DataFiles& before, const DataFiles& after);

/// Thread-safe: publishes one after another. Its lock is held across the publish's I/O (the one
/// exception besides the log's own): the next image builds on the one before.
class Publisher {
 public:
  /// security_in_file: what security.json holds; null: it is to be written whatever the state is.
  Publisher(store::Store& store, log::Writer& writer, Epoch epoch,
            std::shared_ptr<const security::State> security_in_file);

  /// Writes security.json, if keys or rules have changed since it was written. Before it returns
  /// well, a restore, which takes the log away, would bring back what was revoked. Every publish
  /// does the same first. Errors: kUnavailable (the log has failed; release() was called),
  /// kIoError, kNoSpace: the old file is there, and the log holds the change.
  Status checkpoint_security();
  /// The same, though nothing has changed: the file was found damaged.
  Status write_security_again();
  /// From now on security.json is somebody else's.
  void release();

  /// Changes a collection's entry; it may write the files that it names. An error ends the publish.
  using Edit = std::function<Status(manifest::CollectionEntry&)>;
  /// Brings memory in line, on the writer thread, once the image is in force.
  using Swap = std::function<void()>;
  /// Publishes an image with the catalog as of now and the entry of `collection` edited, then
  /// swaps, then lets go of the log that no collection needs any more. Errors: kNotFound (the
  /// collection was dropped), kUnavailable (the log has failed), those of `edit`, kIoError,
  /// kNoSpace: the old image is in force and nothing was swapped.
  Status publish(CollectionId collection, const Edit& edit, const Swap& swap);
  /// The same without a collection, when the catalog has changed since the last image.
  Status publish_catalog();
  /// When nothing was published for `quiet`, and the previous image names files that the one in
  /// force does not: publishes that one again, so that they are removed. Once per image: a failure
  /// waits for the next publish.
  /// Why: after its last merge a quiet node would hold the merged segments twice for good.
  Status remove_old_files(std::chrono::milliseconds quiet);
  /// Removes now what remove_old_files() would once it is quiet, and data files that no image
  /// names. The caller sees to it that no file is being written. While a restore is pending nothing
  /// goes. Errors: kUnavailable (the log has failed), kIoError, kNoSpace: some may be gone.
  Result<Garbage> collect_garbage();
  /// After the writer stopped and everything is sealed: records that the log ended well.
  Status publish_clean();

  /// store::Store::restore_pending()
  [[nodiscard]] bool restore_pending() const { return store_.restore_pending(); }

  /// Of collections/, and the images. Errors: kIoError.
  Result<DataFiles> data_files() const { return store_.data_files(); }

  /// What the image in force says. Errors: kNotFound.
  Result<manifest::CollectionEntry> entry(CollectionId collection);

  /// The same with second names for its files, so that no later publish takes them away.
  struct Pinned {
    manifest::CollectionEntry entry;
    std::set<std::string> missing;  ///< what CutFiles::add_present() says
  };
  Result<Pinned> pin(CollectionId collection, CutFiles& files);
  /// The first record that a start would need now.
  Lsn log_lsn();
  /// Reads CURRENT and the image that it names again. Errors: kCorruption (also of another image),
  /// kNotFound, kIoError.
  Status reread();
  /// Publishes what is in force once more, under a new number. Errors: as publish().
  Status publish_again();

  collection::PartNumbers allocate();
  /// Every segment that was allocated before this call has a lower one.
  [[nodiscard]] SegmentSeq next_seq() const { return next_seq_.load(); }
  std::uint64_t allocate_number() { return next_number_.fetch_add(1); }
  /// Freezes every memtable at one lsn and has `cut` catch each collection's entry at the first
  /// image that holds it as of then, by itself or through the publishes of seals. One at a time;
  /// end_cut() ends it. Errors: kUnavailable (the log has failed), those of CutCollector::begin.
  Status begin_cut(CutCollector& cut);
  /// The image of what was caught; what is still awaited is not in it. Errors: kCorruption.
  Result<store::SnapshotContents> end_cut(CutCollector& cut);

  /// From now on no file gets a name that one of `arriving` has: a snapshot that tar unpacks here.
  void avoid_names_of(const manifest::Manifest& arriving);

 private:
  enum class End : std::uint8_t { kOpen, kClean };
  struct Capture;
  Status checkpoint_locked() VZ_REQUIRES(mutex_);
  Status write_security(std::shared_ptr<const security::State> security, Lsn lsn)
      VZ_REQUIRES(mutex_);
  Status publish_locked(CollectionId collection, const Edit& edit, const Swap& swap, End end)
      VZ_REQUIRES(mutex_);

  store::Store& store_;
  log::Writer& writer_;
  const Epoch epoch_;
  std::atomic<SegmentSeq> next_seq_;
  std::atomic<std::uint64_t> next_number_;

  Mutex mutex_;
  manifest::Manifest current_ VZ_GUARDED_BY(mutex_);
  CutCollector* cut_ VZ_GUARDED_BY(mutex_) = nullptr;
  std::shared_ptr<const security::State> written_security_ VZ_GUARDED_BY(mutex_);
  bool released_ VZ_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const collection::Catalog> published_catalog_ VZ_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point published_at_ VZ_GUARDED_BY(mutex_) =
      std::chrono::steady_clock::now();
  bool old_files_removed_ VZ_GUARDED_BY(mutex_) = false;  ///< or tried, since the last publish
};

}  // namespace vz::node
