#include "tools/offline/strays.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>
#include <string_view>

#include "storage/wal/log_file.h"
#include "storage/wal/log_start.h"

namespace vz::offline {
namespace {

constexpr std::array<std::string_view, 7> kOurFiles = {
    "LOCK", "FORMAT", "CURRENT", "RESTORE", "BALLAST", "security.json", "config.json"};
constexpr std::array<std::string_view, 8> kOurDirectories = {
    "wal", "collections", "quarantine", "snapshots", "jobs", "log", "tmp", "lost+found"};
constexpr std::string_view kPreviousPrefix = "previous-";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_temporary(const DirectoryEntry& entry) {
  return entry.type == FileType::kRegular && entry.name.ends_with(".tmp");
}

class Strays {
 public:
  Strays(const Run& run, const KeptImages& images)
      : run_(run), images_(images), current_(store::files_of(run.paths, images.current)) {
    if (images.spare) spare_ = store::files_of(run.paths, *images.spare);
  }

  void in_root(const std::vector<DirectoryEntry>& entries) {
    for (const auto& entry : entries) {
      if (is_temporary(entry)) {
        leftover("", entry);
      } else if (const auto number = manifest::parse_file_name(entry.name)) {
        const bool kept = *number == images_.current.number || *number == images_.spare_number;
        if (!kept) leftover("", entry);
      } else if (entry.type == FileType::kDirectory) {
        if (!contains(kOurDirectories, entry.name) && !entry.name.starts_with(kPreviousPrefix))
          unknown("", entry);
      } else if (entry.type != FileType::kRegular || !contains(kOurFiles, entry.name)) {
        unknown("", entry);
      }
    }
  }

  void in_log() {
    const std::string directory = run_.paths.wal();
    const auto files = wal::list_log_files(run_.env, directory);
    const auto entries = run_.env.list(directory);
    if (!files || !entries) return;  // The check of the log says so.
    std::set<std::string> known;
    for (const auto& file : *files) known.insert(file.path);
    for (std::size_t i = 0; i < wal::kSparesMax; ++i)
      known.insert(directory + "/" + wal::spare_name(i));
    for (const auto& entry : *entries) {
      if (is_temporary(entry)) {
        leftover(directory, entry);
      } else if (!known.contains(directory + "/" + entry.name)) {
        unknown(directory, entry);
      }
    }
  }

  void in_collections() {
    const std::string directory = run_.paths.collections();
    const auto entries = run_.env.list(directory);
    if (!entries) {
      if (!current_.empty())
        run_.findings.add(check::FindingId::kUnlistable, directory, {}, "",
                          entries.error().message);
      return;
    }
    for (const auto& entry : *entries) {
      if (entry.type == FileType::kDirectory && store::parse_collection_id(entry.name)) {
        in_collection(directory + "/" + entry.name);
      } else {
        unknown(directory, entry);
      }
    }
  }

  void missing_of_spare() {
    std::set<std::string> names;
    std::set_difference(spare_.begin(), spare_.end(), current_.begin(), current_.end(),
                        std::inserter(names, names.end()));
    for (const std::string& path : names) {
      if (!run_.env.exists(path))
        run_.findings.add(check::FindingId::kOldImageFileMissing, path, {}, "", "");
    }
  }

 private:
  void in_collection(const std::string& directory) {
    const auto entries = run_.env.list(directory);
    if (!entries) return;  // Reported with the files that should be in it.
    for (const auto& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      if (current_.contains(path) || spare_.contains(path)) continue;
      const bool numbered = store::parse_data_file_name(entry.name).has_value();
      if (numbered && images_.spare_unreadable) continue;
      numbered || is_temporary(entry) ? leftover(directory, entry) : unknown(directory, entry);
    }
  }

  void leftover(const std::string& directory, const DirectoryEntry& entry) {
    add(check::FindingId::kLeftover, directory, entry);
  }
  void unknown(const std::string& directory, const DirectoryEntry& entry) {
    add(check::FindingId::kUnknownFile, directory, entry);
  }
  void add(check::FindingId id, const std::string& directory, const DirectoryEntry& entry) {
    const std::string& in = directory.empty() ? run_.paths.root : directory;
    run_.findings.add(id, in + "/" + entry.name, {0, entry.size_bytes}, "", "");
  }

  const Run& run_;
  const KeptImages& images_;
  const std::set<std::string> current_;
  std::set<std::string> spare_;
};

}  // namespace

void report_strays(const Run& run, const std::vector<DirectoryEntry>& in_root,
                   const KeptImages& images) {
  Strays strays(run, images);
  strays.in_root(in_root);
  strays.in_log();
  strays.in_collections();
  strays.missing_of_spare();
}

}  // namespace vz::offline
