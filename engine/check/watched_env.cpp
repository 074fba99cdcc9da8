#include "engine/check/watched_env.h"

#include <optional>
#include <utility>

#include "storage/base/mutex.h"

namespace vz::check {

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

}  // namespace

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

std::optional<Error> WatchedEnv::hindrance() const {
  MutexLock lock(first_->mutex);
  return first_->error;
}

}  // namespace vz::check
