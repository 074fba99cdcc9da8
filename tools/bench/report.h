// Results as a table and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace vz::bench {

/// One subject at one ef.
struct Point {
  std::size_t ef = 0;
  double recall = 0;
  double evaluations = 0;  ///< per query
  double qps = 0;          ///< median of the rounds
  double p50_us = 0;
  double p99_us = 0;
};

struct Curve {
  std::string name;
  double build_seconds = 0;
  std::uint64_t bytes = 0;
  std::vector<Point> points;
};

/// Both subjects at the least ef that reaches a recall, alternating in the same rounds.
struct Pair {
  std::string peer_name{};
  double recall = 0;  ///< asked for
  Point ours;
  Point peer;
  double ratio = 0;  ///< of QPS, median over the rounds
};

/// Our searches under filters that let `share` of the rows pass, another filter for each query.
struct Filtered {
  std::string kind;  ///< how the filter lies to the query
  double share = 0;
  Point point;                ///< at the least ef that reaches the recall asked for
  double walks = 0;           ///< share of the searches that walked
  double ratio = 0;           ///< of QPS to unfiltered searches in the same rounds, median
  double ratio_as_exact = 0;  ///< to unfiltered searches of the same recall; 0: none is so exact
  Point walked;               ///< when told to walk, at the least ef
  double scan_qps = 0;        ///< when told to scan
};

struct Report {
  std::string data;
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  std::uint32_t queries = 0;
  std::size_t k = 0;
  std::size_t rescore = 0;
  std::string kernels;
  bool codes_on = true;
  std::uint64_t peak_rss_bytes = 0;
  std::vector<Curve> curves{};  ///< ours, then the peers: hnswlib first
  std::vector<Pair> pairs{};
  std::vector<Filtered> filtered{};
};

void print_table(const Report& report);
Status write_json(const Report& report, const std::string& path);
/// Recall against QPS, a line for each curve, by gnuplot: SVG if `path` ends so, else PNG.
/// Errors: kUnsupported (gnuplot did not draw it: is it there?).
Status write_plot(const Report& report, const std::string& path);

/// VmHWM of this process.
std::uint64_t peak_rss_bytes();

}  // namespace vz::bench
