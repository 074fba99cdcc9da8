// The report of a check as `data check`, `data segment verify` and `data wal verify` print it.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/context/context.h"
#include "tools/offline/check.h"

namespace CLI {
class App;
}

namespace vz::cli {

enum class ReportFormat : std::uint8_t {
  kTable,
  kJson,
  kJunit,  ///< for a CI: each finding is a case
  kProm,   ///< for the textfile collector of Prometheus' node exporter
};

/// Adds -o/--output. `format` must outlive `command`.
void add_report_option(CLI::App& command, ReportFormat& format);

/// Adds to `summary` (schema, directory, what was asked) what was read and what was found, and
/// prints it: as a table each finding is one line before it, cut on a terminal only; in JSON an
/// element of "findings".
/// Sets the exit status: kFindings if the report is more than notes, else kPartial if the time was
/// up.
void print_check(nlohmann::ordered_json summary, const offline::CheckReport& report,
                 ReportFormat format, Context& context);

/// The command that mends the finding, or begins to; "" for a note.
std::string mend_of(const std::string& directory, const check::Finding& finding);

/// "VZ-1201 error lossy collections/2/0001-00000001.seg@65536+65536: ..."
std::string line_of(const check::Finding& finding);

}  // namespace vz::cli
