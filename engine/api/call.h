// One request on its way through a handler, and what handlers know of the process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/http_numbers.h"
#include "engine/api/query_cache.h"
#include "engine/api/query_facts.h"
#include "engine/api/route.h"
#include "engine/api/slow_queries.h"
#include "engine/audit/audit_trail.h"
#include "engine/net/http_server.h"
#include "engine/node/node_owner.h"
#include "engine/node/snapshots.h"
#include "engine/runtime/thread_pool.h"
#include "engine/security/state.h"
#include "storage/base/status.h"

namespace vz::api {

/// Who is let in without a key.
enum class Access : std::uint8_t {
  kLoopbackOnly,  ///< direct loopback peers
  kKeysOnly,      ///< nobody
  kInsecure,      ///< whoever reaches the port
};

/// What handlers know. Constant after construction, except the atomics, the numbers, the slow
/// queries, the cache and what `nodes` owns.
struct Service {
  std::string version;
  std::string commit;
  std::string host;  ///< the name under which answers show this node
  Access access = Access::kLoopbackOnly;
  /// Whose X-Forwarded-For says where a request comes from.
  std::vector<security::Cidr> trusted_proxies;
  /// Keys and blocked addresses; known before there is a node.
  std::shared_ptr<const security::PublishedState> security = security::publish({});
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  const node::NodeOwner* nodes = nullptr;     ///< has no node before recovery is done
  std::atomic<std::uint16_t> port{0};         ///< of the main listener, once it is bound
  std::atomic<std::uint16_t> qdrant_port{0};  ///< 0: no Qdrant listener
  HttpNumbers numbers;
  SlowQueries slow_queries;
  QueryCache query_cache;
  std::atomic<net::HttpServer*> http{nullptr};  ///< once it listens
  runtime::ThreadPool* pool = nullptr;  ///< for long reads; null: they run where they came in
  node::Snapshots* snapshots = nullptr;
  runtime::ThreadPool* snapshot_pool = nullptr;  ///< for what lasts as long as the data is large
  runtime::ThreadPool* upload_pool = nullptr;    ///< writes what is uploaded
  /// Changes keys and rules: never behind the searches of those whom they are to stop. Null: where
  /// they came in.
  runtime::ThreadPool* security_pool = nullptr;
  audit::Trail* trail = nullptr;  ///< null: nothing is audited
};

/// Answer it once, from any thread; unanswered, the connection gets a 500.
class Call {
 public:
  /// key: of the caller; null: without one, and let in.
  Call(Service& service, RouteMatch match, net::Request request, net::Respond respond,
       std::shared_ptr<const security::ApiKey> key)
      : service_(service),
        match_(std::move(match)),
        request_(std::move(request)),
        respond_(std::move(respond)),
        key_(std::move(key)),
        node_(service.nodes->current()) {}

  [[nodiscard]] const net::RequestHead& head() const { return request_.head; }
  [[nodiscard]] std::string& body() { return request_.body; }
  /// What has taken the body, in routes with a receiver; else null.
  [[nodiscard]] const std::shared_ptr<net::BodySink>& sink() const { return request_.sink; }
  [[nodiscard]] const Route& route() const { return *match_.route; }
  [[nodiscard]] Envelope envelope() const { return match_.route->envelope; }
  /// The i-th part in braces of the pattern, decoded.
  [[nodiscard]] const std::string& argument(std::size_t i) const { return match_.arguments[i]; }
  [[nodiscard]] Service& service() const { return service_; }
  /// The node that served when the call came, for all of it. Only in routes that need the node.
  [[nodiscard]] node::Node& node() const { return *node_; }
  /// The same to be held while the call is handed over: a node whose place was taken answers a
  /// write at once, and the call may be its last owner.
  [[nodiscard]] std::shared_ptr<node::Node> shared_node() const { return node_; }

  /// Whether lists show the caller a collection or alias of that name.
  [[nodiscard]] bool may_see(std::string_view name) const {
    return key_ == nullptr || key_->may_use(name);
  }

  /// The collection or alias named by the first part. Errors: kNotFound in the route's words.
  [[nodiscard]] Result<std::shared_ptr<const collection::Reader>> collection() const;
  /// kNotFound for the collection or alias `name`, in the words of the route's grammar.
  [[nodiscard]] Error no_such_collection(std::string_view name) const;

  /// Runs `work` on the pool, so that the io thread is free for others; answers 503 when the pool's
  /// queue is full.
  static void offload(const std::shared_ptr<Call>& call, std::function<void()> work) {
    offload(call, call->service_.pool, std::move(work));
  }
  /// The same on another pool; null: at once.
  static void offload(const std::shared_ptr<Call>& call, runtime::ThreadPool* pool,
                      std::function<void()> work);

  /// Sends `result`, JSON text, in the route's envelope.
  void answer(std::string result);
  /// The same for a write; lsn goes into X-Vectorizer-Lsn.
  void answer_write(std::string result, Lsn lsn);
  void answer_error(const Error& error);
  void answer_result(Result<std::string> result);
  void answer_text(int status, std::string text,
                   std::string_view content_type = "text/plain; charset=utf-8");
  void answer_json(int status, std::string json);  ///< without an envelope
  void answer_accepted();  ///< 202, in Qdrant's words: it goes on without the caller
  void answer_response(net::Response response) { send(std::move(response)); }

  /// What of the request the audit log shows beside its path; said before it is answered. Never a
  /// secret.
  void tell_audit(std::string detail) { audit_detail_ = std::move(detail); }
  /// What a read is about; said before it is answered, so that it counts if it was slow.
  void tell(const QueryFacts& facts) { facts_ = facts; }
  [[nodiscard]] const std::optional<QueryFacts>& facts() const { return facts_; }

 private:
  /// Every answer goes through here, and is counted; of what is audited it leaves when that is
  /// durable.
  void send(net::Response response);
  void note_if_slow(int status, std::chrono::nanoseconds took) const;
  [[nodiscard]] double seconds() const;
  [[nodiscard]] std::string enveloped(std::string result) const;

  Service& service_;
  RouteMatch match_;
  net::Request request_;
  net::Respond respond_;
  std::shared_ptr<const security::ApiKey> key_;
  std::shared_ptr<node::Node> node_;
  std::string audit_detail_;
  std::optional<QueryFacts> facts_;  ///< of a read whose request was understood
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace vz::api
