// A node: the owner of all collections and of the log. Everything the HTTP layer needs of the
// engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collection/collection.h"
#include "engine/log/write_request.h"
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
  std::uint64_t log_bytes_max = 1u << 30;  ///< beyond: the oldest unflushed collection is sealed
  /// Background seals, merges and indexing; tests run them by hand.
  enum class Background : std::uint8_t { kOn, kOff };
  Background background = Background::kOn;
};

struct AliasInfo {
  std::string alias;
  std::string collection;
};

struct HealthCheck {
  std::string name;  ///< "log", "segments", "disk", "loading"
  bool healthy = true;
  std::string detail;
};

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

  /// Refuses writes from now on, finishes the running ones, and gives up the directory, in which
  /// all that was acknowledged is in the log as after a kill. Reads go on, from memory and from
  /// files that are open. So another Node can be opened there while this one still answers.
  void retire();

  /// All collections and aliases as of one lsn, which is all that was acknowledged when it was
  /// called and perhaps a little more. Writes go on meanwhile. One at a time; blocks while what is
  /// in memory is sealed. Not after retire() or close().
  /// Errors: kUnavailable (the log has failed; collections were dropped meanwhile, again and
  /// again), kIoError, kNoSpace: the node is as it was, but for what was sealed.
  Result<std::shared_ptr<const Cut>> cut();

  /// Gives no file a name that one of a snapshot has which tar unpacks here.
  void avoid_names_of(const manifest::Manifest& arriving);

  /// By name or alias; nullptr if there is none.
  [[nodiscard]] std::shared_ptr<const collection::Reader> find(std::string_view name) const;
  /// Sorted by name.
  [[nodiscard]] std::vector<std::shared_ptr<const collection::Reader>> collections() const;
  [[nodiscard]] std::vector<AliasInfo> aliases() const;

  /// Hands a write to the writer. The callback also gets kUnavailable (queue full, or the log is
  /// poisoned after a failed sync), kTooLarge, kNotFound, kAlreadyExists, ...
  void submit(log::WriteRequest request, log::WriteCallback done);

  [[nodiscard]] Lsn visible_lsn() const;
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] const std::string& node_id() const;
  [[nodiscard]] std::vector<HealthCheck> health() const;
  /// True from the moment that the log failed; the owner exits some time later.
  [[nodiscard]] bool poisoned() const;

  // What the background does, now. For tests and shutdown; each blocks.
  /// Makes segments of all that is in memory.
  Status seal();
  /// Merges and indexes segments until nothing is left to do; memtables stay as they are.
  Status merge();
  /// seal(), then merge().
  Status settle();

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::node
