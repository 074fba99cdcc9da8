#include "tools/offline/quarantine.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "storage/store/lock_owner.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/file_copy.h"
#include "tools/offline/place.h"
#include "tools/offline/quarantine_record.h"

namespace vz::offline {
namespace {

constexpr std::uint64_t kRecordBytesMax = 1ull << 30;
/// Of a record beside its list of points.
constexpr std::uint64_t kRecordBytes = 1u << 16;
constexpr std::uint64_t kRecordBytesPerPoint = 48;
constexpr int kSameNameMax = 10'000;
constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;

std::string directory_of(const store::Paths& paths, const std::string& name) {
  return paths.quarantine() + "/" + name;
}
std::string record_path(const store::Paths& paths, const std::string& name) {
  return directory_of(paths, name) + "/record.json";
}

Result<QuarantineRecord> read_record(Env& env, const store::Paths& paths, const std::string& name) {
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, record_path(paths, name), kRecordBytesMax));
  auto record = decode_record(as_text(bytes));
  if (!record) return while_doing(record.error(), record_path(paths, name));
  record->name = name;
  return record;
}

enum class Compare : std::uint8_t { kHashes, kSizes };

/// True if the entry holds all of the bytes that `wanted` (hashed, or with sizes) is to hold. It
/// may hold more: of those the originals have gone since.
bool holds(const QuarantineRecord& entry, const QuarantineRecord& wanted, Compare compare) {
  if (entry.kind != wanted.kind) return false;
  if (wanted.files.empty()) return entry.files.empty() && entry.name.starts_with(wanted.name);
  return std::all_of(wanted.files.begin(), wanted.files.end(), [&](const auto& file) {
    return std::any_of(entry.files.begin(), entry.files.end(), [&](const auto& kept) {
      const bool same = kept.from == file.from && kept.offset == file.offset &&
                        kept.size_bytes == file.size_bytes;
      return same && (compare == Compare::kSizes || kept.sha256 == file.sha256);
    });
  });
}

/// The copies that `wanted` asks for are there: a purge that was killed leaves the record alone.
/// What is to be moved is in the entry, or still where it came from.
bool has_copies(Env& env, const store::Paths& paths, const QuarantineRecord& entry,
                const QuarantineRecord& wanted) {
  return std::all_of(wanted.files.begin(), wanted.files.end(), [&](const auto& file) {
    if (file.moved) return true;
    return std::any_of(entry.files.begin(), entry.files.end(), [&](const auto& kept) {
      if (kept.from != file.from || kept.offset != file.offset) return false;
      const auto copy =
          env.open(directory_of(paths, entry.name) + "/" + kept.name, OpenMode::kRead);
      const auto size = copy ? (*copy)->size() : Result<std::uint64_t>(0);
      return copy && size && *size == kept.size_bytes;
    });
  });
}

/// The entry that holds what `wanted` is to hold. Errors: kIoError.
Result<std::optional<QuarantineRecord>> find_kept(Env& env, const store::Paths& paths,
                                                  const QuarantineRecord& wanted, Compare compare) {
  const auto entries = env.list(paths.quarantine());
  if (!entries && entries.error().code == ErrorCode::kNotFound)
    return std::optional<QuarantineRecord>();
  VZ_TRY(entries);
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type != FileType::kDirectory) continue;
    auto record = read_record(env, paths, entry.name);
    if (record && holds(*record, wanted, compare) && has_copies(env, paths, *record, wanted))
      return std::optional(std::move(*record));
  }
  return std::optional<QuarantineRecord>();
}

/// A name of which no entry with a record is. Errors: kAlreadyExists: there are too many.
Result<std::string> free_name(Env& env, const store::Paths& paths, const std::string& base) {
  std::string name = base;
  for (int number = 2; number < kSameNameMax; ++number) {
    const auto old = read_record(env, paths, name);
    if (!old && old.error().code == ErrorCode::kNotFound)
      return name;  // Free, or a copy that was cut short.
    name = base + "-" + std::to_string(number);
  }
  return fail(ErrorCode::kAlreadyExists, paths.quarantine() + ": too many entries called " + base +
                                             ": purge some (data quarantine purge)");
}

