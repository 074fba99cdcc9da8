#include "tools/offline/hindrance.h"

#include <string>

#include "storage/manifest/manifest.h"
#include "storage/wal/log_file.h"

namespace vz::offline {
namespace {

tl::unexpected<Error> not_plain(const std::string& path, std::string_view expected) {
  return fail(ErrorCode::kIoError,
              path + ": expected " + std::string(expected) +
                  ", found a link, a directory, a pipe or a device in its place, which is not "
                  "followed. Put back what belongs there, or move this away, and run it again");
}

Status require_plain(Env& env, const std::string& directory, auto is_ours) {
  const auto entries = env.list(directory);
  if (!entries) return {};
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type != FileType::kRegular && is_ours(entry.name))
      return not_plain(directory + "/" + entry.name, "a regular file");
  }
  return {};
}

/// A link to a directory is one: wal/ may lie on another disk.
Status require_directory(Env& env, const std::string& path, const DirectoryEntry& entry) {
  const bool other = entry.type == FileType::kOther;
  const auto listed = other ? env.list(path) : Result<std::vector<DirectoryEntry>>();
  if (entry.type == FileType::kRegular ||
      (!listed && listed.error().code != ErrorCode::kPermissionDenied))
    return not_plain(path, "a directory");
  return {};
}

bool is_root_file(const std::string& name) {
  return name == "FORMAT" || name == "CURRENT" || manifest::parse_file_name(name).has_value();
}

bool is_log_file(const std::string& name) {
  return wal::parse_log_file_name(name).has_value();
}

bool is_segment_file(const std::string& name) {
  return store::parse_data_file_name(name).has_value();
}

}  // namespace

Status require_plain_files(Env& env, const store::Paths& paths) {
  VZ_TRY(require_plain(env, paths.root, is_root_file));
  const auto in_root = env.list(paths.root);
  if (!in_root) return {};
  for (const DirectoryEntry& entry : *in_root) {
    const std::string path = paths.root + "/" + entry.name;
    if (path == paths.wal() || path == paths.collections())
      VZ_TRY(require_directory(env, path, entry));
  }
  VZ_TRY(require_plain(env, paths.wal(), is_log_file));
  const auto collections = env.list(paths.collections());
  if (!collections) return {};
  for (const DirectoryEntry& entry : *collections) {
    if (!store::parse_collection_id(entry.name)) continue;
    const std::string path = paths.collections() + "/" + entry.name;
    VZ_TRY(require_directory(env, path, entry));
    VZ_TRY(require_plain(env, path, is_segment_file));
  }
  return {};
}

Status unhindered(const check::WatchedEnv& env) {
  const auto met = env.hindrance();
  if (!met) return {};
  if (met->code == ErrorCode::kPermissionDenied) {
    return fail(ErrorCode::kPermissionDenied,
                met->message +
                    "; run this as the user that the node runs as, or give that user the file "
                    "(chown, chmod). Nothing was judged or changed");
  }
  return fail(ErrorCode::kExhausted,
              met->message +
                  "; give this process more (ulimit -n, ulimit -v) or end others, and run it "
                  "again. Nothing was judged or changed");
}

}  // namespace vz::offline
