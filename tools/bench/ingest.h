// Writes points to a node over HTTP and sees that each can be found once it was acknowledged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/drive/endpoint.h"
#include "tools/drive/http_client.h"

namespace vz::bench {

inline constexpr const char* kCollection = "bench";

/// What one ingest sends, all of it made before the clock starts.
struct Upserts {
  drive::Endpoint endpoint;
  std::uint32_t batch = 0;            ///< points per request; the last one may have fewer
  std::uint32_t rows = 0;             ///< of the data, from the first on
  std::uint64_t first_id = 0;         ///< of row 0
  std::vector<std::string> requests;  ///< heads and bodies
  std::uint64_t body_bytes = 0;
  std::uint64_t payload_bytes = 0;  ///< of one point, rounded
};

struct UpsertTarget {
  drive::Endpoint endpoint;
  std::string collection = kCollection;
  std::uint32_t batch = 100;
};

/// Upserts of the first `rows` rows of `base` with ids from `first_id` on, answered when visible.
Upserts make_upserts(const Matrix& base, std::uint32_t rows, std::uint64_t first_id,
                     const UpsertTarget& target);

struct Ingest {
  double seconds = 0;  ///< from the first request to the last answer
  double points_per_second = 0;
  double megabytes_per_second = 0;  ///< of JSON
};

/// Sends them, to kCollection, in order, then at once searches exactly for what each connection
/// wrote last.
/// Errors: kUnavailable, those of drive/answer.h, kInternal (a written point is not found first).
Result<Ingest> ingest(const Upserts& upserts, const Matrix& base, unsigned connections);

/// Errors: kInternal if a node has another number of points in kCollection, and those of the call.
Status expect_points(drive::HttpClient& http, std::uint64_t points);

/// Waits until a node has indexed all of so many points of kCollection; returns the seconds.
/// Errors: as above, and kDeadline after an hour.
Result<double> await_indexed(drive::HttpClient& http, std::uint64_t points);

}  // namespace vz::bench
