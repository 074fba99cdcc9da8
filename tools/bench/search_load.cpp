#include "tools/bench/search_load.h"

#include <string>

#include "tools/bench/ingest.h"
#include "tools/bench/load_client.h"
#include "tools/bench/load_loop.h"
#include "tools/bench/peer_beast.h"
#include "tools/bench/statistics.h"
#include "tools/drive/node_api.h"

namespace vz::bench {
namespace {

constexpr long kTimeoutMs = 60'000;
constexpr unsigned kPeerThreads = 2;
constexpr double kWarmUpSeconds = 0.3;

std::string target() {
  return std::string("/collections/") + kCollection + "/points/query";
}

std::string body_of(const DataSet& data, std::uint32_t query) {
  return drive::search_body(data.queries.row(query), "", kSearchLimit, drive::Accuracy::kDefault);
}

/// What the rounds of one server add up to.
struct Rounds {
  std::vector<double> qps;
  std::vector<double> micros;

  void add(const Load& load) {
    qps.push_back(load.per_second);
    micros.insert(micros.end(), load.micros.begin(), load.micros.end());
  }
  ServerLoad summary() {
    return {
        .qps = median(qps), .p50_us = percentile(micros, 0.50), .p99_us = percentile(micros, 0.99)};
  }
};

/// One loop against both servers, in turns. rate 0: closed.
Result<SearchLoad> measure_pair(const SearchLoadOptions& options, unsigned connections, double rate,
                                std::uint16_t peer_port, std::span<const std::string> requests) {
  const auto run = [&](std::uint16_t port, double seconds) -> Result<Load> {
    const LoopOptions loop{.endpoint = {.port = port},
                           .connections = connections,
                           .duration = std::chrono::duration<double>(seconds)};
    return rate > 0 ? open_loop(loop, rate, requests) : closed_loop(loop, requests);
  };
  VZ_TRY(run(options.port, kWarmUpSeconds));
  VZ_TRY(run(peer_port, kWarmUpSeconds));
  Rounds node, peer;
  std::vector<double> ratios;
  for (unsigned round = 0; round < options.rounds; ++round) {
    VZ_TRY_ASSIGN(const Load ours, run(options.port, options.seconds));
    VZ_TRY_ASSIGN(const Load theirs, run(peer_port, options.seconds));
    node.add(ours);
    peer.add(theirs);
    ratios.push_back(ours.per_second / theirs.per_second);
  }
  SearchLoad out{.connections = connections,
                 .rate = rate,
                 .node = node.summary(),
                 .do_nothing = peer.summary(),
                 .ratio = median(ratios)};
  if (options.in_process_qps > 0 && rate == 0 && connections == options.connections) {
    out.expected_qps = 1 / (1 / options.in_process_qps + 1 / out.do_nothing.qps);
    out.expected_ratio = out.node.qps / out.expected_qps;
  }
  return out;
}

}  // namespace

Result<std::vector<SearchLoad>> measure_searches(const DataSet& data,
                                                 const SearchLoadOptions& options) {
  std::vector<std::string> requests;
  for (std::uint32_t query = 0; query < data.queries.rows; ++query) {
    requests.push_back(
        http_request("POST", target(), {.port = options.port}, body_of(data, query)));
  }
  VZ_TRY_ASSIGN(const auto peer, DoNothingServer::start(kPeerThreads));
  std::vector<SearchLoad> out;
  const auto measure = [&](unsigned connections, double rate) -> Status {
    VZ_TRY_ASSIGN(const auto load,
                  measure_pair(options, connections, rate, peer->port(), requests));
    out.push_back(load);
    return {};
  };
  VZ_TRY(measure(1, 0));
  if (options.connections > 1) VZ_TRY(measure(options.connections, 0));
  if (options.rate > 0) VZ_TRY(measure(options.connections, options.rate));
  return out;
}

Result<Recall> measure_recall(const DataSet& data, std::uint16_t port) {
  drive::HttpClient http("http://127.0.0.1:" + std::to_string(port), kTimeoutMs);
  VZ_TRY_ASSIGN(const auto before, drive::collection_numbers(http, kCollection));
  double recall = 0;
  for (std::uint32_t query = 0; query < data.queries.rows; ++query) {
    VZ_TRY_ASSIGN(const auto answer, http.request("POST", target(), body_of(data, query)));
    VZ_TRY_ASSIGN(const auto ids, drive::ids_of_answer(answer));
    const std::vector<std::uint32_t> found(ids.begin(), ids.end());
    recall += recall_of(found, data.answers[query], kSearchLimit);
  }
  VZ_TRY_ASSIGN(const auto after, drive::collection_numbers(http, kCollection));
  return Recall{.recall = recall / data.queries.rows,
                .evaluations_per_query =
                    static_cast<double>(after.distance_evaluations - before.distance_evaluations) /
                    data.queries.rows,
                .segments = after.segments};
}

}  // namespace vz::bench
