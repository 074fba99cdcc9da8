#include "tools/bench/report.h"

#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

namespace vz::bench {
namespace {

constexpr double kMega = 1e6;

void print_point(const char* name, const Point& point) {
  std::printf("%-12s %6zu %8.4f %10.0f %10.0f %9.1f %9.1f\n", name, point.ef, point.recall,
              point.evaluations, point.qps, point.p50_us, point.p99_us);
}

nlohmann::json json_of(const Point& point) {
  return {{"ef", point.ef},   {"recall", point.recall}, {"evaluations", point.evaluations},
          {"qps", point.qps}, {"p50_us", point.p50_us}, {"p99_us", point.p99_us}};
}

}  // namespace

void print_table(const Report& report) {
  std::printf("data %s: %u x %u, %u queries, k %zu, rescore %zu, kernels %s, codes %s\n",
              report.data.c_str(), report.rows, report.dimension, report.queries, report.k,
              report.rescore, report.kernels.c_str(), report.codes_on ? "on" : "off");
  for (const Curve& curve : report.curves) {
    std::printf("%-12s build %.1f s, %.1f MB\n", curve.name.c_str(), curve.build_seconds,
                static_cast<double>(curve.bytes) / kMega);
  }
  if (report.curves.size() == 2) {
    std::printf(
        "ratio        build %.2f, bytes %.2f\n",
        report.curves[0].build_seconds / report.curves[1].build_seconds,
        static_cast<double>(report.curves[0].bytes) / static_cast<double>(report.curves[1].bytes));
  }
  std::printf("\n%-12s %6s %8s %10s %10s %9s %9s\n", "", "ef", "recall", "evals", "QPS", "p50 us",
              "p99 us");
  for (const Curve& curve : report.curves) {
    for (const Point& point : curve.points) print_point(curve.name.c_str(), point);
  }
  for (const Pair& pair : report.pairs) {
    std::printf("\nrecall >= %.2f: %.2f x\n", pair.recall, pair.ratio);
    print_point(report.curves[0].name.c_str(), pair.ours);
    print_point(report.curves[1].name.c_str(), pair.peer);
  }
  if (!report.filtered.empty()) {
    std::printf("\n%-10s %6s %8s %10s %10s %6s | %10s %8s | %10s\n", "filter", "ef", "recall",
                "evals", "QPS", "walks", "walk QPS", "recall", "scan QPS");
  }
  for (const Filtered& row : report.filtered) {
    std::printf("%8.2f %% %6zu %8.4f %10.0f %10.0f %6.2f | %10.0f %8.4f | %10.0f\n",
                row.share * 100, row.ef, row.recall, row.evaluations, row.qps, row.walks,
                row.walk_qps, row.walk_recall, row.scan_qps);
  }
  std::printf("\npeak RSS %.0f MB\n", static_cast<double>(report.peak_rss_bytes) / kMega);
}

Status write_json(const Report& report, const std::string& path) {
  nlohmann::json out = {{"data", report.data},
                        {"rows", report.rows},
                        {"dimension", report.dimension},
                        {"queries", report.queries},
                        {"k", report.k},
                        {"rescore", report.rescore},
                        {"kernels", report.kernels},
                        {"codes_on", report.codes_on},
                        {"peak_rss_bytes", report.peak_rss_bytes}};
  for (const Curve& curve : report.curves) {
    nlohmann::json points = nlohmann::json::array();
    for (const Point& point : curve.points) points.push_back(json_of(point));
    out["curves"].push_back({{"name", curve.name},
                             {"build_seconds", curve.build_seconds},
                             {"bytes", curve.bytes},
                             {"points", points}});
  }
  for (const Pair& pair : report.pairs) {
    out["pairs"].push_back({{"recall", pair.recall},
                            {"ours", json_of(pair.ours)},
                            {"peer", json_of(pair.peer)},
                            {"ratio", pair.ratio}});
  }
  for (const Filtered& row : report.filtered) {
    out["filtered"].push_back({{"share", row.share},
                               {"ef", row.ef},
                               {"recall", row.recall},
                               {"qps", row.qps},
                               {"evaluations", row.evaluations},
                               {"walks", row.walks},
                               {"walk_qps", row.walk_qps},
                               {"walk_recall", row.walk_recall},
                               {"scan_qps", row.scan_qps}});
  }
  std::ofstream file(path);
  file << out.dump(2) << '\n';
  file.close();
  if (!file) return fail(ErrorCode::kIoError, path + ": cannot be written");
  return {};
}

std::uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace vz::bench
