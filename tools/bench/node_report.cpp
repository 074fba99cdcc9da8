#include "tools/bench/node_report.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "tools/bench/json_file.h"

namespace vz::bench {
namespace {

constexpr double kMega = 1e6;
constexpr double kIngestGoal = 0.5;
constexpr double kExpectedGoal = 0.85;
constexpr double kTailGoal = 3;
constexpr double kRestartGoalMs = 1'000;
constexpr double kMemoryGoal = 0.3;  ///< where vectors are long
constexpr double kMemoryGoalShort = 0.5;
constexpr std::uint32_t kLongDimension = 384;

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / kMega;
}

std::uint64_t without_float32(const ProcessMemory& memory) {
  return memory.rss_bytes - memory.segment_bytes;
}

double memory_ratio(const NodeReport& report) {
  return megabytes(without_float32(report.memory)) / megabytes(report.hnswlib_bytes);
}

double memory_goal(const NodeReport& report) {
  return report.dimension >= kLongDimension ? kMemoryGoal : kMemoryGoalShort;
}

double ingest_ratio(const NodeReport& report) {
  return report.ingest.points_per_second / report.log_floor.points_per_second;
}

const char* verdict(bool met) {
  return met ? "met" : "missed";
}

void print_line(const char* what, const std::string& ours, const std::string& peer,
                const std::string& ratio, const std::string& goal) {
  std::printf("%-32s %-30s %-36s %10s  %s\n", what, ours.c_str(), peer.c_str(), ratio.c_str(),
              goal.c_str());
}

template <typename... Values>
std::string text(const char* format, Values... values) {
  char out[128];
  std::snprintf(out, sizeof out, format, values...);
  return out;
}

void print_writes(const NodeReport& report) {
  print_line("start, empty", text("%.0f ms", report.empty_start_ms), "", "", "");
  print_line("ingest, fsynced and searchable",
             text("%.0f points/s, %.0f MB/s JSON", report.ingest.points_per_second,
                  report.ingest.megabytes_per_second),
             text("log %.0f points/s, %.0f MB/s", report.log_floor.points_per_second,
                  report.log_floor.megabytes_per_second),
             text("%.2f", ingest_ratio(report)),
             text(">= %.2f %s", kIngestGoal, verdict(ingest_ratio(report) >= kIngestGoal)));
  print_line("all indexed, after last answer", text("%.2f s", report.indexed_seconds), "", "", "");
}

void print_search(const SearchLoad& load, const NodeReport& report) {
  const std::string what =
      load.rate > 0 ? text("search, c = %u, %.0f/s open loop", load.connections, load.rate)
                    : text("search, c = %u", load.connections);
  print_line(what.c_str(), text("%.0f QPS", load.node.qps),
             text("do-nothing %.0f QPS", load.do_nothing.qps), text("%.2f", load.ratio), "");
  if (load.expected_qps > 0) {
    print_line("", "", text("in-process + do-nothing %.0f QPS", load.expected_qps),
               text("%.2f", load.expected_ratio),
               text(">= %.2f %s", kExpectedGoal, verdict(load.expected_ratio >= kExpectedGoal)));
  }
  const double tail = load.node.p99_us / load.node.p50_us;
  const bool has_goal = load.connections == report.connections && load.rate == 0;
  print_line("  latency", text("p50 %.0f us, p99 %.0f us", load.node.p50_us, load.node.p99_us),
             text("p50 %.0f us, p99 %.0f us", load.do_nothing.p50_us, load.do_nothing.p99_us),
             text("%.1f x p50", tail),
             has_goal ? text("<= %.0f %s", kTailGoal, verdict(tail <= kTailGoal)) : "");
}

void print_start(const char* what, double ms, const NodeReport& report) {
  const double more_ms = ms - report.empty_start_ms;
  print_line(what, text("%.0f ms", ms), text("empty %.0f ms", report.empty_start_ms),
             text("%+.0f ms", more_ms),
             text("< +%.0f %s", kRestartGoalMs, verdict(more_ms < kRestartGoalMs)));
}

void print_memory(const char* what, const ProcessMemory& memory) {
  print_line(what, text("RSS %.0f MB", megabytes(memory.rss_bytes)),
             text("anonymous %.0f, file %.0f (.seg %.0f)", megabytes(memory.anonymous_bytes),
                  megabytes(memory.file_bytes), megabytes(memory.segment_bytes)),
             "", "");
}

nlohmann::json json_of(const ProcessMemory& memory) {
  return {{"rss_bytes", memory.rss_bytes},
          {"rss_anon_bytes", memory.anonymous_bytes},
          {"rss_file_bytes", memory.file_bytes},
          {"segment_bytes", memory.segment_bytes}};
}

nlohmann::json json_of(const ServerLoad& load) {
  return {{"qps", load.qps}, {"p50_us", load.p50_us}, {"p99_us", load.p99_us}};
}

nlohmann::json json_of(const SearchLoad& load) {
  nlohmann::json out = {{"connections", load.connections},
                        {"loop", load.rate > 0 ? "open" : "closed"},
                        {"node", json_of(load.node)},
                        {"do_nothing", json_of(load.do_nothing)},
                        {"ratio", load.ratio},
                        {"p99_x_p50", load.node.p99_us / load.node.p50_us}};
  if (load.rate > 0) out["rate"] = load.rate;
  if (load.expected_qps > 0) {
    out["expected"] = {
        {"qps", load.expected_qps}, {"ratio", load.expected_ratio}, {"goal", kExpectedGoal}};
  }
  return out;
}

nlohmann::json json_of(const NodeReport& report) {
  nlohmann::json searches = nlohmann::json::array();
  for (const SearchLoad& load : report.searches) searches.push_back(json_of(load));
  return {{"data", report.data},
          {"distance", report.distance},
          {"rows", report.rows},
          {"dimension", report.dimension},
          {"queries", report.queries},
          {"connections", report.connections},
          {"batch", report.batch},
          {"load_average", report.load_average},
          {"ingest",
           {{"seconds", report.ingest.seconds},
            {"points_per_second", report.ingest.points_per_second},
            {"json_megabytes_per_second", report.ingest.megabytes_per_second},
            {"log_points_per_second", report.log_floor.points_per_second},
            {"log_megabytes_per_second", report.log_floor.megabytes_per_second},
            {"ratio", ingest_ratio(report)},
            {"goal", kIngestGoal}}},
          {"indexed_seconds", report.indexed_seconds},
          {"recall", report.recall.recall},
          {"evaluations_per_query", report.recall.evaluations_per_query},
          {"segments", report.recall.segments},
          {"searches", searches},
          {"p99_x_p50_goal", kTailGoal},  // of the closed loop over all connections
          {"memory",
           {{"empty", json_of(report.empty_memory)},
            {"served", json_of(report.memory)},
            {"without_float32_bytes", without_float32(report.memory)},
            {"hnswlib_bytes", report.hnswlib_bytes},
            {"ratio", memory_ratio(report)},
            {"goal", memory_goal(report)}}},
          {"start",
           {{"empty_ms", report.empty_start_ms},
            {"clean_ms", report.clean_start_ms},
            {"killed_ms", report.killed_start_ms},
            {"killed_points", report.killed_points},
            {"goal_more_ms", kRestartGoalMs}}}};
}

}  // namespace

