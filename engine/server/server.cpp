#include "engine/server/server.h"

#include <thread>
#include <utility>

#include <pthread.h>
#include <unistd.h>

#include "engine/api/api.h"
#include "engine/runtime/wall_clock.h"
#include "engine/security/security_file.h"
#include "engine/server/bootstrap.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace vz::server {
namespace {

/// How long start() waits for a node that fails at once before it listens.
constexpr std::chrono::milliseconds kQuickFailure{200};
constexpr std::size_t kSnapshotWorkMax = 16;      ///< snapshots and restores that wait; then 503
constexpr std::size_t kSecurityChangesMax = 256;  ///< that wait; then 503

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

/// The name under which answers show this node. A wildcard address names the machine.
std::string shown_host(const net::Listener& listener) {
  std::string host = listener.address;
  if (host == "0.0.0.0" || host == "::") host = host_name();
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The same node, which on short memory empties `cache`, and shows who may call in `security`.
node::NodeOptions completed(node::NodeOptions options, api::QueryCache& cache,
                            std::shared_ptr<security::PublishedState> security) {
  options.on_memory_short = [&cache] { cache.clear(); };
  options.security = std::move(security);
  return options;
}

class RunningServer final : public Server {
 public:
  /// security: as security.json has it, so that who calls while the node is loading is known.
  RunningServer(Env& env, ServerOptions options, security::State security)
      : env_(env),
        options_(std::move(options)),
        security_(security::publish(std::move(security))),
        nodes_(env, completed(options_.node, service_.query_cache, security_),
               options_.restore_quiet, options_.settings),
        snapshots_(env, nodes_,
                   {.data_dir = options_.node.data_dir,
                    .restore_dirs = options_.restore_dirs,
                    .disk_reserve_bytes = options_.node.disk_reserve_bytes}),
        pool_("vz-pool", options_.pool_threads, options_.pool_queue_max),
        snapshot_pool_("vz-snapshot", 1, kSnapshotWorkMax),
        upload_pool_("vz-upload", 1, options_.pool_queue_max),
        security_pool_("vz-security", 1, kSecurityChangesMax),
        trail_(env, options_.node.data_dir + "/log", options_.audit) {
    service_.version = options_.version;
    service_.commit = options_.commit;
    service_.access = options_.access;
    service_.trusted_proxies = options_.trusted_proxies;
    service_.security = security_;
    service_.security_pool = &security_pool_;
    service_.trail = &trail_;
    service_.host = shown_host(options_.listen);
    service_.port = options_.listen.port;
    service_.nodes = &nodes_;
    service_.pool = &pool_;
    nodes_.settings().on_change([this](const node::Settings& now) {
      set_log_level(now.log_level);
      service_.slow_queries.set_threshold(now.slow_query_threshold_ms);
      service_.query_cache.resize(now.query_cache_bytes());
    });
    service_.snapshots = &snapshots_;
    service_.snapshot_pool = &snapshot_pool_;
    service_.upload_pool = &upload_pool_;
  }
  ~RunningServer() override {
    if (const Status stopped = stop(std::chrono::milliseconds(0)); !stopped)
      LogEvent(LogLevel::kError, "stop_failed").with("reason", stopped.error().message);
  }

  void open_node() {
    opener_ = std::jthread([this](std::stop_token stop) {
      pthread_setname_np(pthread_self(), "vz-opener");
      Status opened = nodes_.open();
      if (opened) open_trail();
      if (opened && !options_.bootstrap_key_file.empty())
        opened = bootstrap_admin_key(env_, *nodes_.current(), *security_->load(),
                                     options_.bootstrap_key_file);
      enter(opened ? Phase::kServing : Phase::kFailed, opened);
      if (opened && options_.restore_poll.count() > 0) watch_for_restores(std::move(stop));
    });
  }

  /// Waits for the end of loading, at most `most`; the error if there is one by then.
  Status quick_failure(std::chrono::milliseconds most) VZ_NO_THREAD_SAFETY_ANALYSIS {
    const auto until = std::chrono::steady_clock::now() + most;
    MutexLock lock(mutex_);
    while (phase_ == Phase::kLoading && std::chrono::steady_clock::now() < until)
      changed_.wait_for(mutex_, std::chrono::milliseconds(10));
    if (phase_ == Phase::kFailed) return tl::unexpected<Error>(failure_);
    return {};
  }

  Status listen() {
    net::HttpServerOptions http;
    http.listeners.push_back(options_.listen);
    if (options_.qdrant_listen) http.listeners.push_back(*options_.qdrant_listen);
    http.threads = options_.io_threads;
    // With a fixed port it is known before the first request; with port 0 right after.
    if (options_.qdrant_listen) service_.qdrant_port = options_.qdrant_listen->port;
    auto started = net::HttpServer::start(std::move(http), api::make_handlers(service_));
    if (!started) {
      Error error = std::move(started).error();
      // Not the node but its address is unavailable: that is a conflict with another process.
      if (error.code == ErrorCode::kUnavailable) error.code = ErrorCode::kFailedPrecondition;
      return tl::unexpected<Error>(std::move(error));
    }
    http_ = *std::move(started);
    service_.http = http_.get();
    ports_ = http_->ports();
    service_.port = ports_[0];
    if (options_.qdrant_listen) service_.qdrant_port = ports_[1];
    return {};
  }

  [[nodiscard]] Phase phase() const override {
    MutexLock lock(mutex_);
    return nodes_.failure() ? phase_ : Phase::kFailed;
  }
  Status wait_until_loaded() override VZ_NO_THREAD_SAFETY_ANALYSIS {
    MutexLock lock(mutex_);
    while (phase_ == Phase::kLoading) changed_.wait(mutex_);
    if (phase_ == Phase::kFailed) return tl::unexpected<Error>(failure_);
    return nodes_.failure();
  }
  [[nodiscard]] std::shared_ptr<node::Node> node() const override { return nodes_.current(); }
  [[nodiscard]] std::uint16_t port() const override { return ports_.at(0); }
  [[nodiscard]] std::uint16_t qdrant_port() const override {
    return ports_.size() > 1 ? ports_[1] : 0;
  }

  Status stop(std::chrono::milliseconds grace) override {
    nodes_.jobs().request_stop();  // Whoever waits for one gets an answer in the grace.
    snapshots_.cancel();           // Who waits for one gets an answer before the connections close.
    if (http_ != nullptr) http_->stop(grace);
    security_pool_.stop();
    upload_pool_.stop();
    snapshot_pool_.stop();
    pool_.stop();
    end_opener();
    trail_.stop();  // Before the lock of the directory goes.
    if (std::exchange(closed_, true)) return {};
    return nodes_.close();
  }

 private:
  /// The directory is ours now. A log that cannot be written shows in /health, and stops nothing.
  void open_trail() {
    if (const Status opened = trail_.open(); !opened)
      LogEvent(LogLevel::kError, "audit_not_written").with("reason", opened.error().message);
  }

  void enter(Phase phase, const Status& status) {
    MutexLock lock(mutex_);
    phase_ = phase;
    if (!status) failure_ = status.error();
    changed_.notify_all();
  }

  void watch_for_restores(std::stop_token stop) VZ_NO_THREAD_SAFETY_ANALYSIS {
    const auto unless_stopped = [&stop](std::uint64_t) -> Status {
      if (!stop.stop_requested()) return {};
      return fail(ErrorCode::kCancelled, "the node is stopping");
    };
    while (!stop.stop_requested()) {
      {
        MutexLock lock(mutex_);
        if (!stop.stop_requested()) changed_.wait_for(mutex_, options_.restore_poll);
      }
      if (stop.stop_requested() || !nodes_.failure()) return;
      const Status polled = nodes_.poll_restore(std::chrono::steady_clock::now(), unless_stopped);
      if (!polled) return enter(Phase::kFailed, polled);
    }
  }

  void end_opener() {
    opener_.request_stop();
    {
      MutexLock lock(mutex_);
      changed_.notify_all();
    }
    if (opener_.joinable()) opener_.join();
  }

  Env& env_;
  const ServerOptions options_;
  const std::shared_ptr<security::PublishedState> security_;
  api::Service service_;  ///< nodes and settings call what it holds
  node::NodeOwner nodes_;
  node::Snapshots snapshots_;
  runtime::ThreadPool pool_;
  runtime::ThreadPool snapshot_pool_;  ///< one thread: makes and restores one snapshot at a time
  runtime::ThreadPool upload_pool_;    ///< one thread: one disk, and a piece at a time of each
  runtime::ThreadPool security_pool_;  ///< one thread: never behind those whom it is to stop
  audit::Trail trail_;
  mutable Mutex mutex_;
  ConditionVariable changed_;  ///< the phase, or the end of the watch
  Phase phase_ VZ_GUARDED_BY(mutex_) = Phase::kLoading;
  Error failure_ VZ_GUARDED_BY(mutex_);
  // Destroyed in reverse: first the HTTP server, then what its handlers use.
  std::jthread opener_;  ///< then it watches for restores
  std::unique_ptr<net::HttpServer> http_;
  std::vector<std::uint16_t> ports_;
  bool closed_ = false;
};

Status check_listener(const net::Listener& listener) {
  if (is_loopback_address(listener.address)) return {};
  return fail(ErrorCode::kInvalidArgument,
              "refusing to listen on " + listener.address +
                  ": the node has no API key, so nobody there could call; make one with "
                  "--bootstrap-key-file PATH, or listen on 127.0.0.1 and use `vectorizerctl key "
                  "create`, or pass --insecure if whoever reaches that address may read and delete "
                  "everything");
}

/// Whether somebody may call, and nobody who should not.
Status check_access(const ServerOptions& options, const security::State& security) {
  if (options.access == api::Access::kInsecure || !options.bootstrap_key_file.empty()) return {};
  const std::int64_t now_us = runtime::unix_time_us();
  if (options.access == api::Access::kKeysOnly &&
      !security.has_live_key(now_us, security::Scope::kAdmin))
    return fail(ErrorCode::kInvalidArgument,
                "without trust in this machine's own callers an admin key is needed, and there is "
                "none: make one with --bootstrap-key-file PATH");
  if (security.has_live_key(now_us, security::Scope::kPublic)) return {};
  VZ_TRY(check_listener(options.listen));
  if (options.qdrant_listen) VZ_TRY(check_listener(*options.qdrant_listen));
  return {};
}

}  // namespace

bool is_loopback_address(const std::string& address) {
  return address == "::1" || address == "localhost" || address.starts_with("127.");
}

Result<std::unique_ptr<Server>> Server::start(Env& env, ServerOptions options) {
  VZ_TRY_ASSIGN(auto checkpoint, security::load(env, options.node.data_dir));
  VZ_TRY(check_access(options, checkpoint.state));
  auto server =
      std::make_unique<RunningServer>(env, std::move(options), std::move(checkpoint.state));
  server->open_node();
  VZ_TRY(server->quick_failure(kQuickFailure));
  VZ_TRY(server->listen());
  return server;
}

}  // namespace vz::server
