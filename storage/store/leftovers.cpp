// Removal of files: those of images that are no longer kept, and what a crash has left.
#include "storage/store/leftovers.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "storage/base/log.h"
#include "storage/store/pending_restore.h"

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

bool is_temporary(const DirectoryEntry& entry) {
  return entry.type == FileType::kRegular && entry.name.ends_with(".tmp");
}

class LeftoverSearch {
 public:
  LeftoverSearch(Env& env, const Paths& paths, const manifest::Manifest& current,
                 const PreviousImage& previous)
      : env_(env), paths_(paths), current_(current), previous_(previous) {}

  Result<std::vector<Leftover>> run() {
    VZ_TRY_ASSIGN(const auto in_root, env_.list(paths_.root));
    for (const auto& entry : in_root) {
      const auto number = manifest::parse_file_name(entry.name);
      // An image above the one in force stays until its number comes up again: should CURRENT have
      // been put back to an older version, it is the only trace of the newer one.
      const bool old_image = number && *number < current_.number &&
                             *number != previous_.image.number && *number != previous_.unreadable;
      if (is_temporary(entry) || old_image) add(paths_.root, entry);
    }
    for (const std::string& directory : {paths_.wal(), paths_.root + "/jobs"}) {
      if (!env_.exists(directory)) continue;
      VZ_TRY_ASSIGN(const auto entries, env_.list(directory));
      for (const auto& entry : entries)
        if (is_temporary(entry)) add(directory, entry);
    }
    kept_ = files_of(paths_, current_);
    kept_.merge(files_of(paths_, previous_.image));
    if (restore_pending(env_, paths_)) return std::move(found_);  // Some may be what it brings.
    VZ_TRY_ASSIGN(const auto collections, env_.list(paths_.collections()));
    for (const auto& entry : collections) {
      const auto id = parse_collection_id(entry.name);
      if (!id || entry.type != FileType::kDirectory) continue;
      VZ_TRY_ASSIGN(const auto entries, env_.list(paths_.collection(*id)));
      in_collection(*id, entries);
    }
    return std::move(found_);
  }

 private:
  void add(const std::string& directory, const DirectoryEntry& entry) {
    found_.push_back({.path = directory + "/" + entry.name, .size_bytes = entry.size_bytes});
  }

  void in_collection(CollectionId id, const std::vector<DirectoryEntry>& entries) {
    std::size_t kept = entries.size();
    for (const auto& entry : entries) {
      const std::string path = paths_.collection(id) + "/" + entry.name;
      const auto name = parse_data_file_name(entry.name);
      const bool given_out =
          name && name->seq < current_.next_seq &&
          (name->kind == DataFileName::Kind::kSeg || name->number < current_.next_file_number);
      const bool unnamed = entry.type == FileType::kRegular && given_out && !kept_.contains(path) &&
                           previous_.unreadable == 0;
      if (!is_temporary(entry) && !unnamed) continue;
      add(paths_.collection(id), entry);
      --kept;
    }
    // A collection that only the log knows yet has an id above catalog_lsn; its directory stays.
    const bool dropped = !names_collection(current_, id) &&
                         !names_collection(previous_.image, id) && id <= current_.catalog_lsn;
    if (dropped && kept == 0)
      found_.push_back({.path = paths_.collection(id), .size_bytes = 0, .directory = true});
  }

  Env& env_;
  const Paths& paths_;
  const manifest::Manifest& current_;
  const PreviousImage& previous_;
  std::set<std::string> kept_;
  std::vector<Leftover> found_;
};

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

Result<PreviousImage> load_previous_image(Env& env, const Paths& paths, std::uint64_t current) {
  VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
  std::uint64_t newest = 0;
  for (const auto& entry : entries) {
    const auto number = manifest::parse_file_name(entry.name);
    if (number && *number < current) newest = std::max(newest, *number);
  }
  if (newest == 0) return PreviousImage{};
  auto image = manifest::load_image(env, paths.root, newest);
  if (image) return PreviousImage{.image = std::move(*image)};
  return PreviousImage{.unreadable = newest};  // Only a spare: the image in force is sound.
}

Result<std::vector<Leftover>> find_leftovers(Env& env, const Paths& paths,
                                             const manifest::Manifest& current,
                                             const PreviousImage& previous) {
  return LeftoverSearch(env, paths, current, previous).run();
}

Result<std::map<std::string, std::uint64_t>> Store::data_files() const {
  std::map<std::string, std::uint64_t> files;
  VZ_TRY_ASSIGN(const auto in_root, env_.list(paths_.root));
  for (const auto& entry : in_root)
    if (manifest::parse_file_name(entry.name))
      files[paths_.root + "/" + entry.name] = entry.size_bytes;
  VZ_TRY_ASSIGN(const auto collections, env_.list(paths_.collections()));
  for (const auto& collection : collections) {
    if (!parse_collection_id(collection.name) || collection.type != FileType::kDirectory) continue;
    const std::string directory = paths_.collections() + "/" + collection.name;
    VZ_TRY_ASSIGN(const auto entries, env_.list(directory));
    for (const auto& entry : entries)
      if (entry.type == FileType::kRegular) files[directory + "/" + entry.name] = entry.size_bytes;
  }
  return files;
}

Result<std::vector<std::string>> Store::remove_leftovers(LeftoverKind kind) {
  VZ_TRY_ASSIGN(const auto leftovers,
                find_leftovers(env_, paths_, current_,
                               {.image = previous_, .unreadable = previous_unreadable_}));
  std::vector<std::string> removed;
  for (const Leftover& leftover : leftovers) {
    // Asked each time: tar may begin at any moment, and writes RESTORE first.
    if (restore_pending()) break;
    const bool data = leftover.path.starts_with(paths_.collections() + "/");
    if (kind == LeftoverKind::kData && !data) continue;
    const bool gone = leftover.directory ? remove_if_empty(env_, leftover.path)
                                         : remove_file(env_, leftover.path);
    if (gone) removed.push_back(leftover.path);
  }
  return removed;
}

}  // namespace vz::store
