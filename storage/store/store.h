// One data directory: its lock, its identity, its paths, and the removal of what nothing names.
// Layout: storage/README.md.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "storage/manifest/manifest.h"

namespace vz::store {

/// The FORMAT file: which directory this is. JSON, checksummed.
struct Identity {
  std::uint32_t format = 1;
  std::string cluster_id;  ///< UUID
  std::string node_id;     ///< UUID
};

inline constexpr std::uint32_t kFormatNewest = 1;

/// Bytes of FORMAT: one line of JSON, its last member the CRC32C of all before it.
std::string encode_identity(const Identity& identity);
/// Errors: kCorruption (offset, expected, found), kIncompatible.
Result<Identity> decode_identity(std::string_view text);

/// Of a directory that is new: both ids are random. Errors: kIoError.
Result<Identity> new_identity();

/// Paths inside a data directory.
struct Paths {
  std::string root;

  [[nodiscard]] std::string lock() const { return root + "/LOCK"; }
  [[nodiscard]] std::string format() const { return root + "/FORMAT"; }
  [[nodiscard]] std::string restore() const { return root + "/RESTORE"; }
  [[nodiscard]] std::string wal() const { return root + "/wal"; }
  [[nodiscard]] std::string collections() const { return root + "/collections"; }
  [[nodiscard]] std::string quarantine() const { return root + "/quarantine"; }
  [[nodiscard]] std::string collection(CollectionId id) const;
  /// `<root>/collections/<id>/<epoch>-<seq>` without an extension.
  [[nodiscard]] std::string segment_stem(CollectionId id, Epoch epoch, SegmentSeq seq) const;
  [[nodiscard]] std::string seg(CollectionId id, Epoch epoch, SegmentSeq seq) const;
  [[nodiscard]] std::string dead(CollectionId id, Epoch epoch, SegmentSeq seq,
                                 std::uint64_t number) const;
  [[nodiscard]] std::string index(CollectionId id, Epoch epoch, SegmentSeq seq,
                                  std::uint64_t number) const;
  [[nodiscard]] std::string fields(CollectionId id, Epoch epoch, SegmentSeq seq,
                                   std::uint64_t number) const;
};

/// The identity in a data directory, without a lock. Errors: kNotFound (no FORMAT), kCorruption,
/// kIncompatible, kIoError.
Result<Identity> read_identity(Env& env, const Paths& paths);

/// What the name of a file in collections/<id>/ says.
struct DataFileName {
  enum class Kind : std::uint8_t { kSeg, kDead, kIndex, kFields };
  Epoch epoch = 0;
  SegmentSeq seq = 0;
  Kind kind = Kind::kSeg;
  std::uint64_t number = 0;  ///< 0 for kSeg
  friend bool operator==(const DataFileName&, const DataFileName&) = default;
};
/// Nothing for a name that Paths would not give.
std::optional<DataFileName> parse_data_file_name(std::string_view name);

/// The collection whose directory in collections/ has this name; nothing for any other text.
std::optional<CollectionId> parse_collection_id(std::string_view name);

/// Paths of every file that the image names.
std::set<std::string> files_of(const Paths& paths, const manifest::Manifest& manifest);

class VerifiedRestore;  // storage/store/pending_restore.h

struct OpenOptions {
  /// What to do with a snapshot that tar has unpacked here (storage/store/pending_restore.h).
  enum class Restore : std::uint8_t {
    kCompleted,  ///< put it in force, or refuse to open
    kLeft,       ///< open the old content and leave the rest alone
  };
  Restore restore = Restore::kCompleted;
  /// Not to be read again if nothing has changed since; may be null.
  const VerifiedRestore* verified = nullptr;
};

/// Which leftovers to remove.
enum class LeftoverKind : std::uint8_t {
  kAll,
  kData,  ///< of collections/ alone: elsewhere a running node may have a file half written
};

/// A data directory opened for writing: locked for as long as this lives.
class Store {
 public:
  /// Opens `directory`, creating it (FORMAT, wal/, collections/, quarantine/, first manifest) when
  /// it is absent or empty; what a creation that was cut short has left counts as empty, and so do
  /// lost+found, snapshots/, jobs/, log/ and tmp/ with whatever is in them. A swap that was cut
  /// short (storage/store/swap.h) is finished first; then a snapshot that tar has unpacked is put
  /// in force, which needs all of its files and makes them what the directory holds. Errors:
  /// kLocked (names the holder), kNoData (not empty and no FORMAT), kIncompatible (format newer
  /// than kFormatNewest), kCorruption (FORMAT or manifest; a pending restore that is not complete:
  /// names what is missing), kIoError. Nothing was changed, except that a creation that failed by
  /// kIoError or kNoSpace may have left what counts as empty, and as put_in_force() says.
  static Result<std::unique_ptr<Store>> open(Env& env, const std::string& directory,
                                             const OpenOptions& options = {});

