#include "tools/bench/report.h"

#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tools/bench/json_file.h"

namespace vz::bench {
namespace {

constexpr double kMega = 1e6;
constexpr double kGoalRecall = 0.95;

void print_point(const char* name, const Point& point) {
  std::printf("%-12s %6zu %8.4f %10.0f %10.0f %9.1f %9.1f\n", name, point.ef, point.recall,
              point.evaluations, point.qps, point.p50_us, point.p99_us);
}

void print_filtered(const std::vector<Filtered>& rows) {
  if (rows.empty()) return;
  std::printf("\n%-18s %6s %8s %7s %9s %6s %8s %9s\n", "filter", "ef", "recall", "evals", "QPS",
              "walks", "of plain", "as exact");
  for (const Filtered& row : rows) {
    std::printf("%-11s %4.1f %% %6zu %8.4f %7.0f %9.0f %6.2f %6.2f x %7.2f x", row.kind.c_str(),
                row.share * 100, row.point.ef, row.point.recall, row.point.evaluations,
                row.point.qps, row.walks, row.ratio, row.ratio_as_exact);
    if (row.scan_qps > 0) {
      std::printf("   walks: ef %zu, recall %.4f, %.0f evals, %.0f QPS; scans: %.0f QPS",
                  row.walked.ef, row.walked.recall, row.walked.evaluations, row.walked.qps,
                  row.scan_qps);
    }
    std::printf("\n");
  }
}

/// Each ratio beside what we aim at: more is to be had the longer the vectors are.
void print_goals(const Report& report) {
  if (report.pairs.empty()) return;
  const bool long_vectors = report.dimension >= 384;
  const auto row = [](const std::string& work, double ratio, double goal, bool at_most) {
    std::printf("%-44s %6.2f x   goal %s %.2f x   %s\n", work.c_str(), ratio,
                at_most ? "<=" : ">=", goal,
                (at_most ? ratio <= goal : ratio >= goal) ? "met" : "not met");
  };
  std::printf("\n");
  for (const Pair& pair : report.pairs) {
    if (pair.recall != kGoalRecall) continue;
    const bool first = pair.peer_name == report.curves[1].name;
    row("search, " + pair.peer_name + " = 1, recall 0.95", pair.ratio,
        !first         ? 2.0
        : long_vectors ? 5.0
                       : 3.0,
        false);
  }
  const Curve &ours = report.curves[0], &peer = report.curves[1];
  row("build to searchable, hnswlib = 1", ours.build_seconds / peer.build_seconds,
      long_vectors ? 0.25 : 0.4, true);
  row("memory without float32, hnswlib = 1",
      static_cast<double>(ours.bytes) / static_cast<double>(peer.bytes), long_vectors ? 0.3 : 0.5,
      true);
  for (const Filtered& filtered : report.filtered) {
    char work[64];
    std::snprintf(work, sizeof work, "filter %s, %.1f %%, unfiltered = 1", filtered.kind.c_str(),
                  filtered.share * 100);
    row(work, filtered.ratio, 0.5, false);
  }
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
  for (std::size_t i = 1; i < report.curves.size(); ++i) {
    const Curve &ours = report.curves[0], &peer = report.curves[i];
    std::printf("%-12s = 1: build %.2f, bytes %.2f\n", peer.name.c_str(),
                ours.build_seconds / peer.build_seconds,
                static_cast<double>(ours.bytes) / static_cast<double>(peer.bytes));
  }
  std::printf("\n%-12s %6s %8s %10s %10s %9s %9s\n", "", "ef", "recall", "evals", "QPS", "p50 us",
              "p99 us");
  for (const Curve& curve : report.curves) {
    for (const Point& point : curve.points) print_point(curve.name.c_str(), point);
  }
  for (const Pair& pair : report.pairs) {
    std::printf("\nrecall >= %.2f: %.2f x\n", pair.recall, pair.ratio);
    print_point(report.curves[0].name.c_str(), pair.ours);
    print_point(pair.peer_name.c_str(), pair.peer);
  }
  print_filtered(report.filtered);
  print_goals(report);
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
                            {"peer_name", pair.peer_name},
                            {"ours", json_of(pair.ours)},
                            {"peer", json_of(pair.peer)},
                            {"ratio", pair.ratio}});
  }
  for (const Filtered& row : report.filtered) {
    out["filtered"].push_back({{"kind", row.kind},
                               {"share", row.share},
                               {"point", json_of(row.point)},
                               {"walks", row.walks},
                               {"ratio", row.ratio},
                               {"ratio_as_exact", row.ratio_as_exact},
                               {"walked", json_of(row.walked)},
                               {"scan_qps", row.scan_qps}});
  }
  return write_json_file(out, path);
}

Status write_plot(const Report& report, const std::string& path) {
  std::string quoted = path;  // As gnuplot has it in single quotes.
  for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 2)
    quoted.insert(at, 1, '\'');
  std::FILE* const gnuplot = ::popen("gnuplot", "w");
  if (gnuplot == nullptr) return fail(ErrorCode::kUnsupported, "gnuplot cannot be started");
  for (std::size_t i = 0; i < report.curves.size(); ++i) {
    std::fprintf(gnuplot, "$curve%zu << EOD\n", i);
    for (const Point& point : report.curves[i].points)
      std::fprintf(gnuplot, "%.5f %.1f\n", point.recall, point.qps);
    std::fprintf(gnuplot, "EOD\n");
  }
  std::fprintf(gnuplot,
               "set terminal %s size 900,600\nset output '%s'\nset grid\nset logscale y\n"
               "set xlabel 'recall at %zu'\nset ylabel 'searches a second, one thread'\n"
               "set title '%u x %u'\nplot ",
               path.ends_with(".svg") ? "svg" : "pngcairo", quoted.c_str(), report.k, report.rows,
               report.dimension);
  for (std::size_t i = 0; i < report.curves.size(); ++i)
    std::fprintf(gnuplot, "%s$curve%zu with linespoints title '%s'", i == 0 ? "" : ", ", i,
                 report.curves[i].name.c_str());
  std::fprintf(gnuplot, "\n");
  if (::pclose(gnuplot) != 0)
    return fail(ErrorCode::kUnsupported, path + ": gnuplot did not draw it; is gnuplot-nox there?");
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