/// The copies, and then the record. Durable.
Status write_entry(Env& env, const store::Paths& paths, QuarantineRecord& record) {
  const std::string directory = directory_of(paths, record.name);
  VZ_TRY(env.create_directory(paths.quarantine()));
  VZ_TRY(env.create_directory(directory));
  for (QuarantinedFile& file : record.files) {
    if (file.moved) continue;
    VZ_TRY_ASSIGN(const CopiedFile copied, copy_file(env, paths.root + "/" + file.from,
                                                     directory + "/" + file.name, file.offset));
    file.size_bytes = copied.size_bytes;
    file.sha256 = copied.sha256;
    file.unreadable_bytes = copied.unreadable_bytes;
  }
  record.time_s = std::time(nullptr);
  VZ_TRY(publish_file(env, record_path(paths, record.name), as_bytes(encode_record(record))));
  VZ_TRY(env.sync_directory(paths.quarantine()));
  return env.sync_directory(paths.root);
}

Result<QuarantineEntry> describe(Env& env, const store::Paths& paths, const DirectoryEntry& entry) {
  QuarantineEntry out;
  out.record.name = entry.name;
  out.record.kind = "unknown";
  if (entry.type != FileType::kDirectory) {
    if (entry.name.ends_with(".wal")) out.record.kind = "wal";
    out.bytes = entry.size_bytes;
    out.files = 1;
    return out;
  }
  VZ_TRY_ASSIGN(const auto inside, env.list(directory_of(paths, entry.name)));
  for (const DirectoryEntry& file : inside) {
    out.bytes += file.size_bytes;
    if (file.name != "record.json") ++out.files;
  }
  if (auto record = read_record(env, paths, entry.name)) {
    out.record = std::move(*record);
    out.has_record = true;
  }
  return out;
}

Status require_ours(Env& env, const store::Paths& paths) {
  const bool ours = env.exists(paths.format()) || env.exists(paths.root + "/CURRENT") ||
                    env.exists(paths.quarantine());
  if (ours) return {};
  return fail(ErrorCode::kNoData, paths.root + " is not a data directory: it holds no FORMAT");
}

}  // namespace

bool has_quarantine_record(Env& env, const store::Paths& paths, const std::string& name) {
  return read_record(env, paths, name).has_value();
}

Result<QuarantineRecord> keep_in_quarantine(Env& env, const store::Paths& paths,
                                            QuarantineRecord record) {
  for (QuarantinedFile& file : record.files) {
    VZ_TRY_ASSIGN(const CopiedFile read,
                  read_through(env, paths.root + "/" + file.from, file.offset));
    file.size_bytes = read.size_bytes;
    file.sha256 = read.sha256;
    file.unreadable_bytes = read.unreadable_bytes;
  }
  VZ_TRY_ASSIGN(auto kept, find_kept(env, paths, record, Compare::kHashes));
  if (!kept) {
    VZ_TRY_ASSIGN(record.name, free_name(env, paths, record.name));
    VZ_TRY(write_entry(env, paths, record));
    kept = record;
  }
  const std::string directory = directory_of(paths, kept->name);
  for (const QuarantinedFile& file : record.files) {
    if (!file.moved) continue;
    const std::string from = paths.root + "/" + file.from;
    VZ_TRY(env.rename(from, directory + "/" + file.name));
    VZ_TRY(env.sync_directory(directory));
    VZ_TRY(env.sync_directory(parent_directory(from)));
  }
  return std::move(*kept);
}

Result<std::uint64_t> bytes_for_quarantine(Env& env, const store::Paths& paths,
                                           const QuarantineRecord& record) {
  QuarantineRecord wanted = record;
  std::uint64_t bytes = kRecordBytes + record.points_gone.size() * kRecordBytesPerPoint;
  for (QuarantinedFile& file : wanted.files) {
    VZ_TRY_ASSIGN(const auto source, env.open(paths.root + "/" + file.from, OpenMode::kRead));
    VZ_TRY_ASSIGN(const std::uint64_t size, source->size());
    file.size_bytes = size - std::min(size, file.offset);
    bytes += file.moved ? 0 : file.size_bytes;
  }
  VZ_TRY_ASSIGN(const auto kept, find_kept(env, paths, wanted, Compare::kSizes));
  return kept ? 0 : bytes;
}

