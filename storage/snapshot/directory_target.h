// Writes the files of a snapshot into a directory.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "storage/snapshot/read.h"

namespace vz::snapshot {

/// Makes collections/<id>/<file> below a directory that exists; with the marker, as tar would:
/// below collection/, if it is a snapshot of one. Not thread-safe.
class DirectoryTarget final : public SnapshotTarget {
 public:
  enum class Marker : std::uint8_t { kWritten, kLeftOut };  ///< RESTORE itself

  DirectoryTarget(Env& env, std::string root, Marker marker)
      : env_(env), root_(std::move(root)), marker_(marker) {}

  /// Errors: kNoSpace, before anything is written, if the disk has less room than RESTORE says.
  Status begin(const SnapshotContents& contents) override;
  Status begin_file(const format::RestoreFile& file) override;
  Status write(ByteSpan bytes) override;
  /// Syncs the file.
  Status end_file() override;

  /// Syncs every directory, so that all that was written is there for good.
  Status finish();

  /// Of RESTORE; after begin().
  [[nodiscard]] const manifest::Manifest& manifest() const { return manifest_; }

 private:
  Env& env_;
  std::string root_;  ///< of what is written, from begin() on
  Marker marker_;
  manifest::Manifest manifest_;
  std::set<std::string> directories_;
  std::unique_ptr<File> file_;
  std::uint64_t offset_ = 0;
};

}  // namespace vz::snapshot