  [[nodiscard]] Env& env() const { return env_; }
  [[nodiscard]] const Paths& paths() const { return paths_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  /// The image in force when the directory was opened.
  [[nodiscard]] const manifest::Manifest& opened_manifest() const { return opened_; }

  /// Publishes `next` (number must grow) and then removes the image before the previous one and the
  /// files that only images older than `previous` named. Not thread-safe: one publisher at a time.
  /// A file that cannot be removed is logged and left for remove_leftovers(). While a restore is
  /// pending nothing is removed, but by the first publish after it.
  /// Errors: kFailedPrecondition (number), kOutOfRange (manifest::check): nothing changed.
  /// kIoError, kNoSpace: the image in force is the old one or `next`, so keep the files of both;
  /// publish again under a greater number, or open again to know.
  Status publish(const manifest::Manifest& next);

  /// True while there are files that an older image names and the one in force does not: the next
  /// publish removes them.
  [[nodiscard]] bool keeps_old_files() const;

  /// True while tar unpacks a snapshot here, or has: its files may have any name, so no file of
  /// collections/ may be removed. One stat; any thread.
  [[nodiscard]] bool restore_pending() const;

  /// Gives the directory up to whoever locks it next; files that are open or mapped can still be
  /// read. Nothing may be called afterwards but env(), paths(), identity() and opened_manifest().
  void release() { lock_.reset(); }

  /// Makes collections/<id>/ durably, if it is not there: a new segment goes into it.
  Status create_collection_directory(CollectionId id);

  /// Removes what find_leftovers() finds (storage/store/leftovers.h). For the start, before
  /// anything else writes here; of kind kData also later, while nobody writes a data file. While
  /// the previous image is unreadable no numbered file goes, nor while a restore is pending.
  /// Returns the paths removed.
  Result<std::vector<std::string>> remove_leftovers(LeftoverKind kind = LeftoverKind::kAll);

  /// Paths and sizes of the images and of all files in collections/<id>/. Errors: kIoError.
  [[nodiscard]] Result<std::map<std::string, std::uint64_t>> data_files() const;

 private:
  Store(Env& env, Paths paths) : env_(env), paths_(std::move(paths)) {}

  Status open_existing();
  Status load_previous();
  void remember_old(manifest::Manifest image);
  /// Removes what only old_ names, and empties it; while a restore is pending it stays.
  void remove_obsolete();

  Env& env_;
  Paths paths_;
  Identity identity_;
  manifest::Manifest opened_;
  manifest::Manifest current_;             ///< in force
  manifest::Manifest previous_;            ///< kept beside it; number 0 if there is none
  std::uint64_t previous_unreadable_ = 0;  ///< its number, if its image is damaged
  /// What the next publish removes: the image before the previous one, those that a pending restore
  /// has kept, and publishes that failed since, of which one may be in force.
  std::vector<manifest::Manifest> old_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace vz::store
