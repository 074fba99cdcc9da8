// What a snapshot holds, as its RESTORE says it: the image, and the files that the image names.
#pragma once

#include <vector>

#include "storage/base/status.h"
#include "storage/format/restore_format.h"
#include "storage/manifest/manifest.h"

namespace vz::store {

enum class SnapshotScope : std::uint8_t {
  kNode,        ///< whatever the node has
  kCollection,  ///< one collection, without aliases
};

/// RESTORE, decoded and consistent: the files are those that the image names, so that no path leads
/// anywhere but to collections/<id>/<file>.
struct SnapshotContents {
  Bytes restore_bytes;
  std::vector<format::RestoreFile> files;  ///< ascending by path
  manifest::Manifest manifest;
  SnapshotScope scope = SnapshotScope::kNode;
};

/// Errors: kInvalidArgument: a snapshot of one collection is not what a node can hold alone.
Status require_node(const SnapshotContents& contents);

/// The last lsn that the image knows to have been given out.
Lsn last_lsn(const manifest::Manifest& manifest);

/// The newest epoch that the image knows of. The first one, 1, is in no list.
Epoch last_epoch(const manifest::Manifest& manifest);

/// Every file that the image names, ascending by its path relative to the data directory.
std::vector<format::RestoreFile> files_named_by(const manifest::Manifest& manifest);

/// Errors: kOutOfRange (format::encode).
Result<SnapshotContents> make_contents(manifest::Manifest manifest,
                                       SnapshotScope scope = SnapshotScope::kNode);

/// Those of the collection `name` alone, of a snapshot of the node. Errors: kNotFound.
Result<SnapshotContents> contents_of_collection(const SnapshotContents& node,
                                                const std::string& name);

/// Errors: kCorruption, kIncompatible.
Result<SnapshotContents> decode_contents(Bytes restore_bytes);

}  // namespace vz::store
