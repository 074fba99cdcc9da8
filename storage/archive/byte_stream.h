// Where archives come from and go to: a pipe, a file, or memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/sha256.h"
#include "storage/env/env.h"

namespace vz::archive {

/// Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Some bytes into `out`, which is not empty; 0 at the end. Errors: kIoError.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

/// Not thread-safe.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// All of `bytes`, behind those before. Errors: kIoError, kNoSpace: how much was written is
  /// unknown.
  virtual Status write(ByteSpan bytes) = 0;
};

/// An open descriptor, which it borrows. `name` is for messages, such as "standard input".
class FdSource final : public ByteSource {
 public:
  FdSource(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  int fd_;
  std::string name_;
};

class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Status write(ByteSpan bytes) override;

 private:
  int fd_;
  std::string name_;
};

/// A file of an Env from its start, as long as it was when it was opened.
class FileSource final : public ByteSource {
 public:
  /// Errors: as Env::open.
  static Result<std::unique_ptr<FileSource>> open(Env& env, const std::string& path);
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  FileSource(std::unique_ptr<File> file, std::uint64_t size)
      : file_(std::move(file)), size_(size) {}
  std::unique_ptr<File> file_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;
};

/// A file of an Env, which it borrows, from its start.
class FileSink final : public ByteSink {
 public:
  explicit FileSink(File& file) : file_(file) {}
  Status write(ByteSpan bytes) override;

 private:
  File& file_;
  std::uint64_t offset_ = 0;
};

/// Passes on what it gets, counted and hashed.
class HashingSink final : public ByteSink {
 public:
  explicit HashingSink(ByteSink& to) : to_(to) {}
  Status write(ByteSpan bytes) override;
  [[nodiscard]] std::uint64_t size_bytes() const { return size_; }
  /// Once, after the last write.
  Sha256Digest finish() { return hash_.finish(); }

 private:
  ByteSink& to_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

/// The same of a source.
class HashingSource final : public ByteSource {
 public:
  explicit HashingSource(ByteSource& from) : from_(from) {}
  Result<std::size_t> read(std::span<std::byte> out) override;
  /// Reads what is left, then the digest of everything. Once. Errors: kIoError.
  Result<Sha256Digest> finish();

 private:
  ByteSource& from_;
  Sha256 hash_;
};

/// Bytes that it borrows.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteSpan bytes) : bytes_(bytes) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  ByteSpan bytes_;
};

class MemorySink final : public ByteSink {
 public:
  Status write(ByteSpan bytes) override;
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace vz::archive
