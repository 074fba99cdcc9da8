// Files in memory for tests that open thousands of damaged copies of a file. A mapped file is a
// heap copy of its exact size, so that AddressSanitizer sees a read one byte beyond the end.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/env/env.h"

namespace vz::test {

class MemoryEnv final : public Env {
 public:
  using Files = std::map<std::string, std::shared_ptr<Bytes>>;

  [[nodiscard]] const Bytes& content(const std::string& path) const { return *files_.at(path); }
  void put(const std::string& path, Bytes bytes) {
    files_[path] = std::make_shared<Bytes>(std::move(bytes));
  }
  [[nodiscard]] const Files& files() const { return files_; }
  /// From now on every mapping says that a page could not be read.
  void fail_mappings() { *mappings_failed_ = true; }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const bool found = files_.count(path) != 0;
    if (mode == OpenMode::kCreateNew && found) return fail(ErrorCode::kAlreadyExists, path);
    if (mode != OpenMode::kCreateNew && !found) return fail(ErrorCode::kNotFound, path);
    if (!found) files_[path] = std::make_shared<Bytes>();
    return std::make_unique<MemoryFile>(files_[path]);
  }
  Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                             const std::string& relative) override {
    return open(directory + "/" + relative, OpenMode::kRead);
  }
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    if (files_.count(path) == 0) return fail(ErrorCode::kNotFound, path);
    return std::make_unique<Mapping>(*files_.at(path), mappings_failed_);
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (files_.count(from) == 0) return fail(ErrorCode::kNotFound, from);
    files_[to] = files_[from];
    files_.erase(from);
    return {};
  }
  Status link(const std::string&, const std::string&) override { return unsupported(); }
  Status remove(const std::string& path) override {
    if (files_.erase(path) == 0) return fail(ErrorCode::kNotFound, path);
    return {};
  }
  Status create_directory(const std::string&) override { return {}; }
  Status remove_directory(const std::string&) override { return {}; }
  Status sync_directory(const std::string&) override { return {}; }
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    std::vector<DirectoryEntry> entries;
    for (const auto& [path, bytes] : files_) {
      if (!path.starts_with(directory + "/")) continue;
      const std::string name = path.substr(directory.size() + 1);
      if (name.find('/') == name.npos)
        entries.push_back({.name = name, .type = FileType::kRegular, .size_bytes = bytes->size()});
    }
    return entries;
  }
  bool exists(const std::string& path) override { return files_.count(path) != 0; }
  Result<DiskSpace> disk_space(const std::string&) override { return unsupported(); }
  Result<std::unique_ptr<FileLock>> lock(const std::string&, LockMode,
                                         const std::string&) override {
    return unsupported();
  }

 private:
  static tl::unexpected<Error> unsupported() {
    return fail(ErrorCode::kUnsupported, "not in MemoryEnv");
  }

  class MemoryFile final : public File {
   public:
    explicit MemoryFile(std::shared_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
    Status write_at(std::uint64_t offset, ByteSpan bytes) override {
      if (bytes_->size() < offset + bytes.size()) bytes_->resize(offset + bytes.size());
      std::copy(bytes.begin(), bytes.end(), bytes_->begin() + static_cast<std::ptrdiff_t>(offset));
      return {};
    }
    Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      if (offset > bytes_->size() || out.size() > bytes_->size() - offset) {
        return fail(ErrorCode::kIoError, "the file ends before that");
      }
      std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
      return {};
    }
    Status sync() override { return {}; }
    Result<std::uint64_t> size() const override { return bytes_->size(); }
    Status truncate(std::uint64_t size) override {
      bytes_->resize(size);
      return {};
    }
    Status fill_zero(std::uint64_t size) override { return truncate(size); }

   private:
    std::shared_ptr<Bytes> bytes_;
  };

  class Mapping final : public MappedFile {
   public:
    Mapping(const Bytes& bytes, std::shared_ptr<bool> failed)
        : size_(bytes.size()), copy_(new std::byte[bytes.size()]), failed_(std::move(failed)) {
      std::copy(bytes.begin(), bytes.end(), copy_.get());
    }
    [[nodiscard]] ByteSpan bytes() const override { return {copy_.get(), size_}; }
    [[nodiscard]] bool failed() const override { return *failed_; }
    void read_ahead(std::uint64_t, std::uint64_t) const override {}
    void forget(std::uint64_t, std::uint64_t) const override {}

   private:
    std::size_t size_;
    std::unique_ptr<std::byte[]> copy_;
    std::shared_ptr<bool> failed_;
  };

  Files files_;
  std::shared_ptr<bool> mappings_failed_ = std::make_shared<bool>(false);
};

}  // namespace vz::test
