#include "tools/offline/garbage.h"

#include <algorithm>
#include <set>

#include "storage/store/leftovers.h"
#include "storage/store/restoration.h"
#include "tools/offline/check_run.h"
#include "tools/offline/compact_workdir.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/hindrance.h"
#include "tools/offline/layout.h"

namespace vz::offline {
namespace {

constexpr std::string_view kPreviousPrefix = "previous-";

/// Of all files below `path`; links count nothing and are not followed.
std::uint64_t bytes_below(Env& env, const std::string& path) {
  const auto entries = env.list(path);
  if (!entries) return 0;
  std::uint64_t bytes = 0;
  for (const auto& entry : *entries) {
    if (entry.type == FileType::kDirectory) bytes += bytes_below(env, path + "/" + entry.name);
    if (entry.type == FileType::kRegular) bytes += entry.size_bytes;
  }
  return bytes;
}

std::uint64_t bytes_of(Env& env, const std::string& directory, const DirectoryEntry& entry) {
  return entry.type == FileType::kDirectory ? bytes_below(env, directory + "/" + entry.name)
                                            : entry.size_bytes;
}

/// "previous-20261124T220507Z" or that with "-2": what a restore makes
/// (storage/store/restoration.h).
bool is_previous(const DirectoryEntry& entry) {
  constexpr std::string_view kForm = "00000000T000000Z";
  if (entry.type != FileType::kDirectory || !entry.name.starts_with(kPreviousPrefix)) return false;
  const std::string_view time = std::string_view(entry.name).substr(kPreviousPrefix.size());
  if (time.size() < kForm.size()) return false;
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? !is_digit(time[i]) : time[i] != kForm[i]) return false;
  const std::string_view number = time.substr(kForm.size());
  return number.empty() || (number.size() > 1 && number[0] == '-' &&
                            std::all_of(number.begin() + 1, number.end(), is_digit));
}

class Plan {
 public:
  Plan(Env& env, const store::Paths& paths, const store::Identity& identity,
       const manifest::Manifest& image, const GarbageOptions& options)
      : env_(env), paths_(paths), identity_(identity), image_(image), options_(options) {}

  Result<GarbageReport> make() {
    report_.manifest = image_.number;
    VZ_TRY_ASSIGN(const auto previous, store::load_previous_image(env_, paths_, image_.number));
    VZ_TRY_ASSIGN(const auto leftovers, store::find_leftovers(env_, paths_, image_, previous));
    for (const store::Leftover& one : leftovers)
      add(GarbageKind::kLeftover, one.path, one.size_bytes);
    VZ_TRY(add_staging());
    VZ_TRY(add_previous());
    VZ_TRY(add_workdir());
    VZ_TRY(list_strays());
    return std::move(report_);
  }

 private:
  [[nodiscard]] std::string relative(const std::string& path) const {
    return path.substr(paths_.root.size() + 1);
  }
  void add(GarbageKind kind, const std::string& path, std::uint64_t bytes) {
    report_.items.push_back({.kind = kind, .path = relative(path), .size_bytes = bytes});
  }

  Status add_staging() {
    const std::string tmp = paths_.root + "/tmp";
    if (!is_directory(env_, tmp)) return {};
    VZ_TRY_ASSIGN(const auto entries, env_.list(tmp));
    for (const auto& entry : entries) {
      const std::uint64_t bytes = bytes_of(env_, tmp, entry);
      if (store::is_staging(entry)) {
        add(GarbageKind::kStaging, tmp + "/" + entry.name, bytes);
      } else {
        report_.kept.push_back({"tmp/" + entry.name, bytes, "no restore has made it"});
      }
    }
    return {};
  }

  Status add_previous() {
    VZ_TRY_ASSIGN(const auto entries, env_.list(paths_.root));
    for (const auto& entry : entries) {
      if (!is_previous(entry)) continue;
      const std::uint64_t bytes = bytes_of(env_, paths_.root, entry);
      if (options_.previous == GarbageOptions::Previous::kDiscarded) {
        add(GarbageKind::kPrevious, paths_.root + "/" + entry.name, bytes);
      } else {
        report_.kept.push_back(
            {entry.name, bytes, "what a restore replaced: --discard-previous removes it"});
      }
    }
    return {};
  }

