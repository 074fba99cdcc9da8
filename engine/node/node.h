// A node: the owner of all collections and of the log. Everything the HTTP layer needs of the
// engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collection/collection.h"
#include "engine/log/load_progress.h"
#include "engine/log/write_request.h"
#include "engine/runtime/histogram.h"
#include "engine/runtime/memory_guard.h"
#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::node {

class Cut;  // engine/node/cut.h

struct NodeOptions {
  std::string data_dir;
  unsigned index_threads = 2;
  /// A memtable is sealed at either bound.
  std::uint64_t seal_bytes = 32u << 20;
  std::uint32_t seal_rows = 32'768;
  /// A collection that was quiet for so long has its unindexed rows merged and indexed.
  std::uint32_t quiet_ms = 2'000;
  std::uint64_t log_file_bytes = 64u << 20;
  /// Free space below which writes that grow the data get kNoSpace; none: a share of the disk
  /// (store::default_reserve_bytes). 0: never.
  std::optional<std::uint64_t> disk_reserve_bytes;
  std::chrono::milliseconds disk_look_every{50};  ///< for how long one look at the disk counts
  /// Memory that the process may use: from 85 % on writes get kUnavailable, from 95 % on searches.
  runtime::MemoryGuard::Options memory;
  std::uint64_t log_bytes_max = 1u << 30;  ///< beyond: the oldest unflushed collection is sealed
  /// Background seals, merges and indexing; tests run them by hand.
  enum class Background : std::uint8_t { kOn, kOff };
  Background background = Background::kOn;
  /// Where open() says how far it is; may be null. Must outlive open().
  log::LoadProgress* progress = nullptr;
  /// Zstandard level of payloads in segments that are written from now on; 0: not compressed. Any
  /// thread.
  std::function<int()> zstd_level = [] { return 1; };
  /// Called again and again, on the sealer's thread, while memory is so short that writes are
  /// refused: whoever keeps what can be computed anew gives it up.
  std::function<void()> on_memory_short = [] {};
  /// Where it shows who may call, as of what is visible; each node of a directory in turn.
  std::shared_ptr<security::PublishedState> security = security::publish({});
};

struct AliasInfo {
  std::string alias;
  std::string collection;
};

struct HealthCheck {
  std::string name;  ///< "log", "segments", "disk", "memory", "loading", "audit"
  bool healthy = true;
  std::string detail;
  /// Not even reads, or no write at all: others should take the traffic.
  bool ready = true;
};

/// What /metrics shows of a node, as of now.
struct NodeNumbers {
  std::uint64_t log_bytes = 0;            ///< of records that are kept
  std::size_t writes_waiting = 0;         ///< for the writer
  runtime::Histogram::Snapshot log_sync;  ///< fdatasync of each group
  runtime::Histogram::Snapshot insert;    ///< writes that upsert points, until they are visible
  std::uint64_t inserts_failed = 0;       ///< of these writes, those refused
  std::uint64_t index_errors = 0;  ///< merges and index builds that failed, indexes found damaged
  std::uint64_t memory_bytes = 0;  ///< of the process, no file behind it
  std::uint64_t memory_limit_bytes = 0;  ///< that it may use
  DiskSpace disk;                        ///< where the data directory is; 0 if unknown
};

class Maintenance;  // engine/node/maintenance.h

/// Thread-safe.
class Node {
 public:
  /// Opens the data directory and recovers. Errors: those of store::Store::open and wal::replay
  /// (kCorruption: the log or the manifest is damaged; nothing was changed).
  static Result<std::unique_ptr<Node>> open(Env& env, NodeOptions options,
                                            const store::OpenOptions& opening = {});
  ~Node();  ///< Without close() it is like a crash: what is acknowledged is in the log.
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Refuses new writes, finishes the running ones, seals everything and records the clean end.
  Status close();

  /// All changes of keys and rules that are in force are in security.json, too. Errors: those of
  /// Publisher::checkpoint_security().
  Status checkpoint_security();

  /// Refuses writes from now on, finishes the running ones, and gives up the directory, in which
  /// all that was acknowledged is in the log as after a kill. Reads go on, from memory and from
  /// files that are open. So another Node can be opened there while this one still answers.
  void retire();

  /// All collections and aliases as of one lsn, which is all that was acknowledged when it was
  /// called and perhaps a little more. Writes go on meanwhile; when collections are dropped again
  /// and again before they are sealed, drops wait for its end. One at a time; blocks while what is
  /// in memory is sealed. Not after retire() or close().
  /// Errors: kUnavailable (the log has failed; there were more drops on their way than it tries),
  /// kCorruption (a file of the data is lost), kIoError, kNoSpace: the node is as it was, but for
  /// what was sealed.
  Result<std::shared_ptr<const Cut>> cut();

  /// Gives no file a name that one of a snapshot has which tar unpacks here.
  void avoid_names_of(const manifest::Manifest& arriving);

  /// By name or alias; nullptr if there is none.
  [[nodiscard]] std::shared_ptr<const collection::Reader> find(std::string_view name) const;
  /// Sorted by name.
  [[nodiscard]] std::vector<std::shared_ptr<const collection::Reader>> collections() const;
  [[nodiscard]] std::vector<AliasInfo> aliases() const;

  /// Hands a write to the writer. The callback also gets kUnavailable (queue full, memory short, or
  /// the log is poisoned after a failed sync), kNoSpace (the disk is full, and the write grows the
  /// data), kTooLarge, kNotFound, kAlreadyExists, ...
  void submit(log::WriteRequest request, log::WriteCallback done);

  /// Changes keys or rules, and waits until that is durable, in force, and in security.json, so
  /// that no restore undoes it. Not on an io thread, nor on the writer's. Errors: those of
  /// security::resolve and of submit: nothing was changed. kNoSpace and kIoError, when
  /// security.json could not be written: the change is in force, and survives all but a restore;
  /// the next one tries again.
  Result<log::WriteOutcome> change_security(security::Request request);

  [[nodiscard]] Lsn visible_lsn() const;
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] const std::string& node_id() const;
  [[nodiscard]] std::vector<HealthCheck> health() const;
  [[nodiscard]] NodeNumbers numbers() const;
  /// Errors: kUnavailable, memory is so short that searches are refused.
  [[nodiscard]] Status admit_search() const;
  /// True from the moment that the log failed; the owner exits some time later.
  [[nodiscard]] bool poisoned() const;

  /// What an operator may ask for. Valid as long as the node.
  [[nodiscard]] Maintenance& maintenance() const;

  // What the background does, now. For tests and shutdown; each blocks.
  /// Makes segments of all that is in memory.
  Status seal();
  /// Merges and indexes segments until nothing is left to do; memtables stay as they are.
  Status merge();
  /// seal(), then merge().
  Status settle();

 private:
  Result<std::shared_ptr<const Cut>> try_to_cut();
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::node
