#include "tools/offline/quarantine.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include "storage/store/lock_owner.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/quarantine_record.h"

namespace vz::offline {
namespace {

constexpr std::uint64_t kRecordBytesMax = 1ull << 30;
constexpr std::size_t kCopySize = 1u << 20;
constexpr std::size_t kSectorSize = 4096;
constexpr int kSameNameMax = 10'000;
constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;

std::string directory_of(const store::Paths& paths, const std::string& name) {
  return paths.quarantine() + "/" + name;
}
std::string record_path(const store::Paths& paths, const std::string& name) {
  return directory_of(paths, name) + "/record.json";
}

/// Fills `out` from the file; zeros for sectors that the disk does not deliver. Returns their size.
std::uint64_t read_what_can_be(const File& file, std::uint64_t offset, Bytes& out) {
  if (file.read_at(offset, out)) return 0;
  std::uint64_t lost = 0;
  for (std::size_t at = 0; at < out.size(); at += kSectorSize) {
    const auto part = std::span(out).subspan(at, std::min(kSectorSize, out.size() - at));
    if (file.read_at(offset + at, part)) continue;
    std::fill(part.begin(), part.end(), std::byte{0});
    lost += part.size();
  }
  return lost;
}

/// Hands the bytes of a file from its offset on to `take`; fills size, hash and unreadable_bytes.
template <typename Take>
Status read_through(Env& env, const std::string& path, QuarantinedFile& file, const Take& take) {
  VZ_TRY_ASSIGN(const auto source, env.open(path, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t size, source->size());
  file.size_bytes = size - std::min(size, file.offset);
  file.unreadable_bytes = 0;
  Sha256 sha;
  Bytes buffer;
  for (std::uint64_t at = 0; at < file.size_bytes; at += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(kCopySize, file.size_bytes - at));
    file.unreadable_bytes += read_what_can_be(*source, file.offset + at, buffer);
    sha.update(buffer);
    VZ_TRY(take(at, buffer));
  }
  file.sha256 = sha.finish();
  return {};
}

Result<std::unique_ptr<File>> create_anew(Env& env, const std::string& path) {
  auto file = env.open(path, OpenMode::kCreateNew);
  if (file || file.error().code != ErrorCode::kAlreadyExists) return file;
  VZ_TRY(env.remove(path));
  return env.open(path, OpenMode::kCreateNew);
}

Status copy_to(Env& env, const std::string& from, const std::string& to, QuarantinedFile& file) {
  VZ_TRY_ASSIGN(const auto target, create_anew(env, to));
  VZ_TRY(read_through(env, from, file, [&](std::uint64_t at, const Bytes& bytes) {
    return target->write_at(at, bytes);
  }));
  return target->sync();
}

Result<QuarantineRecord> read_record(Env& env, const store::Paths& paths, const std::string& name) {
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, record_path(paths, name), kRecordBytesMax));
  auto record = decode_record(as_text(bytes));
  if (!record) return while_doing(record.error(), record_path(paths, name));
  record->name = name;
  return record;
}

/// True if the entry holds the bytes that `wanted` (hashed) is to hold.
bool is_same(const QuarantineRecord& entry, const QuarantineRecord& wanted) {
  return entry.kind == wanted.kind &&
         std::equal(entry.files.begin(), entry.files.end(), wanted.files.begin(),
                    wanted.files.end(), [](const auto& a, const auto& b) {
                      return a.from == b.from && a.offset == b.offset && a.sha256 == b.sha256;
                    });
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
    VZ_TRY(read_through(env, paths.root + "/" + file.from, file,
                        [](std::uint64_t, const Bytes&) { return Status(); }));
  }
  const std::string base = record.name;
  for (int number = 2; number < kSameNameMax; ++number) {
    const auto old = read_record(env, paths, record.name);
    if (!old && old.error().code == ErrorCode::kNotFound)
      break;  // Free, or a copy that was cut short.
    if (old && is_same(*old, record)) return old;
    record.name = base + "-" + std::to_string(number);
  }
  const std::string directory = directory_of(paths, record.name);
  VZ_TRY(env.create_directory(paths.quarantine()));
  VZ_TRY(env.create_directory(directory));
  for (QuarantinedFile& file : record.files)
    VZ_TRY(copy_to(env, paths.root + "/" + file.from, directory + "/" + file.name, file));
  record.time_s = std::time(nullptr);
  VZ_TRY(publish_file(env, record_path(paths, record.name), as_bytes(encode_record(record))));
  VZ_TRY(env.sync_directory(paths.quarantine()));
  VZ_TRY(env.sync_directory(paths.root));
  return record;
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
  if (paths_of(target).root == paths.root || paths_of(target).root.starts_with(paths.root + "/")) {
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
    QuarantinedFile copy{.name = file.name};
    VZ_TRY(copy_to(env, from + file.name, to, copy));
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
