// Speed of durable writes into a node that runs already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/live_search.h"
#include "tools/bench/statistics.h"
#include "tools/drive/endpoint.h"

namespace vz::bench {

/// What may become of a collection that exists already.
enum class Existing : std::uint8_t { kRefused, kWrittenInto };
/// What becomes of a collection that was made for the measurement. Others always stay.
enum class Afterwards : std::uint8_t { kDropped, kKept };

struct LiveInsertOptions {
  drive::Endpoint endpoint;
  std::string collection;
  Existing existing = Existing::kRefused;
  Afterwards afterwards = Afterwards::kDropped;
  std::uint32_t points = 0;
  std::uint32_t dimension = 0;
  std::string distance = "Cosine";
  std::uint32_t batch = 100;  ///< points per request
  unsigned connections = 4;
};

struct LiveInsert {
  bool kept = false;   ///< the collection is still there
  double seconds = 0;  ///< of sending; not of making what is sent
  double points_per_second = 0;
  double megabytes_per_second = 0;  ///< of JSON
  Latency latency;                  ///< of a batch
};

/// Writes generated clustered points with ids from 0 on, each batch answered once it is on the disk
/// and can be found, then sees that a collection made for it has them all.
///
/// Requests are made before the clock starts, some hundred megabytes at a time; while the next ones
/// are made the clock stands still, and the node may go on building its index.
///
/// Errors: kAlreadyExists; kInvalidArgument (an existing collection of another dimension or
/// distance, batches beyond what a request may have); kCorruption (an acknowledged point is
/// missing); kUnavailable and those of drive/answer.h. A collection made for it is dropped then,
/// too, unless it is to be kept.
Result<LiveInsert> measure_live_insert(const LiveInsertOptions& options, const Talk& talk);

}  // namespace vz::bench
