#include "storage/store/pending_restore.h"

#include <algorithm>
#include <map>
#include <set>

#include "storage/base/log.h"
#include "storage/store/restoration.h"
#include "storage/store/second_names.h"

namespace vz::store {
namespace {

constexpr std::string_view kRestore = "RESTORE";
constexpr std::size_t kProblemsNamed = 5;
constexpr std::size_t kReadBytes = 1u << 20;

/// Problems of files: the first few in words, and how many there are.
class Problems {
 public:
  void add(const std::string& path, const std::string& what) {
    if (++count_ > kProblemsNamed) return;
    if (!text_.empty()) text_ += "; ";
    text_ += path + " " + what;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::string text() const {
    if (count_ <= kProblemsNamed) return text_;
    return text_ + "; and " + std::to_string(count_ - kProblemsNamed) + " more";
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

class Fingerprint {
 public:
  void add(const DirectoryEntry& entry) {
    add(entry.size_bytes);
    add(static_cast<std::uint64_t>(entry.changed_ns));
  }
  void add(std::uint64_t number) { value_ = PointIdHash{}(PointId::number(value_ ^ number)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 1;
};

std::string expected_found(std::uint64_t expected, std::uint64_t found) {
  return "should have " + std::to_string(expected) + " bytes and has " + std::to_string(found);
}

using Entries = std::map<std::string, DirectoryEntry>;

/// What is in a directory; nothing if it is not there, or if a link or a file stands in its place.
class Lister {
 public:
  Lister(Env& env, const Paths& paths) : env_(env), paths_(paths) {}

  /// relative: "" or "collections" or "collections/2". Errors: listing.
  Result<const Entries*> list(const std::string& relative) {
    const auto known = listed_.find(relative);
    if (known != listed_.end()) return &known->second;
    Entries entries;
    VZ_TRY_ASSIGN(const bool there, is_directory(relative));
    if (there) {
      auto found = env_.list(paths_.root + (relative.empty() ? "" : "/" + relative));
      if (!found && found.error().code != ErrorCode::kNotFound)
        return tl::unexpected<Error>(std::move(found).error());
      if (found)
        for (auto& entry : *found) entries.emplace(entry.name, entry);
    }
    return &listed_.emplace(relative, std::move(entries)).first->second;
  }

 private:
  Result<bool> is_directory(const std::string& relative) {
    if (relative.empty()) return true;
    const std::size_t slash = relative.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : relative.substr(0, slash);
    VZ_TRY_ASSIGN(const Entries* beside, list(parent));
    const auto found = beside->find(relative.substr(slash + 1));
    return found != beside->end() && found->second.type == FileType::kDirectory;
  }

  Env& env_;
  const Paths& paths_;
  std::map<std::string, Entries> listed_;
};

/// "" if it is what it should be.
Result<std::string> problem_of(Env& env, const Paths& paths, const format::RestoreFile& wanted,
                               std::span<std::byte> buffer, const OnBytesRead& on_bytes_read) {
  const auto file = env.open_beneath(paths.root, wanted.path);
  if (!file && file.error().code == ErrorCode::kNotFound) return "is missing";
  if (!file) return tl::unexpected<Error>(file.error());
  VZ_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
  if (size != wanted.size_bytes) return expected_found(wanted.size_bytes, size);
  Sha256 hash;
  for (std::uint64_t at = 0; at < size;) {
    const auto piece = buffer.first(std::min<std::uint64_t>(buffer.size(), size - at));
    VZ_TRY((*file)->read_at(at, piece));
    hash.update(piece);
    at += piece.size();
    VZ_TRY(on_bytes_read(piece.size()));
  }
  if (const Sha256Digest found = hash.finish(); found != wanted.sha256)
    return "should have the sha256 " + to_hex(wanted.sha256) + " and has " + to_hex(found);
  VZ_TRY((*file)->sync());
  return std::string();
}

Status sync_directories(Env& env, const Paths& paths,
                        const std::vector<format::RestoreFile>& files) {
  std::set<std::string> directories;
  for (const auto& file : files) directories.insert(parent_directory(paths.root + "/" + file.path));
  for (const std::string& directory : directories) VZ_TRY(env.sync_directory(directory));
  if (!directories.empty()) VZ_TRY(env.sync_directory(paths.collections()));
  return env.sync_directory(paths.root);
}

}  // namespace

bool restore_pending(Env& env, const Paths& paths) {
  return env.exists(paths.restore());
}

Result<SnapshotContents> read_restore(Env& env, const Paths& paths) {
  VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [](const auto& one) { return one.name == kRestore; });
  if (entry == entries.end()) return fail(ErrorCode::kNotFound, paths.restore() + " is not there");
  if (entry->type != FileType::kRegular) {
    return fail(ErrorCode::kCorruption, paths.restore() + " is no regular file");
  }
  if (entry->size_bytes > format::kRestoreBytesMax) {
    return fail(ErrorCode::kCorruption, paths.restore() + " has " +
                                            std::to_string(entry->size_bytes) + " bytes, at most " +
                                            std::to_string(format::kRestoreBytesMax) + " expected");
  }
  VZ_TRY_ASSIGN(const auto file, env.open_beneath(paths.root, std::string(kRestore)));
  Bytes bytes(entry->size_bytes);
  const Status read = file->read_at(0, bytes);
  if (!read) return fail(ErrorCode::kCorruption, read.error().message);  // It has become shorter.
  auto contents = decode_contents(std::move(bytes));
  if (!contents) return while_doing(std::move(contents).error(), paths.root);
  return contents;
}

Result<Arrival> look_at_arrival(Env& env, const Paths& paths, const SnapshotContents& contents) {
  Lister lister(env, paths);
  Arrival arrival{.files = contents.files.size(), .problem = {}};
  Problems problems;
  Fingerprint fingerprint;
  VZ_TRY_ASSIGN(const Entries* in_root, lister.list(""));
  if (const auto restore = in_root->find(std::string(kRestore)); restore != in_root->end())
    fingerprint.add(restore->second);
  for (const auto& file : contents.files) {
    const std::size_t slash = file.path.rfind('/');
    VZ_TRY_ASSIGN(const Entries* beside, lister.list(file.path.substr(0, slash)));
    const auto found = beside->find(file.path.substr(slash + 1));
    fingerprint.add(found == beside->end() ? 0 : 1);
    if (found == beside->end()) {
      problems.add(file.path, "is missing");
      continue;
    }
    fingerprint.add(found->second);
    if (found->second.type != FileType::kRegular) {
      problems.add(file.path, "is no regular file");
    } else if (found->second.size_bytes != file.size_bytes) {
      problems.add(file.path, expected_found(file.size_bytes, found->second.size_bytes));
    } else {
      ++arrival.files_present;
    }
  }
  arrival.problem = problems.text();
  arrival.fingerprint = fingerprint.value();
  return arrival;
}

Status check_files(Env& env, const Paths& paths, const std::vector<format::RestoreFile>& files,
                   const OnBytesRead& on_bytes_read) {
  Problems problems;
  Bytes buffer(kReadBytes);
  for (const auto& file : files) {
    VZ_TRY_ASSIGN(const std::string problem, problem_of(env, paths, file, buffer, on_bytes_read));
    if (!problem.empty()) problems.add(file.path, problem);
  }
  if (problems.empty()) return {};
  return fail(ErrorCode::kCorruption, paths.root + ": " + problems.text());
}

Result<VerifiedRestore> VerifiedRestore::verify(Env& env, const Paths& paths,
                                                const OnBytesRead& on_bytes_read) {
  const std::string advice =
      "; unpack the archive again, or go back to what was here by vectorizerctl data "
      "restore-abort " +
      paths.root;
  const auto judged = [&](Error error) {
    if (error.code == ErrorCode::kCorruption)
      error.message = "the restore is not complete: " + error.message + advice;
    if (error.code == ErrorCode::kPermissionDenied) error.message += kOwnerAdvice;
    return tl::unexpected<Error>(std::move(error));
  };
  auto contents = read_restore(env, paths);
  if (!contents) return judged(std::move(contents).error());
  VZ_TRY_ASSIGN(const Arrival arrival, look_at_arrival(env, paths, *contents));
  if (!arrival.complete())
    return judged({ErrorCode::kCorruption, paths.root + ": " + arrival.problem});
  Status checked = check_files(env, paths, contents->files, on_bytes_read);
  if (!checked) return judged(std::move(checked).error());
  VZ_TRY(sync_directories(env, paths, contents->files));
  return VerifiedRestore(*std::move(contents), arrival.fingerprint);
}

bool VerifiedRestore::still_holds(Env& env, const Paths& paths) const {
  const auto arrival = look_at_arrival(env, paths, contents_);
  return arrival && arrival->complete() && arrival->fingerprint == fingerprint_;
}

Status put_in_force(Env& env, const Paths& paths, const VerifiedRestore& restore) {
  const SnapshotContents& contents = restore.contents();
  VZ_TRY_ASSIGN(const SeenHere seen, look_around(env, paths, &contents));
  VZ_TRY_ASSIGN(const auto image, next_image(contents.manifest, seen));
  VZ_TRY_ASSIGN(const std::string staged, make_staging(env, paths));
  if (Status done = give_second_names(env, paths, paths.root + "/" + staged, contents.files,
                                      NamesLast::kForGood);
      !done) {
    remove_tree(env, paths.root + "/" + staged);
    return done;
  }
  VZ_TRY_ASSIGN(const std::string previous, publish_staged(env, paths, staged, image, seen));
  log_restored(contents.files.size(), image, previous);
  return {};
}

}  // namespace vz::store
