#include "storage/store/restoration.h"

#include <algorithm>
#include <ctime>

#include "storage/base/log.h"
#include "storage/format/manifest_format.h"
#include "storage/store/snapshot_contents.h"
#include "storage/store/swap.h"

namespace vz::store {
namespace {

constexpr std::string_view kStagedPrefix = "restore-";

constexpr std::string_view kPreviousPrefix = "previous-";

bool is_previous(const DirectoryEntry& entry) {
  return entry.type == FileType::kDirectory && entry.name.starts_with(kPreviousPrefix);
}

/// Of a directory that held no data. By way of tmp/, where what a kill leaves of it is a leftover.
void remove_previous(Env& env, const Paths& paths, const std::string& name) {
  const std::string from = paths.root + "/" + name;
  const std::string to = paths.root + "/tmp/" + std::string(kStagedPrefix) + name;
  const Status moved = env.rename(from, to);
  remove_tree(env, moved ? to : from);
}

/// "previous-<time>", empty. Those that are empty already are of restores that a kill has ended.
Result<std::string> make_previous(Env& env, const Paths& paths) {
  VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
  for (const auto& entry : entries) {
    if (is_previous(entry))
      (void)env.remove_directory(paths.root + "/" + entry.name);  // Only if empty.
  }
  const std::string base = std::string(kPreviousPrefix) + compact_utc_now();
  std::string name = base;
  for (int number = 2; env.exists(paths.root + "/" + name); ++number)
    name = base + "-" + std::to_string(number);
  VZ_TRY(env.create_directory(paths.root + "/" + name));
  return name;
}

}  // namespace

std::string compact_utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

bool is_staging(const DirectoryEntry& entry) {
  return entry.type == FileType::kDirectory && entry.name.starts_with(kStagedPrefix);
}

void remove_stagings(Env& env, const Paths& paths) {
  const std::string tmp = paths.root + "/tmp";
  const auto entries = env.list(tmp);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (is_staging(entry)) remove_tree(env, tmp + "/" + entry.name);
  }
}

Result<std::string> make_staging(Env& env, const Paths& paths) {
  VZ_TRY(env.create_directory(paths.root + "/tmp"));
  remove_stagings(env, paths);
  std::uint64_t number = 1;
  const auto name = [&] { return "tmp/" + std::string(kStagedPrefix) + std::to_string(number); };
  while (env.exists(paths.root + "/" + name())) ++number;
  VZ_TRY(env.create_directory(paths.root + "/" + name()));
  return name();
}

void remove_previous_without_data(Env& env, const Paths& paths) {
  const auto entries = env.list(paths.root);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (!is_previous(entry)) continue;
    const Paths old{paths.root + "/" + entry.name};
    const auto inside = env.list(old.root);
    const bool only_ours =
        inside && std::all_of(inside->begin(), inside->end(), [](const DirectoryEntry& one) {
          return one.name == "CURRENT" || one.name == "collections" || one.name == "wal" ||
                 manifest::parse_file_name(one.name).has_value();
        });
    const auto seen = look_around(env, old);
    if (only_ours && seen && !seen->holds_data) remove_previous(env, paths, entry.name);
  }
}

Result<manifest::EpochEntry> begin_epoch(manifest::Manifest& image, const SeenHere& seen,
                                         Lsn last) {
  const Epoch epoch = std::max(seen.epoch, last_epoch(image));
  last = std::max({last, seen.lsn, last_lsn(image)});
  const std::uint64_t largest =
      std::max({last, seen.manifest_number, image.number, image.next_seq, seen.next_seq,
                image.next_file_number, seen.next_file_number, std::uint64_t{epoch} << 32});
  if (largest > kNumberMax) {
    return fail(ErrorCode::kCorruption,
                "the snapshot or the directory has come to an epoch, an lsn or a file number "
                "beyond any that a node reaches");
  }
  if (image.epochs.size() == format::kManifestEpochsMax) image.epochs.erase(image.epochs.begin());
  image.epochs.push_back({epoch + 1, last + 1, manifest::EpochKind::kRestore});
  return image.epochs.back();
}

Result<manifest::Manifest> next_image(manifest::Manifest image, const SeenHere& seen) {
  VZ_TRY_ASSIGN(const manifest::EpochEntry epoch, begin_epoch(image, seen, 0));
  image.number = std::max(seen.manifest_number, image.number) + 1;
  image.next_seq = std::max(seen.next_seq, image.next_seq);
  image.next_file_number = std::max(seen.next_file_number, image.next_file_number);
  image.time_us = std::max(seen.time_us, image.time_us);
  image.catalog_lsn = epoch.first_lsn - 1;
  image.log_lsn = epoch.first_lsn;
  image.clean_lsn = 0;  // The log is empty: there is no last record that it must reach.
  return image;
}

Result<std::string> publish_staged(Env& env, const Paths& paths, const std::string& staged,
                                   const manifest::Manifest& image, const SeenHere& seen) {
  const std::string in = paths.root + "/" + staged;
  VZ_TRY(env.create_directory(in + "/wal"));
  VZ_TRY(env.sync_directory(in + "/wal"));
  VZ_TRY(manifest::publish(env, in, image));
  VZ_TRY_ASSIGN(const std::string previous, make_previous(env, paths));
  VZ_TRY(env.sync_directory(paths.root + "/tmp"));
  VZ_TRY(env.sync_directory(paths.root));
  const Status swapped = swap_in(env, paths, {.staged = staged, .previous = previous});
  if (!swapped && swap_pending(env, paths)) {
    return fail(swapped.error().code, swapped.error().message +
                                          "; the snapshot is in force, and the next start or "
                                          "restore completes the exchange");
  }
  VZ_TRY(swapped);
  remove_tree(env, in);
  if (seen.holds_data) return paths.root + "/" + previous;
  remove_previous(env, paths, previous);
  return std::string();
}

void log_restored(std::size_t files, const manifest::Manifest& image, const std::string& previous) {
  LogEvent(LogLevel::kInfo, "restored")
      .with("files", files)
      .with("epoch", image.epochs.back().epoch)
      .with("first_lsn", image.epochs.back().first_lsn)
      .with("previous", previous);
}

Status put_in_force(Env& env, const Paths& paths, const StagedSnapshot& staged) {
  VZ_TRY_ASSIGN(const SeenHere seen, look_around(env, paths));
  VZ_TRY_ASSIGN(const auto image, next_image(staged.image, seen));
  VZ_TRY_ASSIGN(const std::string previous,
                publish_staged(env, paths, staged.directory, image, seen));
  log_restored(files_named_by(image).size(), image, previous);
  return {};
}

}  // namespace vz::store
