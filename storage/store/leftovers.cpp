// Removal of files: those of images that are no longer kept, and what a crash has left.
#include <algorithm>
#include <charconv>

#include "storage/base/log.h"
#include "storage/store/store.h"

namespace vz::store {
namespace {

void log_not_removed(const std::string& path, const Error& error) {
  LogEvent(LogLevel::kWarn, "file_not_removed").with("path", path).with("reason", error.message);
}

/// True if it is gone now. A file that stays costs space, nothing else.
bool remove_file(Env& env, const std::string& path) {
  const Status removed = env.remove(path);
  if (removed) return true;
  if (removed.error().code != ErrorCode::kNotFound) log_not_removed(path, removed.error());
  return false;
}

bool remove_if_empty(Env& env, const std::string& path) {
  const auto entries = env.list(path);
  if (!entries || !entries->empty()) return false;
  const Status removed = env.remove_directory(path);
  if (!removed) log_not_removed(path, removed.error());
  return removed.has_value();
}

bool names_collection(const manifest::Manifest& manifest, CollectionId id) {
  return std::any_of(manifest.collections.begin(), manifest.collections.end(),
                     [id](const auto& collection) { return collection.id == id; });
}

std::optional<CollectionId> parse_collection_id(const std::string& name) {
  CollectionId id = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
  if (parsed.ec != std::errc() || std::to_string(id) != name) return std::nullopt;
  return id;
}

bool is_temporary(const DirectoryEntry& entry) {
  return entry.type == FileType::kRegular && entry.name.ends_with(".tmp");
}

}  // namespace

bool Store::keeps_old_files() const {
  if (!old_.empty()) return true;
  const std::set<std::string> current = files_of(paths_, current_);
  const std::set<std::string> previous = files_of(paths_, previous_);
  return !std::includes(current.begin(), current.end(), previous.begin(), previous.end());
}

void Store::remove_obsolete() {
  std::set<std::string> kept = files_of(paths_, current_);
  kept.merge(files_of(paths_, previous_));
  for (const auto& image : old_) {
    for (const std::string& path : files_of(paths_, image)) {
      // Asked each time: tar may begin at any moment, and writes RESTORE first.
      if (restore_pending()) return;
      if (!kept.contains(path)) (void)remove_file(env_, path);
    }
    for (const auto& collection : image.collections) {
      const bool dropped =
          !names_collection(current_, collection.id) && !names_collection(previous_, collection.id);
      if (dropped) (void)remove_if_empty(env_, paths_.collection(collection.id));
    }
    const bool in_use = image.number == current_.number || image.number == previous_.number;
    if (image.number == 0 || in_use) continue;
    (void)remove_file(env_, paths_.root + "/" + manifest::file_name(image.number));
  }
  old_.clear();
}

Result<std::vector<std::string>> Store::remove_leftovers() {
  std::vector<std::string> removed;
  const auto remove = [&](const std::string& path) {
    if (remove_file(env_, path)) removed.push_back(path);
  };

  VZ_TRY_ASSIGN(const auto in_root, env_.list(paths_.root));
  for (const auto& entry : in_root) {
    const auto number = manifest::parse_file_name(entry.name);
    // An image above the one in force stays until its number comes up again: should CURRENT have
    // been put back to an older version, it is the only trace of the newer one.
    const bool old_image = number && *number < current_.number && *number != previous_.number &&
                           *number != previous_unreadable_;
    if (is_temporary(entry) || old_image) remove(paths_.root + "/" + entry.name);
  }
  for (const std::string& directory : {paths_.wal(), paths_.root + "/jobs"}) {
    if (!env_.exists(directory)) continue;
    VZ_TRY_ASSIGN(const auto entries, env_.list(directory));
    for (const auto& entry : entries) {
      if (is_temporary(entry)) remove(directory + "/" + entry.name);
    }
  }
  std::set<std::string> kept = files_of(paths_, current_);
  kept.merge(files_of(paths_, previous_));
  VZ_TRY_ASSIGN(const auto collections, env_.list(paths_.collections()));
  for (const auto& entry : collections) {
    const auto id = parse_collection_id(entry.name);
    if (!id || entry.type != FileType::kDirectory) continue;
    VZ_TRY_ASSIGN(const auto entries, env_.list(paths_.collection(*id)));
    remove_leftovers_of(*id, entries, kept, removed);
  }
  return removed;
}

void Store::remove_leftovers_of(CollectionId id, const std::vector<DirectoryEntry>& entries,
                                const std::set<std::string>& kept,
                                std::vector<std::string>& removed) {
  for (const auto& entry : entries) {
    const std::string path = paths_.collection(id) + "/" + entry.name;
    const auto name = parse_data_file_name(entry.name);
    const bool given_out =
        name && name->seq < current_.next_seq &&
        (name->kind == DataFileName::Kind::kSeg || name->number < current_.next_file_number);
    const bool unnamed = entry.type == FileType::kRegular && given_out && !kept.contains(path) &&
                         previous_unreadable_ == 0 && !restore_pending();
    if ((is_temporary(entry) || unnamed) && remove_file(env_, path)) removed.push_back(path);
  }
  // A collection that only the log knows yet has an id above catalog_lsn; its directory stays.
  const bool dropped = !names_collection(current_, id) && !names_collection(previous_, id) &&
                       id <= current_.catalog_lsn && !restore_pending();
  if (dropped && remove_if_empty(env_, paths_.collection(id))) {
    removed.push_back(paths_.collection(id));
  }
}

}  // namespace vz::store
