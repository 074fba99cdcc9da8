// GET /metrics: gathers what the parts of the process count of themselves.
#include <algorithm>
#include <array>
#include <map>

#include "engine/api/call.h"
#include "engine/api/handlers.h"
#include "engine/api/metric_page.h"
#include "engine/limits.h"
#include "engine/node/jobs.h"
#include "engine/node/snapshots.h"
#include "engine/payload/datetime.h"
#include "engine/runtime/process_numbers.h"
#include "storage/segment/checksum_errors.h"

namespace vz::api {
namespace {

using Labels = MetricPage::Labels;
using collection::Reader;
using collection::SearchNumbers;
using enum MetricKind;

#define VZ_METRIC(name) "vectorizer_" name

constexpr std::array kLatencyBounds{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0};
constexpr std::array kSyncBounds{.0001, .00025, .0005, .001, .0025, .005, .01,
                                 .025,  .05,    .1,    .25,  .5,    1.0};
constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

double value_of(std::uint64_t number) {
  return static_cast<double>(number);
}

/// The oldest collections have a label of their own, so that a new one takes none away.
std::map<std::string, SearchNumbers> by_label(
    std::vector<std::shared_ptr<const Reader>> collections) {
  std::sort(collections.begin(), collections.end(),
            [](const auto& a, const auto& b) { return a->id() < b->id(); });
  std::map<std::string, SearchNumbers> out;
  for (std::size_t i = 0; i < collections.size(); ++i) {
    const bool own = i < limits::kMetricCollectionsMax;
    const SearchNumbers numbers = collections[i]->search_numbers();
    SearchNumbers& sum = out[own ? collections[i]->name() : std::string("other")];
    sum.latency.add(numbers.latency);
    sum.failed += numbers.failed;
  }
  return out;
}

void append_collections(MetricPage& page, const node::Node& node) {
  const auto collections = node.collections();
  std::uint64_t vectors = 0;
  for (const auto& reader : collections) vectors += reader->stats().points;
  page.single(kUntyped, VZ_METRIC("collections_total"), "Collections now",
              value_of(collections.size()));
  page.single(kUntyped, VZ_METRIC("vectors_total"), "Points that live now, of all collections",
              value_of(vectors));

  const auto searches = by_label(collections);
  page.metric(kHistogram, VZ_METRIC("search_latency_seconds"),
              "Time of a search in the engine, without HTTP");
  for (const auto& [name, numbers] : searches)
    page.sample(numbers.latency, kLatencyBounds, {{"collection", name}});
  page.metric(kCounter, VZ_METRIC("search_requests_total"), "Searches, by how they ended");
  for (const auto& [name, numbers] : searches) {
    page.sample(value_of(numbers.latency.count), {{"collection", name}, {"status", "ok"}});
    page.sample(value_of(numbers.failed), {{"collection", name}, {"status", "error"}});
  }
}

void append_node(MetricPage& page, const node::Node& node, const node::NodeNumbers& numbers) {
  page.metric(kCounter, VZ_METRIC("insert_requests_total"),
              "Writes that upsert points, by how they ended");
  page.sample(value_of(numbers.insert.count), {{"status", "ok"}});
  page.sample(value_of(numbers.inserts_failed), {{"status", "error"}});
  page.metric(kHistogram, VZ_METRIC("insert_latency_seconds"),
              "Time of a write that upserts points, until it was durable and visible");
  page.sample(numbers.insert, kLatencyBounds);
  page.metric(kHistogram, VZ_METRIC("wal_fsync_seconds"), "Time of each fdatasync of the log");
  page.sample(numbers.log_sync, kSyncBounds);
  page.single(kGauge, VZ_METRIC("wal_bytes"), "Bytes of records in the log",
              value_of(numbers.log_bytes));
  page.single(kGauge, VZ_METRIC("wal_lsn"), "Number of the newest record that readers see",
              value_of(node.visible_lsn()));
  page.single(kCounter, VZ_METRIC("index_errors_total"),
              "Merges and index builds that failed, and indexes that a check found damaged",
              value_of(numbers.index_errors));
  page.single(kGauge, VZ_METRIC("memory_usage_bytes"),
              "Memory of the process that no file stands behind", value_of(numbers.memory_bytes));
  page.single(kGauge, VZ_METRIC("memory_limit_bytes"), "Memory that the process may use",
              value_of(numbers.memory_limit_bytes));
  page.single(kGauge, VZ_METRIC("disk_free_bytes"), "Free space where the data directory is",
              value_of(numbers.disk.free_bytes));
  page.single(kGauge, VZ_METRIC("disk_total_bytes"), "Size of that disk",
              value_of(numbers.disk.total_bytes));
}

void append_http(MetricPage& page, const Service& service) {
  const auto routes = service.numbers.snapshot();
  page.metric(kCounter, VZ_METRIC("http_requests_total"), "Answers, by route and status");
  for (const auto& route : routes)
    for (const auto& [status, count] : route.by_status)
      page.sample(value_of(count),
                  {{"route", route.route}, {"method", route.method}, {"status", status}});
  std::map<std::string, runtime::Histogram::Snapshot> latencies;
  for (const auto& route : routes) latencies[route.route].add(route.latency);
  page.metric(kHistogram, VZ_METRIC("http_request_seconds"),
              "Time from a whole request to its answer, of those not refused by their head");
  for (const auto& [route, latency] : latencies)
    page.sample(latency, kLatencyBounds, {{"route", route}});
  page.single(kCounter, VZ_METRIC("auth_failures_total"), "Requests that were answered 401",
              value_of(service.numbers.unauthenticated()));
  page.single(kCounter, VZ_METRIC("ip_blocked_requests_total"),
              "Connections and requests of blocked addresses", value_of(service.numbers.blocked()));
}

void append_process(MetricPage& page, const Service& service) {
  const runtime::ProcessNumbers process = runtime::process_numbers();
  page.metric(kGauge, VZ_METRIC("build_info"), "1, with what runs as labels");
  page.sample(1, {{"version", service.version}, {"commit", service.commit}});
  page.single(kCounter, VZ_METRIC("checksum_errors_total"),
              "Times that bytes of a segment file were not what was written",
              value_of(segment::checksum_errors()));
  page.single(kCounter, "process_cpu_seconds_total", "User and system time of all threads",
              process.cpu_seconds);
  page.single(kGauge, "process_start_time_seconds", "When the process began, since 1970",
              process.start_time_seconds);
  page.single(kGauge, "process_resident_memory_bytes", "Resident memory, mapped files too",
              value_of(process.resident_bytes));
  page.single(kGauge, "process_virtual_memory_bytes", "Address space in use",
              value_of(process.virtual_bytes));
  page.single(kGauge, "process_threads", "Threads", value_of(process.threads));
  page.single(kGauge, "process_open_fds", "Open files and sockets", value_of(process.open_files));
  page.single(kGauge, "process_max_fds", "Most that may be open", value_of(process.open_files_max));
}

void append_queues(MetricPage& page, const Service& service, std::size_t writes_waiting) {
  page.metric(kGauge, VZ_METRIC("request_queue_size"), "Requests that wait, by what they wait for");
  const net::HttpServer* http = service.http.load();
  page.sample(http == nullptr ? 0 : value_of(http->waiting()), {{"queue", "http"}});
  page.sample(value_of(writes_waiting), {{"queue", "writer"}});
  page.sample(service.pool == nullptr ? 0 : value_of(service.pool->queued()), {{"queue", "pool"}});
}

void append_snapshots(MetricPage& page, const Service& service) {
  std::int64_t newest_us = 0;
  if (service.snapshots != nullptr) {
    if (const auto archives = service.snapshots->list(node::Snapshots::kNode)) {
      for (const auto& archive : *archives)
        newest_us = std::max(newest_us, payload::parse_datetime(archive.created).value_or(0));
    }
  }
  page.single(kGauge, VZ_METRIC("last_backup_timestamp_seconds"),
              "When the newest snapshot was made, since 1970; 0: there is none",
              static_cast<double>(newest_us / 1'000'000));
  page.single(kCounter, VZ_METRIC("backup_failures_total"), "Snapshots that failed",
              service.snapshots == nullptr ? 0 : value_of(service.snapshots->failures()));
}

void append_jobs(MetricPage& page, const Service& service) {
  std::map<std::string, std::uint64_t> running = {
      {"compact", 0}, {"gc", 0}, {"index-rebuild", 0}, {"integrity-check", 0}, {"optimize", 0}};
  for (const node::JobInfo& job : service.nodes->jobs().list())
    if (job.status == node::JobStatus::kRunning) ++running[job.kind];
  page.metric(kGauge, VZ_METRIC("jobs_running"), "Jobs that run now");
  for (const auto& [kind, count] : running) page.sample(value_of(count), {{"kind", kind}});
}

void append_queries(MetricPage& page, const Service& service) {
  page.single(kCounter, VZ_METRIC("slow_queries_total"),
              "Reads that took at least logging.slow_query_threshold_ms",
              value_of(service.slow_queries.total()));
  const QueryCache::Numbers cache = service.query_cache.numbers();
  page.metric(kCounter, VZ_METRIC("cache_requests_total"), "Look-ups in the query cache");
  page.sample(value_of(cache.hits), {{"result", "hit"}});
  page.sample(value_of(cache.misses), {{"result", "miss"}});
  page.single(kGauge, VZ_METRIC("cache_entries"), "Answers in the query cache",
              value_of(cache.entries));
  page.single(kGauge, VZ_METRIC("cache_bytes"), "Memory that they take", value_of(cache.bytes));
}

/// What a node without followers and keys has none of.
void append_absent(MetricPage& page) {
  page.metric(kGauge, VZ_METRIC("replication_role"), "1 for the role that this node has");
  page.sample(1, {{"role", "master"}});
  page.single(kGauge, VZ_METRIC("replication_lag_seconds"), "How far behind the master", 0);
  page.single(kGauge, VZ_METRIC("replication_lag_bytes"), "Bytes of the log not received yet", 0);
  page.single(kGauge, VZ_METRIC("replication_replicas"), "Nodes that follow this one", 0);
  page.single(kCounter, VZ_METRIC("replication_bytes_sent_total"), "To followers", 0);
  page.single(kCounter, VZ_METRIC("replication_bytes_received_total"), "From the master", 0);
  page.single(kCounter, VZ_METRIC("failover_total"), "Changes of this node's role", 0);
  page.single(kCounter, VZ_METRIC("rate_limited_requests_total"), "Requests over a rate limit", 0);
}

#undef VZ_METRIC

}  // namespace

void get_metrics(std::shared_ptr<Call> call) {
  const Service& service = call->service();
  MetricPage page;
  append_process(page, service);
  append_http(page, service);
  std::size_t writes_waiting = 0;
  if (const auto node = service.nodes->current()) {
    const node::NodeNumbers numbers = node->numbers();
    writes_waiting = numbers.writes_waiting;
    append_collections(page, *node);
    append_node(page, *node, numbers);
  }
  append_queues(page, service, writes_waiting);
  append_snapshots(page, service);
  append_jobs(page, service);
  append_queries(page, service);
  append_absent(page);
  call->answer_text(200, page.text(), kContentType);
}

}  // namespace vz::api
