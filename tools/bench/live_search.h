// Speed and recall of searches in a collection of a node that runs already.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/bench/live_queries.h"
#include "tools/bench/statistics.h"

namespace vz::bench {

/// What goes on, for whoever waits.
using Talk = std::function<void(std::string_view line)>;

struct LiveSearchOptions {
  SearchKind kind;
  unsigned connections = 1;
  double seconds = 5;
  double rate = 0;  ///< requests per second of an open loop; 0: closed
};

struct LiveSearch {
  double seconds = 0;
  std::uint64_t requests = 0;  ///< answered, errors included
  std::uint64_t errors = 0;    ///< answers other than 200
  std::string first_error;
  double qps = 0;  ///< of answers with 200
  Latency latency;
  std::vector<Bucket> histogram;
  /// By /stats before and after, so other clients' searches count too; none if the node does not
  /// tell, as for an alias.
  std::optional<double> distances_per_query;
};

/// The first query is sent once before the clock starts: what is wrong with it is the error.
/// Errors: kUnavailable (no answer, even in the middle of it), those of drive/answer.h of the first
/// query.
Result<LiveSearch> measure_live_search(const LiveCollection& collection, const Matrix& queries,
                                       const LiveSearchOptions& options);

struct LiveRecallOptions {
  std::size_t limit = 10;
  std::vector<std::size_t> efs = {32, 64, 128, 256};
  std::string filter;
  double seconds = 1;  ///< of each speed measurement, over one connection
};

/// At one ef.
struct LiveRecall {
  std::size_t ef = 0;
  double recall = 0;  ///< at the limit, mean of the queries
  LiveSearch search;
};

/// Against the node's own exact answers.
/// Errors: those above; kFailedPrecondition if the filter passes no point.
Result<std::vector<LiveRecall>> measure_live_recall(const LiveCollection& collection,
                                                    const Matrix& queries,
                                                    const LiveRecallOptions& options,
                                                    const Talk& talk);

}  // namespace vz::bench
