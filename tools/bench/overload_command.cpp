// vz_bench overload: what a running node still answers at five times the load that it can carry,
// and how soon /health does meanwhile.
#include <cstdio>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "tools/bench/commands.h"
#include "tools/bench/live_queries.h"
#include "tools/bench/load_client.h"
#include "tools/bench/load_loop.h"
#include "tools/bench/statistics.h"

namespace vz::bench {
namespace {

constexpr long kTimeoutMs = 60'000;
constexpr std::chrono::milliseconds kHealthEvery{10};
constexpr double kWarmUpSeconds = 1;

struct Options {
  std::uint16_t port = 15002;
  std::string collection;
  std::uint32_t queries = 200;
  unsigned peak_connections = 16;
  unsigned connections = 700;
  double times = 5;
  double seconds = 5;
};

/// Asks for /health until it is stopped, on a connection of its own.
Result<std::vector<double>> time_health(const drive::Endpoint& endpoint, std::stop_token stop) {
  VZ_TRY_ASSIGN(auto client, LoadClient::connect(endpoint));
  const std::string request = http_request("GET", "/health", endpoint, "");
  std::vector<double> micros;
  while (!stop.stop_requested()) {
    const auto begin = std::chrono::steady_clock::now();
    VZ_TRY(client.exchange(request));
    micros.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
    std::this_thread::sleep_for(kHealthEvery);
  }
  return micros;
}

/// A loop, with the times of /health beside it.
template <typename Loop>
Result<Latency> with_health(const drive::Endpoint& endpoint, const Loop& loop) {
  std::stop_source stop;
  auto health = std::async(std::launch::async, time_health, endpoint, stop.get_token());
  const Status done = loop();
  stop.request_stop();
  auto micros = health.get();
  VZ_TRY(done);
  if (!micros) return tl::unexpected<Error>(std::move(micros).error());
  return latency_of(*micros);
}

void print_row(const char* name, double offered, Load& load, const Latency& health) {
  const Latency latency = latency_of(load.micros);
  std::printf("%-10s %10.0f %10.0f %10.0f %9.2f %9.2f %9.2f %9.2f\n", name, offered,
              load.per_second, static_cast<double>(load.refused) / load.seconds, latency.p50_ms,
              latency.p99_ms, health.p50_ms, health.p99_ms);
}

Status run(const Options& options) {
  const drive::Endpoint endpoint{.port = options.port};
  drive::HttpClient http(endpoint, kTimeoutMs);
  VZ_TRY_ASSIGN(auto shape, drive::collection_shape(http, options.collection));
  const LiveCollection collection{
      .endpoint = endpoint, .name = options.collection, .shape = std::move(shape)};
  VZ_TRY_ASSIGN(const Matrix queries, queries_of_points(collection, options.queries));
  const auto requests = search_requests(collection, queries, {});
  LoopOptions loop{.endpoint = endpoint,
                   .connections = options.peak_connections,
                   .duration = std::chrono::duration<double>(kWarmUpSeconds),
                   .refusals = Refusals::kAreCounted};
  VZ_TRY(closed_loop(loop, requests));

  loop.duration = std::chrono::duration<double>(options.seconds);
  Load peak;
  VZ_TRY_ASSIGN(const Latency at_peak, with_health(endpoint, [&]() -> Status {
                  VZ_TRY_ASSIGN(peak, closed_loop(loop, requests));
                  return {};
                }));
  const double rate = options.times * peak.per_second;
  loop.connections = options.connections;
  Load over;
  VZ_TRY_ASSIGN(const Latency overloaded, with_health(endpoint, [&]() -> Status {
                  VZ_TRY_ASSIGN(over, open_loop(loop, rate, requests));
                  return {};
                }));
  std::printf("%-10s %10s %10s %10s %9s %9s %9s %9s\n", "load", "offered/s", "answered/s",
              "refused/s", "p50 ms", "p99 ms", "health50", "health99");
  print_row("peak", peak.per_second, peak, at_peak);
  print_row("overload", rate, over, overloaded);
  std::printf("goodput at %.0f x the peak: %.2f of it\n", options.times,
              over.per_second / peak.per_second);
  return {};
}

}  // namespace

void add_overload_command(CLI::App& app, Status& outcome) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *app.add_subcommand("overload", "Goodput of a running node beyond its peak");
  command.add_option("collection", options->collection, "With points in it")->required();
  command.add_option("--port", options->port, "Of the node, on 127.0.0.1")->capture_default_str();
  command.add_option("--queries", options->queries, "Points that serve as queries")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  command.add_option("--peak-connections", options->peak_connections, "Of the closed loop")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  command.add_option("--connections", options->connections, "Of the open loop")
      ->check(CLI::Range(1u, 1'000u))
      ->capture_default_str();
  command.add_option("--times", options->times, "Load offered, in peaks")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  command.add_option("--seconds", options->seconds, "Of each loop")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  command.callback([options, &outcome] { outcome = run(*options); });
}

}  // namespace vz::bench
