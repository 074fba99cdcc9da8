#include "tools/offline/layout.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "engine/security/security_file.h"
#include "storage/store/directory_state.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/hindrance.h"
#include "tools/offline/strays.h"
#include "tools/offline/waiting_restore.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::Manifest;
using manifest::SegmentEntry;
using segment::FileInfo;
using segment::FileKind;
using Entries = std::map<std::string, DirectoryEntry>;

bool looks_like_ours(const std::vector<DirectoryEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const DirectoryEntry& entry) {
    return entry.name == "CURRENT" || manifest::parse_file_name(entry.name).has_value();
  });
}

bool is_incompatible(const Error& error) {
  return error.code == ErrorCode::kIncompatible;
}

/// Finds the image to follow.
class Images {
 public:
  Images(const Run& run, const std::vector<DirectoryEntry>& in_root) : run_(run) {
    for (const auto& entry : in_root)
      if (const auto number = manifest::parse_file_name(entry.name)) numbers_.push_back(*number);
    std::sort(numbers_.rbegin(), numbers_.rend());
  }

  /// Errors: kIncompatible.
  Status read(Layout& layout) {
    if (const Manifest* given = run_.options.image; given != nullptr) {
      layout.image = std::make_unique<const Manifest>(*given);
      layout.in_force = true;
      return {};
    }
    const std::string current_path = run_.paths.root + "/CURRENT";
    const auto current = manifest::read_current(run_.env, run_.paths.root);
    if (!current) {
      const bool missing = current.error().code == ErrorCode::kNotFound;
      run_.findings.add(
          missing ? check::FindingId::kCurrentMissing : check::FindingId::kCurrentDamaged,
          current_path, {}, "", missing ? "" : current.error().message);
      return follow_newest(layout, std::nullopt);
    }
    auto image = manifest::load_image(run_.env, run_.paths.root, *current);
    if (!image) {
      if (is_incompatible(image.error())) return tl::unexpected<Error>(image.error());
      const bool missing = image.error().code == ErrorCode::kNotFound;
      run_.findings.add(missing ? check::FindingId::kImageMissing : check::FindingId::kImageDamaged,
                        path_of(*current), {}, "", missing ? "" : image.error().message);
      return follow_newest(layout, *current);
    }
    layout.image = std::make_unique<const Manifest>(std::move(*image));
    layout.in_force = true;
    return read_spare(*current);
  }

  /// The image kept beside the one in force.
  [[nodiscard]] const std::optional<Manifest>& spare() const { return spare_; }
  [[nodiscard]] bool spare_unreadable() const { return spare_unreadable_; }
  [[nodiscard]] std::uint64_t spare_number() const { return spare_number_; }

 private:
  [[nodiscard]] std::string path_of(std::uint64_t number) const {
    return run_.paths.root + "/" + manifest::file_name(number);
  }

  /// Without the image in force the rest is checked against the newest that can be read.
  Status follow_newest(Layout& layout, std::optional<std::uint64_t> unreadable) {
    for (const std::uint64_t number : numbers_) {
      if (number == unreadable) continue;
      auto image = manifest::load_image(run_.env, run_.paths.root, number);
      if (image) {
        layout.image = std::make_unique<const Manifest>(std::move(*image));
        return {};
      }
      if (is_incompatible(image.error())) return tl::unexpected<Error>(image.error());
      run_.findings.add(check::FindingId::kOldImageDamaged, path_of(number), {}, "",
                        image.error().message);
    }
    return {};
  }

  Status read_spare(std::uint64_t current) {
    for (const std::uint64_t number : numbers_) {
      if (number >= current) continue;
      spare_number_ = number;
      auto image = manifest::load_image(run_.env, run_.paths.root, number);
      if (image) {
        spare_ = std::move(*image);
        return {};
      }
      if (is_incompatible(image.error())) return tl::unexpected<Error>(image.error());
      spare_unreadable_ = true;
      run_.findings.add(check::FindingId::kOldImageDamaged, path_of(number), {}, "",
                        image.error().message);
      return {};
    }
    return {};
  }

  const Run& run_;
  std::vector<std::uint64_t> numbers_;  ///< newest first
  std::optional<Manifest> spare_;
  std::uint64_t spare_number_ = 0;
  bool spare_unreadable_ = false;
};

/// Lists a directory; what cannot be listed is a finding, and its files count as missing.
Entries list_or_report(const Run& run, const std::string& path, std::string_view collection) {
  Entries out;
  auto entries = run.env.list(path);
  if (!entries) {
    if (entries.error().code != ErrorCode::kNotFound)
      run.findings.add(check::FindingId::kUnlistable, path, {}, collection,
                       entries.error().message);
    return out;
  }
  for (auto& entry : *entries) out.emplace(entry.name, entry);
  return out;
}

/// Names the files of one collection and reports those that are not there.
class CollectionFiles {
 public:
  CollectionFiles(const Run& run, Layout& layout, const CollectionEntry& entry)
      : run_(run),
        layout_(layout),
        entry_(entry),
        in_directory_(entry.segments.empty()
                          ? Entries{}
                          : list_or_report(run, run.paths.collection(entry.id), entry.name)) {}

  check::NamedCollection name_all() {
    return check::name_files(run_.paths, entry_,
                             [this](const std::string& path, FileKind kind, const FileInfo& info) {
                               return add(path, kind, info);
                             });
  }

