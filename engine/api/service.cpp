// Routes about the node as a whole.
#include <cstdlib>

#include "engine/api/call.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/restore_json.h"

namespace vz::api {
namespace {

constexpr std::string_view kQdrantVersion = "1.18.0";  ///< the interface that is spoken
constexpr std::string_view kQdrantCommit = "0000000000000000000000000000000000000000";

void append_check(std::string& out, const node::HealthCheck& check) {
  out += "{\"name\":";
  append_string(out, check.name);
  out += ",\"status\":";
  append_string(out, check.healthy ? "healthy" : "unhealthy");
  out += ",\"detail\":";
  append_string(out, check.detail);
  out += '}';
}

std::string progress_text(const log::LoadProgress& progress) {
  const auto mib = [](std::uint64_t bytes) { return std::to_string(bytes >> 20); };
  if (progress.records == 0)
    return "opening segments: " + std::to_string(progress.segments) + " of " +
           std::to_string(progress.segments_total);
  return "replaying the log: " + std::to_string(progress.records) + " records, " +
         mib(progress.log_bytes) + " of at most " + mib(progress.log_bytes_total) + " MiB";
}

/// What /health knows; while the node recovers there is one check, "loading".
struct Health {
  std::vector<node::HealthCheck> checks;
  Epoch epoch = 0;
  Lsn lsn = 0;

  [[nodiscard]] const node::HealthCheck* first_bad() const {
    for (const node::HealthCheck& check : checks)
      if (!check.healthy) return &check;
    return nullptr;
  }
  [[nodiscard]] const node::HealthCheck* first_unready() const {
    for (const node::HealthCheck& check : checks)
      if (!check.ready) return &check;
    return nullptr;
  }
};

Health health_of(const Service& service) {
  const auto node = service.nodes->current();
  if (node == nullptr) {
    Health health;
    health.checks.push_back(
        {.name = "loading",
         .healthy = false,
         .detail = "the node is recovering: " + progress_text(service.nodes->progress()),
         .ready = false});
    return health;
  }
  Health health{.checks = node->health(), .epoch = node->epoch(), .lsn = node->visible_lsn()};
  if (service.trail == nullptr) return health;
  const std::string trouble = service.trail->trouble();
  health.checks.push_back({.name = "audit",
                           .healthy = trouble.empty(),
                           .detail = trouble.empty() ? "durable" : "not written: " + trouble});
  return health;
}

std::string health_json(const Service& service, const Health& health) {
  const node::HealthCheck* bad = health.first_bad();
  std::string out = "{\"status\":";
  append_string(out, bad == nullptr ? "healthy" : "unhealthy");
  if (bad != nullptr) {
    out += ",\"reason\":";
    append_string(out, bad->name + ": " + bad->detail);
  }
  out += ",\"ready\":";
  out += health.first_unready() == nullptr ? "true" : "false";
  out += ",\"version\":";
  append_string(out, service.version);
  out += ",\"role\":\"master\",\"epoch\":";
  append_number(out, health.epoch);
  out += ",\"lsn\":";
  append_number(out, health.lsn);
  out += ",\"uptime_seconds\":";
  append_number(out, std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::steady_clock::now() - service.started)
                         .count());
  if (const auto restore = service.nodes->restore_status(); restore.pending) {
    out += ",\"restore_pending\":";
    append_restore_status(out, restore);
  }
  out += ",\"checks\":[";
  for (std::size_t i = 0; i < health.checks.size(); ++i) {
    if (i > 0) out += ',';
    append_check(out, health.checks[i]);
  }
  out += "]}\n";
  return out;
}

}  // namespace

void get_root(std::shared_ptr<Call> call) {
  std::string out = R"({"title":"vectorizerctl - vector database","version":)";
  append_string(out, call->service().version);
  out += R"(,"openapi":"/openapi.json","qdrant":"/qdrant/"})";
  out += '\n';
  call->answer(std::move(out));
}

void get_openapi(std::shared_ptr<Call> call) {
  call->answer(openapi_json(call->service().version));
}

void get_qdrant_version(std::shared_ptr<Call> call) {
  std::string out = R"({"title":"qdrant - vector search engine","version":)";
  append_string(out, kQdrantVersion);
  out += ",\"commit\":";
  append_string(out, kQdrantCommit);
  out += '}';
  call->answer(std::move(out));
}

void get_health(std::shared_ptr<Call> call) {
  const Health health = health_of(call->service());
  call->answer_json(health.first_bad() == nullptr ? 200 : 503,
                    health_json(call->service(), health));
}

void get_livez(std::shared_ptr<Call> call) {
  call->answer_text(200, "healthz check passed");
}

void get_readyz(std::shared_ptr<Call> call) {
  const Health health = health_of(call->service());
  const node::HealthCheck* bad = health.first_bad();
  if (const node::HealthCheck* unready = health.first_unready()) {
    call->answer_text(503, "some shards are not ready: " + unready->name + ": " + unready->detail);
  } else if (bad != nullptr) {
    // What still answers must not lose its traffic.
    call->answer_text(200,
                      "all shards are ready, but unhealthy: " + bad->name + ": " + bad->detail);
  } else {
    call->answer_text(200, "all shards are ready");
  }
}

/// What still answers must not lose its traffic: a full disk refuses writes alone.
void get_health_master(std::shared_ptr<Call> call) {
  const Health health = health_of(call->service());
  call->answer_json(health.first_unready() == nullptr ? 200 : 503,
                    health_json(call->service(), health));
}

void get_health_replica(std::shared_ptr<Call> call) {
  call->answer_json(503, "{\"status\":\"unhealthy\",\"reason\":\"this node is the master\"}\n");
}

void get_cluster_status(std::shared_ptr<Call> call) {
  const node::Node& node = call->node();
  const std::string address =
      call->service().host + ":" + std::to_string(call->service().port.load());
  std::string out = R"({"enabled":false,"name":"vectorizer","master":)";
  append_string(out, address);
  out += ",\"nodes\":[{\"node_id\":";
  append_string(out, node.node_id());
  out += ",\"address\":";
  append_string(out, address);
  out += R"(,"role":"master","state":"running","epoch":)";
  append_number(out, node.epoch());
  out += ",\"lsn\":";
  append_number(out, node.visible_lsn());
  out += "}],\"shards\":[]}\n";
  call->answer(std::move(out));
}

void get_replication_status(std::shared_ptr<Call> call) {
  const node::Node& node = call->node();
  std::string out = R"({"role":"master","state":"running","epoch":)";
  append_number(out, node.epoch());
  out += ",\"lsn\":";
  append_number(out, node.visible_lsn());
  out += R"(,"lag_ms":0,"lag_bytes":0,"master":null,"replicas":[],"loss_window_bytes":0})";
  out += '\n';
  call->answer(std::move(out));
}

void get_qdrant_cluster(std::shared_ptr<Call> call) {
  call->answer(R"({"status":"disabled"})");
}

void not_built(std::shared_ptr<Call> call) {
  const Route& route = call->route();
  call->answer_error(
      {ErrorCode::kInvalidArgument, "route " + std::string(net::method_name(route.method)) + " " +
                                        std::string(route.pattern) + " is not supported yet"});
}

}  // namespace vz::api
