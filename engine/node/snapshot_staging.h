// An archive on its way into a node: its files, checked, in a directory of their own.
#pragma once

#include <optional>
#include <string>

#include "storage/snapshot/directory_target.h"

namespace vz::node {

/// Not thread-safe.
class SnapshotStaging final : public snapshot::SnapshotTarget {
 public:
  /// `directory` is there and empty. collection: only what it needs is staged of the archive, which
  /// is one of a collection, whatever that was called, or of a node that had one of this name.
  /// reserve_bytes: what must stay free beside it and the copy that the node then makes.
  SnapshotStaging(Env& env, std::string directory,
                  std::optional<std::string> collection = std::nullopt,
                  std::uint64_t reserve_bytes = 0)
      : env_(env),
        directory_(directory),
        collection_(std::move(collection)),
        reserve_bytes_(reserve_bytes),
        files_(env, std::move(directory), snapshot::DirectoryTarget::Marker::kLeftOut) {}

  /// All of it, synced. Errors: kCorruption (a finding; another archive than expected),
  /// kInvalidArgument (the archive is of another scope), kNotFound (it has no such collection),
  /// those of snapshot::read_snapshot() and of the disk: the directory holds a piece then.
  Status read(archive::ByteSource& source, const std::optional<Sha256Digest>& expected);

  /// Of what was staged.
  [[nodiscard]] const manifest::Manifest& manifest() const { return files_.manifest(); }

  Status begin(const store::SnapshotContents& contents) override;
  Status begin_file(const format::RestoreFile& file) override;
  Status write(ByteSpan bytes) override;
  Status end_file() override;

 private:
  Env& env_;
  const std::string directory_;
  const std::optional<std::string> collection_;
  const std::uint64_t reserve_bytes_;
  snapshot::DirectoryTarget files_;
  std::vector<format::RestoreFile> wanted_;  ///< ascending by path
  bool skipping_ = false;                    ///< the file that is read is none of them
};

}  // namespace vz::node
