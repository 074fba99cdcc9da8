// One data directory: its lock, its identity, its paths, and the removal of what nothing names.
// Layout: storage/README.md.
#pragma once

#include <memory>
#include <set>
#include <string>
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

/// A data directory opened for writing: locked for as long as this lives.
class Store {
 public:
  /// Opens `directory`, creating it (FORMAT, wal/, collections/, quarantine/, first manifest) when it
  /// is absent or empty.
  /// Errors: kLocked (names the holder), kNoData (not empty and no FORMAT), kIncompatible (format
  /// newer than kFormatNewest), kCorruption (FORMAT or manifest), kIoError. Nothing was changed.
  static Result<std::unique_ptr<Store>> open(Env& env, const std::string& directory);

  [[nodiscard]] Env& env() const { return env_; }
  [[nodiscard]] const Paths& paths() const { return paths_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  /// The image in force when the directory was opened.
  [[nodiscard]] const manifest::Manifest& opened_manifest() const { return opened_; }

  /// Publishes `next` (number must grow) and then removes the image before the previous one and the
  /// files that only images older than `previous` named. Not thread-safe: one publisher at a time.
  Status publish(const manifest::Manifest& next);

  /// Removes leftovers of a crash: *.tmp files and numbered files of ours that no kept image names
  /// and whose seq or number is below the manifest's next ones. Unknown files stay.
  /// Returns the paths removed.
  Result<std::vector<std::string>> remove_leftovers();

 private:
  Store(Env& env, Paths paths) : env_(env), paths_(std::move(paths)) {}

  Env& env_;
  Paths paths_;
  Identity identity_;
  manifest::Manifest opened_;
  manifest::Manifest current_;   ///< in force
  manifest::Manifest previous_;  ///< kept beside it
  std::unique_ptr<FileLock> lock_;
};

}  // namespace vz::store
