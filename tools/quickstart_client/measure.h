// Searches with every query of a set, and compares with the exact answers.
#pragma once

#include <string>

#include "storage/base/status.h"
#include "tools/drive/node_api.h"
#include "tools/quickstart_client/words_data.h"

namespace vz::quickstart {

struct Measurement {
  double recall = 0;                 ///< share of the exact top 10 that was found
  double evaluations_per_query = 0;  ///< distances computed, by /stats before and after
  double p50_ms = 0;                 ///< over HTTP, one connection, seen by the client
  double p99_ms = 0;
};

/// Errors: kUnavailable, kInternal (an unexpected answer).
Result<Measurement> measure(drive::HttpClient& http, const std::string& collection,
                            const Matrix<float>& queries, const QuerySet& set,
                            drive::Accuracy accuracy);

}  // namespace vz::quickstart