  Status add_workdir() {
    if (options_.workdir.empty()) return {};
    if (!env_.exists(options_.workdir))
      return fail(ErrorCode::kNotFound, options_.workdir + ": no such work directory");
    const std::string path = compact_workdir_path(options_.workdir, identity_);
    if (!is_directory(env_, path)) return {};
    const std::uint64_t bytes = bytes_below(env_, path);
    // A copy of this directory has the same name there.
    const auto lock = env_.lock(store::Paths{path}.lock(), LockMode::kShared, "");
    if (!lock && lock.error().code == ErrorCode::kLocked) {
      report_.kept.push_back({path, bytes, "a copy of this directory is being compacted there"});
    } else {
      report_.items.push_back({.kind = GarbageKind::kWorkdir, .path = path, .size_bytes = bytes});
    }
    return {};
  }

  /// What check() calls a stray and is not going to be removed.
  Status list_strays() {
    check::Findings findings(paths_);
    check::Pace pace(0, {});
    const CheckOptions check{.level = check::Level::kLayout};
    check::WatchedEnv watched(env_);
    VZ_TRY(read_layout(Run{{watched, paths_, check.level, findings, pace}, check}));
    VZ_TRY(unhindered(watched));
    std::set<std::string> going;
    for (const GarbageItem& item : report_.items) going.insert(item.path);
    for (const check::Finding& finding : findings.take()) {
      if (going.contains(finding.file)) continue;
      if (finding.id == check::FindingId::kUnknownFile)
        report_.kept.push_back({finding.file, finding.length, "unknown: not made by a node"});
      if (finding.id == check::FindingId::kLeftover) {
        report_.kept.push_back({finding.file, finding.length,
                                "its number was not given out yet: a node overwrites it"});
      }
    }
    return {};
  }

  Env& env_;
  const store::Paths& paths_;
  const store::Identity& identity_;
  const manifest::Manifest& image_;
  const GarbageOptions& options_;
  GarbageReport report_;
};

/// Leftovers are gone already.
void remove_item(Env& env, const store::Paths& paths, GarbageItem& item) {
  const std::string path =
      item.kind == GarbageKind::kWorkdir ? item.path : paths.root + "/" + item.path;
  if (item.kind != GarbageKind::kLeftover) {
    // A link is removed, not what it leads to: list() fails on one that is no directory.
    if (!env.remove(path)) remove_tree(env, path);
  }
  item.removed = !env.exists(path);
}

}  // namespace

std::string_view garbage_kind_name(GarbageKind kind) {
  switch (kind) {
    case GarbageKind::kLeftover:
      return "leftover";
    case GarbageKind::kStaging:
      return "staging";
    case GarbageKind::kPrevious:
      return "previous";
    case GarbageKind::kWorkdir:
      return "workdir";
  }
  return "unknown";
}

std::uint64_t GarbageReport::bytes() const {
  std::uint64_t sum = 0;
  for (const GarbageItem& item : items) sum += item.size_bytes;
  return sum;
}

std::uint64_t GarbageReport::removed_bytes() const {
  std::uint64_t sum = 0;
  for (const GarbageItem& item : items) sum += item.removed ? item.size_bytes : 0;
  return sum;
}

bool GarbageReport::complete() const {
  return std::all_of(items.begin(), items.end(),
                     [](const GarbageItem& item) { return item.removed; });
}

Result<GarbageReport> collect_garbage(Env& env, const std::string& directory,
                                      const GarbageOptions& options) {
  if (options.run == GarbageOptions::Run::kPlan) {
    VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
    VZ_TRY(require_no_restore(env, data.paths));
    return Plan(env, data.paths, data.identity, data.image, options).make();
  }
  VZ_TRY_ASSIGN(const auto store, open_for_writing(env, directory));
  VZ_TRY_ASSIGN(
      GarbageReport report,
      Plan(env, store->paths(), store->identity(), store->opened_manifest(), options).make());
  VZ_TRY(store->remove_leftovers());
  for (GarbageItem& item : report.items) remove_item(env, store->paths(), item);
  return report;
}

}  // namespace vz::offline
