#include "tools/offline/hindrance.h"

#include <optional>
#include <utility>

#include "storage/base/mutex.h"
#include "storage/manifest/manifest.h"
#include "storage/wal/log_file.h"

namespace vz::offline {

struct WatchedEnv::First {
  Mutex mutex;
  std::optional<Error> error VZ_GUARDED_BY(mutex);

  void note(const Error& met) VZ_EXCLUDES(mutex) {
    if (!is_hindrance(met)) return;
    MutexLock lock(mutex);
    if (!error) error = met;
  }
  /// The outcome as it is, once its error has been seen.
  template <typename Outcome>
  Outcome seen(Outcome outcome) {
    if (!outcome) note(outcome.error());
    return outcome;
  }
};

namespace {

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> behind, std::shared_ptr<WatchedEnv::First> first)
      : behind_(std::move(behind)), first_(std::move(first)) {}

  Status write_at(std::uint64_t offset, ByteSpan bytes) override {
    return behind_->write_at(offset, bytes);
  }
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    return first_->seen(behind_->read_at(offset, out));
  }
  Status sync() override { return behind_->sync(); }
  Result<std::uint64_t> size() const override { return first_->seen(behind_->size()); }
  Status truncate(std::uint64_t size) override { return behind_->truncate(size); }
  Status fill_zero(std::uint64_t size) override { return behind_->fill_zero(size); }

 private:
  const std::unique_ptr<File> behind_;
  const std::shared_ptr<WatchedEnv::First> first_;
};

tl::unexpected<Error> not_plain(const std::string& path, std::string_view expected) {
  return fail(ErrorCode::kIoError,
              path + ": expected " + std::string(expected) +
                  ", found a link, a directory, a pipe or a device in its place, which is not "
                  "followed. Put back what belongs there, or move this away, and run it again");
}

Status require_plain(Env& env, const std::string& directory, auto is_ours) {
  const auto entries = env.list(directory);
  if (!entries) return {};
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type != FileType::kRegular && is_ours(entry.name))
      return not_plain(directory + "/" + entry.name, "a regular file");
  }
  return {};
}

/// A link to a directory is one: wal/ may lie on another disk.
Status require_directory(Env& env, const std::string& path, const DirectoryEntry& entry) {
  const bool other = entry.type == FileType::kOther;
  const auto listed = other ? env.list(path) : Result<std::vector<DirectoryEntry>>();
  if (entry.type == FileType::kRegular ||
      (!listed && listed.error().code != ErrorCode::kPermissionDenied))
    return not_plain(path, "a directory");
  return {};
}

bool is_root_file(const std::string& name) {
  return name == "FORMAT" || name == "CURRENT" || manifest::parse_file_name(name).has_value();
}

bool is_log_file(const std::string& name) {
  return wal::parse_log_file_name(name).has_value();
}

bool is_segment_file(const std::string& name) {
  return store::parse_data_file_name(name).has_value();
}

}  // namespace

Status require_plain_files(Env& env, const store::Paths& paths) {
  VZ_TRY(require_plain(env, paths.root, is_root_file));
  const auto in_root = env.list(paths.root);
  if (!in_root) return {};
  for (const DirectoryEntry& entry : *in_root) {
    const std::string path = paths.root + "/" + entry.name;
    if (path == paths.wal() || path == paths.collections())
      VZ_TRY(require_directory(env, path, entry));
  }
  VZ_TRY(require_plain(env, paths.wal(), is_log_file));
  const auto collections = env.list(paths.collections());
  if (!collections) return {};
  for (const DirectoryEntry& entry : *collections) {
    if (!store::parse_collection_id(entry.name)) continue;
    const std::string path = paths.collections() + "/" + entry.name;
    VZ_TRY(require_directory(env, path, entry));
    VZ_TRY(require_plain(env, path, is_segment_file));
  }
  return {};
}

WatchedEnv::WatchedEnv(Env& behind) : ForwardingEnv(behind), first_(std::make_shared<First>()) {}

Result<std::unique_ptr<File>> WatchedEnv::open(const std::string& path, OpenMode mode) {
  VZ_TRY_ASSIGN(auto file, first_->seen(ForwardingEnv::open(path, mode)));
  return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(file), first_));
}

Result<std::unique_ptr<File>> WatchedEnv::open_beneath(const std::string& directory,
                                                       const std::string& relative) {
  VZ_TRY_ASSIGN(auto file, first_->seen(ForwardingEnv::open_beneath(directory, relative)));
  return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(file), first_));
}

Result<std::unique_ptr<MappedFile>> WatchedEnv::map(const std::string& path) {
  return first_->seen(ForwardingEnv::map(path));
}

Result<std::unique_ptr<FileLock>> WatchedEnv::lock(const std::string& path, LockMode mode,
                                                   const std::string& owner) {
  return first_->seen(ForwardingEnv::lock(path, mode, owner));
}

Result<std::vector<DirectoryEntry>> WatchedEnv::list(const std::string& path) {
  return first_->seen(ForwardingEnv::list(path));
}

void WatchedEnv::note(const Error& error) {
  first_->note(error);
}

Status WatchedEnv::unhindered() const {
  MutexLock lock(first_->mutex);
  if (!first_->error) return {};
  const Error& error = *first_->error;
  if (error.code == ErrorCode::kPermissionDenied) {
    return fail(ErrorCode::kPermissionDenied,
                error.message +
                    "; run this as the user that the node runs as, or give that user the file "
                    "(chown, chmod). Nothing was judged or changed");
  }
  return fail(ErrorCode::kExhausted,
              error.message +
                  "; give this process more (ulimit -n, ulimit -v) or end others, and run it "
                  "again. Nothing was judged or changed");
}

}  // namespace vz::offline
