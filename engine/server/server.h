// The composition root: a node, its HTTP interface, and their beginning and end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/call.h"
#include "engine/net/http_server.h"
#include "engine/node/node.h"
#include "engine/node/snapshots.h"
#include "storage/env/env.h"

namespace vz::server {

struct ServerOptions {
  node::NodeOptions node;
  node::Settings settings;  ///< where none was set at run time
  net::Listener listen{.address = "127.0.0.1", .port = 15002};
  std::optional<net::Listener> qdrant_listen;  ///< the Qdrant routes at its root
  api::Access access = api::Access::kLoopbackOnly;
  /// Whose X-Forwarded-For says where a request comes from.
  std::vector<security::Cidr> trusted_proxies;
  /// Where a start that finds no usable admin key puts one that it makes; "": it makes none.
  std::string bootstrap_key_file;
  unsigned io_threads = 2;
  unsigned pool_threads = 2;           ///< for batches, large bodies and large scans
  std::size_t pool_queue_max = 1'024;  ///< beyond it such calls get 503
  audit::Trail::Options audit;  ///< of DATA/log/audit-*.jsonl
  std::string version = "0.0.0";
  std::string commit = "unknown";  ///< of the source it was built from
  /// How often the directory is looked at for a snapshot that tar unpacks there; 0: never.
  std::chrono::milliseconds restore_poll{1'000};
  std::chrono::milliseconds restore_quiet{2'000};  ///< see node::RestoreWatch
  /// See node::SnapshotOptions.
  std::vector<std::string> restore_dirs = node::SnapshotOptions{}.restore_dirs;
};

enum class Phase : std::uint8_t {
  kLoading,  ///< answers /livez, and 503 to what needs the node
  kServing,
  kFailed,  ///< the node did not open, or not again after a restore; see wait_until_loaded()
};

/// Thread-safe, except that start and stop belong to the owner.
class Server {
 public:
  /// Begins to open the node on a thread of its own and listens. A node that fails at once (its
  /// directory is locked, foreign or newer) fails here, before the port is taken, so that the error
  /// names the true reason.
  /// `env` must outlive the server.
  /// Errors: kInvalidArgument (an address; a listener beyond loopback without any key, or nobody
  /// who could ever call, and neither Access::kInsecure nor a bootstrap key), kFailedPrecondition
  /// (address in use), those of security::load and node::Node::open. Nothing is left running.
  static Result<std::unique_ptr<Server>> start(Env& env, ServerOptions options);
  virtual ~Server() = default;  ///< stops

  [[nodiscard]] virtual Phase phase() const = 0;
  /// Waits until the phase is not kLoading; the node's error in phase kFailed.
  virtual Status wait_until_loaded() = 0;
  /// The node that serves now; null in phase kLoading.
  [[nodiscard]] virtual std::shared_ptr<node::Node> node() const = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// 0 without a Qdrant listener.
  [[nodiscard]] virtual std::uint16_t qdrant_port() const = 0;

  /// Ends running jobs, lets running requests finish for up to `grace`, then closes the node.
  /// Idempotent.
  /// Errors: those of node::Node::close.
  virtual Status stop(std::chrono::milliseconds grace) = 0;
};

/// True for 127.0.0.0/8 and ::1.
bool is_loopback_address(const std::string& address);

}  // namespace vz::server
