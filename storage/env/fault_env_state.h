// What FaultEnv shares with its handles: the disk, the plan of failures, and the mutex over both.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "storage/base/mutex.h"
#include "storage/env/fault_disk.h"
#include "storage/env/fault_env.h"

namespace vz {

struct FaultEnv::State {
  enum class Repeat : std::uint8_t { kOnce, kForEver };
  struct Plan {
    std::uint64_t calls_left = 0;
    Repeat repeat = Repeat::kOnce;
    FaultOptions options;
  };
  /// A directory and the last component of a path in it; `node` is null if there is no such name.
  struct Place {
    fault::NodePtr directory;
    std::string name;
    fault::NodePtr node;
  };

  Mutex mutex;
  fault::Disk disk VZ_GUARDED_BY(mutex);
  std::uint64_t generation VZ_GUARDED_BY(mutex) = 0;  // Handles of an older one are dead.
  std::optional<Plan> plan VZ_GUARDED_BY(mutex);
  bool fault_hit VZ_GUARDED_BY(mutex) = false;
  std::array<std::uint64_t, kFaultCallKinds> counts VZ_GUARDED_BY(mutex){};
  bool ignores_file_syncs VZ_GUARDED_BY(mutex) = false;
  bool ignores_directory_syncs VZ_GUARDED_BY(mutex) = false;
  bool refuses_links VZ_GUARDED_BY(mutex) = false;
  std::int64_t changes VZ_GUARDED_BY(mutex) = 0;  // Of files so far: the clock of changed_ns.
  DiskSpace space VZ_GUARDED_BY(mutex){.free_bytes = 1ull << 40, .total_bytes = 1ull << 41};

  /// Counts a mutating call; its error if the plan wants one.
  Status step(FaultCall call, const std::string& path) VZ_REQUIRES(mutex);
  /// Bytes that a call which step() let fail does nevertheless.
  [[nodiscard]] std::uint64_t done_before_failure(std::uint64_t size) const VZ_REQUIRES(mutex);
  /// Errors: kNotFound if a directory on the way is missing, kIoError if it is no directory.
  Result<Place> find(const std::string& path) VZ_REQUIRES(mutex);
  /// The node itself. Errors: kNotFound; kIoError if it is not of `type`.
  Result<fault::NodePtr> existing(const std::string& path, FileType type) VZ_REQUIRES(mutex);
  /// A new file where there is none.
  Result<fault::NodePtr> create(const std::string& path) VZ_REQUIRES(mutex);
  void mark_changed(fault::Node& node) VZ_REQUIRES(mutex) { node.changed_ns = ++changes; }
  void restart(fault::Disk next) VZ_REQUIRES(mutex);
};

/// The handle of an open file.
class FaultFile final : public File {
 public:
  FaultFile(std::shared_ptr<FaultEnv::State> state, fault::NodePtr node, std::string path,
            OpenMode mode, std::uint64_t generation);

  Status write_at(std::uint64_t offset, ByteSpan bytes) override;
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  Status sync() override;
  Result<std::uint64_t> size() const override;
  Status truncate(std::uint64_t size) override;
  Status fill_zero(std::uint64_t size) override;

 private:
  Status check_usable() const VZ_REQUIRES(state_->mutex);
  Status check_writable(std::uint64_t offset, std::uint64_t size) const VZ_REQUIRES(state_->mutex);

  std::shared_ptr<FaultEnv::State> state_;
  fault::NodePtr node_;
  std::string path_;
  OpenMode mode_;
  std::uint64_t generation_;
};

}  // namespace vz
