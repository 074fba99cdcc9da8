// An Env that hands every call on: a base for those that look at some of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/env/env.h"

namespace vz {

/// As thread-safe as what is behind it, which must outlive it.
class ForwardingEnv : public Env {
 public:
  explicit ForwardingEnv(Env& behind) : behind_(behind) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return behind_.open(path, mode);
  }
  Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                             const std::string& relative) override {
    return behind_.open_beneath(directory, relative);
  }
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    return behind_.map(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return behind_.rename(from, to);
  }
  Status link(const std::string& from, const std::string& to) override {
    return behind_.link(from, to);
  }
  Status remove(const std::string& path) override { return behind_.remove(path); }
  Status create_directory(const std::string& path) override {
    return behind_.create_directory(path);
  }
  Status remove_directory(const std::string& path) override {
    return behind_.remove_directory(path);
  }
  Status sync_directory(const std::string& path) override { return behind_.sync_directory(path); }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return behind_.list(path);
  }
  bool exists(const std::string& path) override { return behind_.exists(path); }
  Result<DiskSpace> disk_space(const std::string& path) override {
    return behind_.disk_space(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                         const std::string& owner) override {
    return behind_.lock(path, mode, owner);
  }

 private:
  Env& behind_;
};

}  // namespace vz
