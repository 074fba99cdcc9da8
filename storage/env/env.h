// The operating system as the engine sees it: files, directories, locks, and nothing else.
//
// Everything that touches the disk goes through an Env, so that a test can break any call
// (storage/env/fault_env.h) and the power can fail at any moment. PosixEnv is the real one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/status.h"

namespace vz {

/// An open file. Not thread-safe, except that read_at may run beside read_at.
/// The destructor closes it; closing does not make anything durable.
class File {
 public:
  virtual ~File() = default;
  /// Writes all of `bytes` at `offset`, growing the file when needed.
  /// Errors: kNoSpace, kIoError; how much was written is unknown.
  virtual Status write_at(std::uint64_t offset, ByteSpan bytes) = 0;
  /// Fills all of `out` from `offset`. Errors: kIoError, also when the file ends before that.
  virtual Status read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// Makes the content durable, and the size when it changed (fdatasync). Never call it again
  /// after it failed: the kernel may have dropped the dirty pages.
  virtual Status sync() = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Extends the file to `size` with written zero bytes, so that later writes change no extent.
  virtual Status fill_zero(std::uint64_t size) = 0;
};

/// A whole file mapped for reading. `bytes()` stays valid until destruction, also when the file
/// shrinks or its disk fails: a page that cannot be read appears as zeros and `failed()` turns
/// true. Test `failed()` after reading and before the result leaves. Thread-safe.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  [[nodiscard]] virtual ByteSpan bytes() const = 0;
  [[nodiscard]] virtual bool failed() const = 0;
  /// Asks the kernel to read this range ahead; only a hint.
  virtual void read_ahead(std::uint64_t offset, std::uint64_t size) const = 0;
  /// Lets go of the pages of this range: they no longer count as memory of this process, and the
  /// next access reads them again, from the page cache or the disk. For what has been copied.
  virtual void forget(std::uint64_t offset, std::uint64_t size) const = 0;
};

/// Held while it exists. Open-file-description lock (fcntl F_OFD_SETLK): it dies with the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,       ///< must exist
  kReadWrite,  ///< must exist
  kCreateNew,  ///< must not exist; mode 0600; read and write
};
enum class LockMode : std::uint8_t { kShared, kExclusive };
enum class FileType : std::uint8_t { kRegular, kDirectory, kOther };

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kOther;
  std::uint64_t size_bytes = 0;
  /// When content, size or names last changed (ctime): to be compared for equality, no more.
  std::int64_t changed_ns = 0;
};
struct DiskSpace {
  std::uint64_t free_bytes = 0;  ///< available to this process
  std::uint64_t total_bytes = 0;
};

/// Thread-safe. Errors name the path and the reason: kNotFound, kAlreadyExists, kPermissionDenied,
/// kNoSpace, kExhausted (memory, descriptors), kIoError. What failed changed nothing, or says so.
class Env {
 public:
  virtual ~Env() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Opens `relative`, plain names with '/' between them, beneath `directory`, for reading. No link
  /// is followed on the way, so that it is a file of that directory whoever has put it there.
  /// Errors: kInvalidArgument (an empty name, "." or ".."), kNotFound; kIoError also for a link and
  /// for what is no regular file.
  virtual Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                                     const std::string& relative) = 0;
  virtual Result<std::unique_ptr<MappedFile>> map(const std::string& path) = 0;
  /// Replaces `to` if it exists. Durable only after sync_directory of the parent.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Gives the file `from` a second name, where nothing is yet. Durable only after sync_directory
  /// of the parent. Errors: kAlreadyExists; kUnsupported: this file system, or its rules for files
  /// of other users, have no such thing, and a copy has to do.
  virtual Status link(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// One level, mode 0700; existing is not an error.
  virtual Status create_directory(const std::string& path) = 0;
  /// Must be empty.
  virtual Status remove_directory(const std::string& path) = 0;
  /// Makes creations, renames and removals in `path` durable (fsync of the directory).
  virtual Status sync_directory(const std::string& path) = 0;
  /// Sorted by name; without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<DiskSpace> disk_space(const std::string& path) = 0;
  /// Locks `path` without waiting. An exclusive lock creates it if it is absent and writes `owner`
  /// (one line of JSON) into it; a shared lock writes nothing, so that it works on a disk that is
  /// mounted read-only. Errors: kLocked with the present owner's text in the message; kNotFound for
  /// a shared lock of an absent file: nobody holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                                 const std::string& owner) = 0;
};

/// The real file system.
std::unique_ptr<Env> make_posix_env();

/// Whole content of a file of at most `size_max` bytes. Errors: as Env, kTooLarge.
Result<Bytes> read_file(Env& env, const std::string& path, std::uint64_t size_max);

/// Atomic publish: writes `path` + ".tmp", syncs, renames to `path`, syncs the directory. A crash
/// leaves the old file or the new one, whole. A leftover ".tmp" is overwritten.
Status publish_file(Env& env, const std::string& path, ByteSpan bytes);

/// Whether a directory stands there, and no link to one.
bool is_directory(Env& env, const std::string& path);

/// Removes what is in a directory, as far as that goes: what stays costs space only. Follows no
/// link in it.
void remove_content(Env& env, const std::string& path);
/// The same, and the directory; of a link to one nothing, not even the link.
void remove_tree(Env& env, const std::string& path);

/// The directory part of `path` without the last '/', "." if there is none.
std::string parent_directory(const std::string& path);

}  // namespace vz
