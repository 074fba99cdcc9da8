// FaultEnv: a file system in memory whose calls can fail and whose power can be cut.
//
//   FaultEnv env;
//   env.make_directory("/data");        // durable, with its parents; "/" always exists
//   env.fail_at(3, {.code = ErrorCode::kNoSpace});
//   ... run the engine ...
//   env.lose_power(seed);               // heals nothing: call heal() too
//   ... open again, and compare with what was acknowledged ...
//
// What a power cut keeps: storage/env/fault_disk.h. Paths are absolute, without "..".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/env/env.h"

namespace vz {

/// The calls that change something; each is counted, and each can be made to fail.
enum class FaultCall : std::uint8_t {
  kWrite,
  kSync,
  kTruncate,
  kFill,
  kCreate,
  kRename,
  kRemove,
  kCreateDirectory,
  kRemoveDirectory,
  kSyncDirectory,
  kLink,
};
inline constexpr std::size_t kFaultCallKinds = 11;

enum class ShortWrite : std::uint8_t {
  kNothing,  ///< a failed write or fill changed nothing
  kHalf,     ///< it did the first half of its bytes
};

struct FaultOptions {
  ErrorCode code = ErrorCode::kIoError;
  ShortWrite short_write = ShortWrite::kNothing;
  std::optional<FaultCall> only{};  ///< count and fail only calls of this kind
};

/// Thread-safe. Handles may outlive it; after a power cut or a kill the old ones give kIoError, and
/// old mappings stay readable.
class FaultEnv final : public Env {
 public:
  FaultEnv();
  ~FaultEnv() override;

  /// The `call`-th mutating call from now, 0-based, fails once. One plan at a time.
  void fail_at(std::uint64_t call, FaultOptions options = {});
  /// The same, and every later one.
  void fail_from(std::uint64_t call, FaultOptions options = {});
  /// Ends the plan of fail_at or fail_from.
  void heal();
  /// True if a call has failed by the last plan.
  [[nodiscard]] bool fault_hit() const;

  /// Mutating calls so far, the failed ones included.
  [[nodiscard]] std::uint64_t calls() const;
  [[nodiscard]] std::uint64_t calls(FaultCall kind) const;

  /// Cuts the power: what was not synced is kept or lost as `seed` says. The same calls and the
  /// same seed leave the same disk.
  void lose_power(std::uint64_t seed);
  /// The same with all of it lost.
  void lose_power_worst();
  /// Changes of names are kept, synced or not; content that was not synced is lost.
  void lose_power_names_kept();
  /// kill -9: handles and locks are gone, the content stays, as dirty as it was.
  void kill_process();
  /// A new Env with the disk that lose_power(seed) would leave; this one goes on.
  [[nodiscard]] std::unique_ptr<FaultEnv> crash_image(std::uint64_t seed) const;

  /// Planted bugs: the call says OK and makes nothing durable.
  void ignore_file_syncs(bool ignore);
  void ignore_directory_syncs(bool ignore);

  /// A file system without hard links: link() gives kUnsupported.
  void refuse_links(bool refuse);

  void set_disk_space(DiskSpace space);

  // Helpers of tests. They are not counted and do not fail by plan.

  /// Creates it and its parents, all durable.
  Status make_directory(const std::string& path);
  /// Makes or replaces a file with durable content under a durable name.
  Status put_file(const std::string& path, ByteSpan bytes);
  /// Rot on the medium. `offset` is below the file's size, `bit` below 8.
  Status flip_bit(const std::string& path, std::uint64_t offset, unsigned bit);
  /// Cuts or extends the file, durably.
  Status truncate_file(const std::string& path, std::uint64_t size);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                             const std::string& relative) override;
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status create_directory(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<DiskSpace> disk_space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                         const std::string& owner) override;

  struct State;  // storage/env/fault_env_state.h; for the handles.

 private:
  std::shared_ptr<State> state_;  // Shared with the handles.
};

}  // namespace vz
