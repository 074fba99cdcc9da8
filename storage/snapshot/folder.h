// The folder of a node's snapshots: archives, each with its checksum and its manifest beside it.
//
//   snapshot-20261125T031500Z.tar.gz                 the archive
//   snapshot-20261125T031500Z.tar.gz.sha256          as sha256sum writes it
//   snapshot-20261125T031500Z.tar.gz.manifest.json   what it holds, for people
//   snapshot-upload-7.tmp                            an archive that arrives; never shown
//   collections/<collection>/                        the same of one collection
//
// The archive comes last and goes first: what stands without it is a leftover and never shown.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/archive/archive_writer.h"
#include "storage/env/env.h"
#include "storage/snapshot/pack.h"

namespace vz::snapshot {

struct ArchiveInfo {
  std::string name;
  std::string created;  ///< "2026-11-25T03:15:00", UTC, as its name says; "" if it does not
  std::uint64_t size_bytes = 0;
  std::string sha256;  ///< hexadecimal; "" if there is no checksum file
};

struct OpenedFile {
  std::unique_ptr<File> file;
  std::uint64_t size_bytes = 0;
};

inline constexpr std::size_t kNameBytesMax = 128;

/// Where the snapshots of a data directory stand.
std::string folder_of(const std::string& data_dir);

/// Where those of one collection stand: in there, below collections/, by its name, or, if that is
/// not plain, by "=" and the SHA-256 of the name.
std::string folder_of_collection(const std::string& data_dir, const std::string& collection);

/// Makes the folder of these folders, durably, if it is not there. Errors: kIoError, kNoSpace.
Status make_collection_folders(Env& env, const std::string& data_dir);

/// Takes away what a kill has left in any of them. For the start.
void remove_leftovers(Env& env, const std::string& data_dir);

/// ^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$: what may name a file of the folder.
bool is_plain_name(std::string_view name);

/// Each call looks at the disk. Thread-safe, except that one thread at a time creates.
class Folder {
 public:
  Folder(Env& env, std::string directory) : env_(env), directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }

  /// Makes an archive under a new name that tells the time. `write` writes it and says what the
  /// manifest is to say. Errors: those of publish_archive and of `write`: the folder is as it was.
  struct Written {
    PackReport report;
    std::string manifest_json;
  };
  using Write = std::function<Result<Written>(const std::string& name, archive::ByteSink& sink)>;
  Result<ArchiveInfo> create(archive::ArchiveFormat format, const Write& write);

  /// By name; none if there is no folder yet. Errors: kIoError.
  Result<std::vector<ArchiveInfo>> list() const;

  /// An archive, or the manifest of one as <name>.manifest.json, no link followed.
  /// Errors: kInvalidArgument (no name for a file of here), kNotFound, kIoError.
  Result<OpenedFile> open(std::string_view name) const;

  /// Errors: as open(); of an archive only.
  Status remove(std::string_view name);

  /// A new file for an archive that arrives, in a folder that is made if need be. No list shows it,
  /// and remove_leftovers() takes it; till then it is the caller's, who removes it. Thread-safe,
  /// beside create() too. Errors: kIoError, kNoSpace: nothing is left.
  struct Arriving {
    std::string path;
    std::unique_ptr<File> file;  ///< empty; to be written and read
  };
  Result<Arriving> begin_arrival();

  /// Takes away what a kill has left here.
  void remove_leftovers();

 private:
  [[nodiscard]] std::string path(std::string_view name) const;
  [[nodiscard]] Result<std::string> free_name(archive::ArchiveFormat format) const;
  [[nodiscard]] std::string checksum_of(const std::string& name) const;

  Env& env_;
  const std::string directory_;
};

}  // namespace vz::snapshot
