// Measures a real node from outside: starts, ingest, searches over HTTP, memory.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/bench/node_report.h"

namespace vz::bench {

struct NodeOptions {
  std::string binary;     ///< vectorizerctl
  std::string directory;  ///< must not exist; data, log floor and the node's log are left in it
  unsigned connections = 8;
  std::uint32_t batch = 100;  ///< points per upsert
  unsigned starts = 5;        ///< of which the median counts
  unsigned rounds = 3;
  double seconds = 3;
  double rate = 0;
  double in_process_qps = 0;
};

/// Starts of an empty node; the log alone; the same points through the node; searches; memory;
/// starts of the full node. The log is measured while no node runs: one that still builds its index
/// would take the cores away from its own peer.
/// Errors: kUnavailable, kDeadline, kInternal (a broken promise, with what was expected), kIoError.
Result<NodeReport> run_node_bench(const DataSet& data, const NodeOptions& options);

}  // namespace vz::bench
