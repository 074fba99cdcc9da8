// One data directory: its lock, its identity, its paths, and the removal of what nothing names.
// Layout: storage/README.md.
#pragma once

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

/// Paths inside a data directory.
struct Paths {
  std::string root;

  [[nodiscard]] std::string lock() const { return root + "/LOCK"; }
  [[nodiscard]] std::string format() const { return root + "/FORMAT"; }
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

/// Paths of every file that the image names.
std::set<std::string> files_of(const Paths& paths, const manifest::Manifest& manifest);

/// A data directory opened for writing: locked for as long as this lives.
class Store {
 public:
  /// Opens `directory`, creating it (FORMAT, wal/, collections/, quarantine/, first manifest) when
  /// it is absent or empty; what a creation that was cut short has left counts as empty, and so do
  /// lost+found, snapshots/, jobs/, log/ and tmp/ with whatever is in them. A swap that was cut
  /// short (storage/store/swap.h) is finished first.
  /// Errors: kLocked (names the holder), kNoData (not empty and no FORMAT), kIncompatible (format
  /// newer than kFormatNewest), kCorruption (FORMAT or manifest), kIoError. Nothing was changed,
  /// except that a creation that failed by kIoError or kNoSpace may have left what counts as empty.
  static Result<std::unique_ptr<Store>> open(Env& env, const std::string& directory);

  [[nodiscard]] Env& env() const { return env_; }
  [[nodiscard]] const Paths& paths() const { return paths_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  /// The image in force when the directory was opened.
  [[nodiscard]] const manifest::Manifest& opened_manifest() const { return opened_; }

  /// Publishes `next` (number must grow) and then removes the image before the previous one and the
  /// files that only images older than `previous` named. Not thread-safe: one publisher at a time.
  /// A file that cannot be removed is logged and left for remove_leftovers().
  /// Errors: kFailedPrecondition (number), kOutOfRange (manifest::check): nothing changed.
  /// kIoError, kNoSpace: the image in force is the old one or `next`, so keep the files of both;
  /// publish again under a greater number, or open again to know.
  Status publish(const manifest::Manifest& next);

  /// True while there are files that the previous image names and the one in force does not: the
  /// next publish removes them.
  [[nodiscard]] bool keeps_old_files() const;

  /// Makes collections/<id>/ durably, if it is not there: a new segment goes into it.
  Status create_collection_directory(CollectionId id);

  /// Removes what find_leftovers() finds (storage/store/leftovers.h). For the start, before
  /// anything else writes here. While the previous image is unreadable no numbered file goes.
  /// Returns the paths removed.
  Result<std::vector<std::string>> remove_leftovers();

 private:
  Store(Env& env, Paths paths) : env_(env), paths_(std::move(paths)) {}

  Status create_first();
  Status open_existing();
  Status load_previous();
  void remove_obsolete(const std::vector<manifest::Manifest>& older);

  Env& env_;
  Paths paths_;
  Identity identity_;
  manifest::Manifest opened_;
  manifest::Manifest current_;              ///< in force
  manifest::Manifest previous_;             ///< kept beside it; number 0 if there is none
  std::uint64_t previous_unreadable_ = 0;   ///< its number, if its image is damaged
  std::vector<manifest::Manifest> failed_;  ///< publishes that failed since; one may be in force
  std::unique_ptr<FileLock> lock_;
};

}  // namespace vz::store
