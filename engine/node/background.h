// The background threads of a node: one seals, one merges and indexes, niced.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "engine/node/disk_guard.h"
#include "engine/node/housekeeper.h"
#include "engine/node/idle_trim.h"
#include "engine/node/node.h"

namespace vz::node {

class Background {
 public:
  Background(log::Writer& writer, Publisher& publisher, Housekeeper& housekeeper, DiskGuard& disk,
             const runtime::MemoryGuard& memory, std::shared_ptr<collection::Visibility> visibility,
             NodeOptions options);
  ~Background();  ///< stop()

  /// A memtable was frozen. Any thread; cheap.
  void wake();
  /// Asks running work to end at its next safe point; does not wait.
  void request_stop();
  /// The same, and joins.
  void stop();
  /// Merges and index builds that failed. Any thread.
  [[nodiscard]] std::uint64_t index_errors() const {
    return index_errors_.load(std::memory_order_relaxed);
  }

 private:
  void seal_loop(std::stop_token stop);
  void merge_loop(std::stop_token stop);
  bool seal_all(std::stop_token stop);
  bool merge_all(std::stop_token stop);
  /// Freezes what waits in memtables too long: quiet and large enough to index, old, or holding the
  /// log above its bound; all of them where memory is short.
  void freeze_due();
  /// Sealer's thread.
  void trim_when_idle();
  void wait(std::stop_token stop, std::int64_t ms) VZ_EXCLUDES(mutex_);

  log::Writer& writer_;
  Publisher& publisher_;
  Housekeeper& housekeeper_;
  DiskGuard& disk_;
  const runtime::MemoryGuard& memory_;
  const std::shared_ptr<collection::Visibility> visibility_;
  const NodeOptions options_;

  Mutex mutex_;
  ConditionVariable condition_;
  bool woken_ VZ_GUARDED_BY(mutex_) = false;

  std::atomic<std::uint64_t> jobs_{0};  ///< seals, merges and rebuilds done
  std::atomic<std::uint64_t> index_errors_{0};
  IdleTrim idle_trim_;  ///< sealer's thread

  std::jthread sealer_;
  std::jthread merger_;
};

}  // namespace vz::node
