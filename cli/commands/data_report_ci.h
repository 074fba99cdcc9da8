// The report of a check for other programs: JUnit XML, and Prometheus' text format.
#pragma once

#include <iosfwd>

#include <nlohmann/json_fwd.hpp>

#include "tools/offline/check.h"

namespace vz::cli {

/// summary: as print_check() has filled it. One suite; a case for the run, which fails on nothing,
/// and one for each finding, of which those that are more than notes fail.
void print_junit(const nlohmann::ordered_json& summary, const offline::CheckReport& report,
                 std::ostream& out);

/// Gauges vectorizerctl_check_*, each with the directory as a label. To be written beside and
/// renamed: the collector may read at any time.
void print_prom(const nlohmann::ordered_json& summary, const offline::CheckReport& report,
                std::ostream& out);

}  // namespace vz::cli
