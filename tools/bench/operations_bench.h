// What a node's operations cost its searches: a check and snapshots beside them, scrapes of the
// metrics, the query cache; and how long a snapshot takes beside tar.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/bench/statistics.h"

namespace vz::bench {

struct OperationsOptions {
  std::string binary;     ///< vectorizerctl
  std::string directory;  ///< must not exist; data, archives and the node's log are left in it
  unsigned connections = 8;
  unsigned rounds = 3;      ///< each pair in turns; medians count
  double seconds = 5;       ///< of each loop
  double load_share = 0.3;  ///< of the peak: what the node carries while it is checked
};

struct SnapshotRow {
  std::string format{};  ///< "tar.gz"
  double seconds = 0;
  std::string peer{};  ///< its command line
  double peer_seconds = 0;
  double ratio = 0;  ///< peer_seconds / seconds, round by round
  double goal = 0;
};

struct OperationsReport {
  std::string data{};
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  unsigned connections = 0;
  std::uint64_t volume_bytes = 0;
  double peak_qps = 0;    ///< closed loop, over all connections
  double rate = 0;        ///< of the open loops
  Latency idle{};         ///< of the rounds' medians
  Latency busy{};         ///< the same with checks and snapshots one after another
  double tail_ratio = 0;  ///< busy p99 / idle p99, median of the rounds
  std::uint64_t checks = 0;
  std::uint64_t snapshots = 0;
  double scraped_ratio = 0;  ///< of the peak QPS, with a scrape of /metrics each second
  double uncached_us = 0;    ///< in the node, without the network: median of all queries
  double cached_us = 0;
  std::vector<SnapshotRow> archives{};
};

/// A node is filled with the data, and measured once all of it is indexed.
/// Errors: kAlreadyExists (the directory), kInvalidArgument, and those of the node.
Result<OperationsReport> run_operations_bench(const DataSet& data,
                                              const OperationsOptions& options);

}  // namespace vz::bench
