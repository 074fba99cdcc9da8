// The metrics of a node, as samples.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// One line of Prometheus' text format.
struct MetricSample {
  std::string name;    ///< with _bucket, _sum or _count, if it is of a histogram
  std::string labels;  ///< as they stand between the braces; "" without
  std::string value;   ///< a number, "NaN" or "+Inf", as it stands
};

/// GET /metrics. Errors: kUnavailable (no answer), those of `refused`.
Result<std::string> metrics_text(HttpClient& http);

/// Samples in their order; comments and what is no sample are left out.
std::vector<MetricSample> samples_of(std::string_view text);

}  // namespace vz::drive