void print_table(const NodeReport& report) {
  std::printf("data %s: %u x %u, %s, %u queries, %u connections, batches of %u\n",
              report.data.c_str(), report.rows, report.dimension, report.distance.c_str(),
              report.queries, report.connections, report.batch);
  std::printf("load average before the first start %.2f\n\n", report.load_average);
  print_line("what", "node", "peer", "ratio", "goal");
  print_writes(report);
  print_line(text("recall@%zu", kSearchLimit).c_str(), text("%.4f", report.recall.recall),
             text("%.0f distances, %lu segments", report.recall.evaluations_per_query,
                  static_cast<unsigned long>(report.recall.segments)),
             "", "");
  for (const SearchLoad& load : report.searches) print_search(load, report);
  print_memory("memory, empty", report.empty_memory);
  print_memory("memory, after the searches", report.memory);
  print_line("  without .seg", text("%.0f MB", megabytes(without_float32(report.memory))),
             text("hnswlib f32 %.0f MB", megabytes(report.hnswlib_bytes)),
             text("%.2f", memory_ratio(report)),
             text("<= %.2f %s", memory_goal(report),
                  verdict(memory_ratio(report) <= memory_goal(report))));
  print_start("start, after SIGTERM", report.clean_start_ms, report);
  print_start(text("start, kill -9 after %u points", report.killed_points).c_str(),
              report.killed_start_ms, report);
}

Status write_json(const NodeReport& report, const std::string& path) {
  return write_json_file(json_of(report), path);
}

}  // namespace vz::bench