 private:
  check::NamedFile* add(const std::string& path, FileKind kind, const FileInfo& info) {
    check::NamedFile& file = layout_.files.emplace_back();
    file.path = path;
    file.kind = kind;
    file.info = info;
    file.collection = entry_.name;
    file.present = in_directory_.contains(path.substr(path.rfind('/') + 1));
    if (!file.present) {
      run_.report(file,
                  check::by_kind(file, check::FindingId::kSegmentMissing,
                                 check::FindingId::kDerivedMissing),
                  {}, "");
    }
    return &file;
  }

  const Run& run_;
  Layout& layout_;
  const CollectionEntry& entry_;
  const Entries in_directory_;
};

/// A repair judges the content in force, and never begins while a snapshot waits.
Status report_restore(const Run& run) {
  if (run.options.image != nullptr) return {};
  VZ_TRY_ASSIGN(const auto restore, look_for_restore(run.env, run.paths));
  if (!restore) return {};
  const check::FindingId id =
      restore->complete ? check::FindingId::kRestoreWaiting : check::FindingId::kRestoreIncomplete;
  run.findings.add(id, run.paths.restore(), {}, "", text_of(*restore));
  return {};
}

/// Errors: those that say nothing about the file, and kIncompatible.
Status report_security(const Run& run) {
  const auto loaded = security::load(run.env, run.paths.root);
  if (loaded) return {};
  if (loaded.error().code != ErrorCode::kCorruption) return tl::unexpected<Error>(loaded.error());
  run.findings.add(check::FindingId::kSecurityDamaged, security::file_path(run.paths.root), {}, "",
                   loaded.error().message);
  return {};
}

}  // namespace

Result<store::Identity> read_format(Env& env, const store::Paths& paths,
                                    check::Findings& findings) {
  VZ_TRY(require_directory(env, paths));
  const auto state = store::inspect(env, paths);
  if (!state) {
    if (state.error().code != ErrorCode::kNoData) return tl::unexpected<Error>(state.error());
    VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
    if (!looks_like_ours(entries)) {
      return fail(ErrorCode::kNoData,
                  paths.root + " is not a data directory: it holds other things and no FORMAT");
    }
    findings.add(check::FindingId::kFormatMissing, paths.format(), {}, "", "");
    return store::Identity{.cluster_id = {}, .node_id = {}};
  }
  if (*state == store::DirectoryState::kFresh) return no_data_yet(env, paths);
  auto identity = store::read_identity(env, paths);
  if (identity || is_incompatible(identity.error())) return identity;
  findings.add(check::FindingId::kFormatDamaged, paths.format(), {}, "", identity.error().message);
  return store::Identity{.cluster_id = {}, .node_id = {}};
}

Result<Layout> read_layout(const Run& run) {
  Layout layout;
  VZ_TRY(report_security(run));
  VZ_TRY_ASSIGN(const auto in_root, run.env.list(run.paths.root));
  VZ_TRY(report_restore(run));
  Images images(run, in_root);
  VZ_TRY(images.read(layout));
  if (layout.image == nullptr) return layout;

  const Manifest& image = *layout.image;
  VZ_TRY_ASSIGN(const auto wanted, wanted_collections(run.paths, image, run.options.collection));
  for (const CollectionEntry* entry : wanted)
    layout.collections.push_back(CollectionFiles(run, layout, *entry).name_all());
  // Without the image in force nothing can be called a leftover.
  if (layout.in_force) {
    report_strays(run, in_root,
                  {.current = image,
                   .spare = images.spare(),
                   .spare_number = images.spare_number(),
                   .spare_unreadable = images.spare_unreadable()});
  }
  return layout;
}

namespace {

Result<CheckReport> check_watched(
    check::WatchedEnv& env, const std::string& directory, const CheckOptions& options,
    const std::function<Result<CheckReport>(const Run&, Layout&)>& steps) {
  const auto began = std::chrono::steady_clock::now();
  const store::Paths paths = paths_of(directory);
  check::Findings findings(paths);
  VZ_TRY_ASSIGN(store::Identity identity, read_format(env, paths, findings));
  VZ_TRY_ASSIGN(const auto lock, lock_shared(env, paths));
  VZ_TRY(require_no_swap(env, paths));
  VZ_TRY(require_plain_files(env, paths));
  check::Pace pace(options.limit_rate_bytes, options.progress);
  const Run run{{env, paths, options.level, findings, pace}, options};
  VZ_TRY_ASSIGN(Layout layout, read_layout(run));
  VZ_TRY_ASSIGN(CheckReport report, steps(run, layout));
  if (const auto newer = run.incompatible()) return tl::unexpected<Error>(*newer);
  report.identity = std::move(identity);
  report.level = options.level;
  if (layout.image != nullptr) report.manifest = layout.image->number;
  report.duration_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return report;
}

}  // namespace

Result<CheckReport> check_layout(
    Env& env, const std::string& directory, const CheckOptions& options,
    const std::function<Result<CheckReport>(const Run&, Layout&)>& steps) {
  check::WatchedEnv watched(env);
  auto report = check_watched(watched, directory, options, steps);
  VZ_TRY(unhindered(watched));  // Before all else: it may be what another error comes from.
  return report;
}

}  // namespace vz::offline