Result<std::vector<QuarantineEntry>> list_quarantine(Env& env, const std::string& directory) {
  const store::Paths paths = paths_of(directory);
  VZ_TRY(require_ours(env, paths));
  std::vector<QuarantineEntry> out;
  const auto entries = env.list(paths.quarantine());
  if (!entries && entries.error().code == ErrorCode::kNotFound) return out;
  VZ_TRY(entries);
  for (const DirectoryEntry& entry : *entries) {
    VZ_TRY_ASSIGN(auto described, describe(env, paths, entry));
    out.push_back(std::move(described));
  }
  return out;
}

Result<std::vector<QuarantineEntry>> purge_quarantine(Env& env, const std::string& directory,
                                                      const PurgeOptions& options) {
  const store::Paths paths = paths_of(directory);
  VZ_TRY(require_ours(env, paths));
  if (env.exists(paths.quarantine()) && !is_directory(env, paths.quarantine())) {
    return fail(ErrorCode::kFailedPrecondition,
                paths.quarantine() + " is a link: nothing behind it is removed");
  }
  VZ_TRY_ASSIGN(const auto lock, env.lock(paths.lock(), LockMode::kExclusive, store::lock_owner()));
  VZ_TRY_ASSIGN(auto entries, list_quarantine(env, directory));
  std::vector<QuarantineEntry> gone;
  for (QuarantineEntry& entry : entries) {
    // A record is input like any other: a time that cannot be is taken for now.
    const bool past = entry.record.time_s >= 0 && entry.record.time_s <= options.now_s;
    const std::int64_t age_s = past ? options.now_s - entry.record.time_s : 0;
    const bool old = options.older_than_days == 0 ||
                     (entry.has_record &&
                      age_s / kSecondsPerDay >= static_cast<std::int64_t>(options.older_than_days));
    if (!old) continue;
    const std::string path = directory_of(paths, entry.record.name);
    if (is_directory(env, path)) {
      // The files first: an entry that is cut short can still say what it was.
      for (const QuarantinedFile& file : entry.record.files) {
        const std::string one = path + "/" + file.name;
        if (env.exists(one)) VZ_TRY(env.remove(one));
      }
      remove_tree(env, path);
    } else {
      VZ_TRY(env.remove(path));
    }
    if (env.exists(path)) return fail(ErrorCode::kIoError, path + " cannot be removed");
    gone.push_back(std::move(entry));
  }
  if (!gone.empty()) VZ_TRY(env.sync_directory(paths.quarantine()));
  return gone;
}

Result<std::vector<std::string>> export_quarantined(Env& env, const std::string& directory,
                                                    const std::string& name,
                                                    const std::string& target) {
  const store::Paths paths = paths_of(directory);
  VZ_TRY_ASSIGN(const auto entries, list_quarantine(env, directory));
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const QuarantineEntry& one) {
    return one.record.name == name;
  });
  if (entry == entries.end())
    return fail(ErrorCode::kNotFound, "there is nothing called '" + name + "' in " +
                                          paths.quarantine() + ": see data quarantine list");
  if (lies_in(target, paths.root)) {
    return fail(ErrorCode::kInvalidArgument,
                target +
                    " is inside of the data directory: the manifest names something else in "
                    "the place of these files, and a node would remove or refuse them; name "
                    "a directory elsewhere");
  }
  if (!entry->has_record && is_directory(env, directory_of(paths, name))) {
    return fail(ErrorCode::kFailedPrecondition,
                directory_of(paths, name) +
                    " has no record that says what is right: copy what you need with cp");
  }
  std::vector<QuarantinedFile> files = entry->record.files;
  std::string from = directory_of(paths, name) + "/";
  if (!entry->has_record && entry->files == 1 && entry->record.kind == "wal") {
    files = {{.name = name}};
    from = paths.quarantine() + "/";
  }
  VZ_TRY(env.create_directory(target));
  std::vector<std::string> out;
  for (const QuarantinedFile& file : files) {
    const std::string to = paths_of(target).root + "/" + file.name;
    if (env.exists(to)) return fail(ErrorCode::kAlreadyExists, to + " is there already");
    VZ_TRY_ASSIGN(const CopiedFile copy, copy_file(env, from + file.name, to));
    if (entry->has_record && (copy.sha256 != file.sha256 || copy.size_bytes != file.size_bytes)) {
      return fail(ErrorCode::kCorruption, from + file.name + ": expected the " +
                                              std::to_string(file.size_bytes) +
                                              " bytes that its record names, found others");
    }
    out.push_back(to);
  }
  VZ_TRY(env.sync_directory(target));
  return out;
}

}  // namespace vz::offline
