// The report of a check as `data check`, `data segment verify` and `data wal verify` print it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/context/context.h"
#include "cli/output/result.h"
#include "tools/offline/check.h"

namespace vz::cli {

/// Adds to `summary` (schema, directory, what was asked) what was read and what was found, and
/// prints it: as a table each finding is one line before it, in JSON an element of "findings".
/// Sets the exit status: kFindings if the report is more than notes.
void print_check(nlohmann::ordered_json summary, const offline::CheckReport& report,
                 OutputFormat format, Context& context);

}  // namespace vz::cli
