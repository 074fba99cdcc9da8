#include "storage/store/directory_state.h"

#include <algorithm>
#include <array>

#include "storage/format/restore_format.h"
#include "storage/store/pending_restore.h"

namespace vz::store {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The first image as create_first() writes it, or a piece of it; never one that names data.
bool is_first_image(Env& env, const Paths& paths) {
  const auto image = manifest::load_image(env, paths.root, 1);
  return image && *image == manifest::Manifest{.number = 1};
}

Result<bool> counts_as_empty(Env& env, const Paths& paths, const DirectoryEntry& entry) {
  static constexpr std::array<std::string_view, 5> kFiles = {"LOCK", "BALLAST", "FORMAT.tmp",
                                                             "CURRENT.tmp", "MANIFEST-1.tmp"};
  static constexpr std::array<std::string_view, 3> kEmptyDirectories = {"wal", "collections",
                                                                        "quarantine"};
  // Not made of the log or the segments: nothing is lost by beginning beside them.
  static constexpr std::array<std::string_view, 5> kAnyDirectories = {"lost+found", "snapshots",
                                                                      "jobs", "log", "tmp"};
  if (entry.type == FileType::kDirectory) {
    if (is_one_of(kAnyDirectories, entry.name)) return true;
    if (!is_one_of(kEmptyDirectories, entry.name)) return false;
    VZ_TRY_ASSIGN(const auto inside, env.list(paths.root + "/" + entry.name));
    return inside.empty();
  }
  if (entry.type != FileType::kRegular) return false;
  if (is_one_of(kFiles, entry.name)) return true;
  if (entry.name == "MANIFEST-1") return is_first_image(env, paths);
  if (entry.name != "CURRENT") return false;
  const auto current = manifest::load(env, paths.root);
  return current && *current == manifest::Manifest{.number = 1};
}

/// Beside a RESTORE everything with a name of ours is either its own or will be set aside.
bool belongs_beside_restore(const DirectoryEntry& entry) {
  static constexpr std::array<std::string_view, 5> kFiles = {"RESTORE", "CURRENT", "BALLAST",
                                                             "security.json", "config.json"};
  static constexpr std::array<std::string_view, 3> kDirectories = {"wal", "collections",
                                                                   "quarantine"};
  if (entry.type == FileType::kDirectory)
    return is_one_of(kDirectories, entry.name) || entry.name.starts_with("previous-");
  return entry.type == FileType::kRegular &&
         (is_one_of(kFiles, entry.name) || manifest::parse_file_name(entry.name));
}

/// A RESTORE of ours by its first bytes, however much of it has come. Errors: kPermissionDenied.
Result<bool> holds_restore(Env& env, const Paths& paths) {
  Bytes magic(format::kRestoreMagic.size());
  const auto file = env.open_beneath(paths.root, "RESTORE");
  if (!file && file.error().code == ErrorCode::kPermissionDenied) {
    return fail(ErrorCode::kPermissionDenied, file.error().message + kOwnerAdvice);
  }
  return file && (*file)->read_at(0, magic) && as_text(magic) == format::kRestoreMagic;
}

std::string printable(std::string text) {
  for (char& letter : text) {
    if (letter < 0x20 || letter == 0x7f) letter = '?';
  }
  return text;
}

}  // namespace

Result<DirectoryState> inspect(Env& env, const Paths& paths) {
  if (!env.exists(paths.root)) return DirectoryState::kAbsent;
  if (env.exists(paths.format())) return DirectoryState::kOurs;
  VZ_TRY_ASSIGN(const bool restore, holds_restore(env, paths));
  VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
  for (const auto& entry : entries) {
    if (restore && belongs_beside_restore(entry)) continue;
    VZ_TRY_ASSIGN(const bool empty, counts_as_empty(env, paths, entry));
    if (empty) continue;
    return fail(ErrorCode::kNoData, paths.root + " is not a data directory: it holds \"" +
                                        printable(entry.name) +
                                        "\" but no FORMAT; name an empty or absent directory");
  }
  return DirectoryState::kFresh;
}

}  // namespace vz::store
