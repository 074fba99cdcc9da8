#include "engine/node/snapshot_staging.h"

#include <algorithm>

#include "storage/store/space.h"

namespace vz::node {

Status SnapshotStaging::read(archive::ByteSource& source,
                             const std::optional<Sha256Digest>& expected) {
  VZ_TRY_ASSIGN(const snapshot::ReadReport read, snapshot::read_snapshot(source, {}, this));
  if (expected && *expected != read.archive_sha256)
    return fail(ErrorCode::kCorruption, "Checksum mismatch: the archive's sha256 is " +
                                            to_hex(read.archive_sha256) + ", not " +
                                            to_hex(*expected));
  if (!read.sound()) {
    const auto& first = read.findings.front();
    return fail(ErrorCode::kCorruption, first.file + ": " + first.problem);
  }
  return files_.finish();
}

Status SnapshotStaging::begin(const store::SnapshotContents& contents) {
  if (!collection_) {
    VZ_TRY(store::require_node(contents));
    wanted_ = contents.files;
    return files_.begin(contents);
  }
  const bool of_node = contents.scope == store::SnapshotScope::kNode;
  const std::string name = of_node ? *collection_ : contents.manifest.collections.front().name;
  auto one = store::contents_of_collection(contents, name);
  if (!one && one.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, "the snapshot has no collection `" + name + "`");
  VZ_TRY(one);
  wanted_ = one->files;
  std::uint64_t needed = reserve_bytes_;
  for (const auto& file : wanted_) needed += 2 * file.size_bytes;
  VZ_TRY(store::require_space(env_, {{directory_, needed}}, "recovering the collection",
                              "free some; the disk's reserve is for the other collections"));
  return files_.begin(*one);
}

Status SnapshotStaging::begin_file(const format::RestoreFile& file) {
  skipping_ = !std::binary_search(wanted_.begin(), wanted_.end(), file,
                                  [](const auto& a, const auto& b) { return a.path < b.path; });
  return skipping_ ? Status() : files_.begin_file(file);
}

Status SnapshotStaging::write(ByteSpan bytes) {
  return skipping_ ? Status() : files_.write(bytes);
}

Status SnapshotStaging::end_file() {
  return skipping_ ? Status() : files_.end_file();
}

}  // namespace vz::node
