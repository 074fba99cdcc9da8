// Searches over HTTP, beside a server that does nothing with the same requests.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"

namespace vz::bench {

inline constexpr std::size_t kSearchLimit = 10;

struct SearchLoadOptions {
  std::uint16_t port = 0;     ///< of the node
  unsigned connections = 8;   ///< beside a loop over one
  unsigned rounds = 3;        ///< the node and its peer take turns
  double seconds = 3;         ///< of each round, of each of the two
  double rate = 0;            ///< requests per second of an open loop besides; 0: none
  double in_process_qps = 0;  ///< of the index without HTTP, on all cores; 0: not known
};

/// Of all rounds of one server.
struct ServerLoad {
  double qps = 0;  ///< median of the rounds
  double p50_us = 0;
  double p99_us = 0;
};

struct SearchLoad {
  unsigned connections = 0;
  double rate = 0;  ///< 0: closed loop
  ServerLoad node;
  ServerLoad do_nothing;
  double ratio = 0;           ///< of QPS, median of the rounds
  double expected_qps = 0;    ///< 1 / (1 / in-process + 1 / do-nothing); 0: not known
  double expected_ratio = 0;  ///< node / expected
};

/// Closed loops over one and over all connections, then the open loop if there is a rate. The
/// in-process speed is of all cores, so only what uses all connections is compared with it.
/// Errors: kUnavailable, and those of drive/answer.h.
Result<std::vector<SearchLoad>> measure_searches(const DataSet& data,
                                                 const SearchLoadOptions& options);

struct Recall {
  double recall = 0;                 ///< at kSearchLimit
  double evaluations_per_query = 0;  ///< distances computed, by /stats before and after
  std::uint64_t segments = 0;
};

/// Of the same requests, each once. Errors: as above.
Result<Recall> measure_recall(const DataSet& data, std::uint16_t port);

}  // namespace vz::bench
