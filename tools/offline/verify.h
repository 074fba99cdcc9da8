// The check of one part of a data directory: some segments, or the log.
#pragma once

#include <string>

#include "tools/offline/check.h"
#include "tools/offline/segments.h"

namespace vz::offline {

/// Level 3 of the files of the selected segments, and nothing else. The report counts those.
/// Errors: those of check(), kNotFound and kInvalidArgument of select_segments(); kCorruption: no
/// image in force can be read, so that nothing says which segments there are.
Result<CheckReport> verify_segments(Env& env, const std::string& directory,
                                    const SegmentSelection& selection,
                                    const CheckProgress& progress);

/// The log by the group rule, every record decoded. A torn tail is a note; damage with proof that
/// something durable lay beyond it is an error.
/// Errors: those of check().
Result<CheckReport> verify_log(Env& env, const std::string& directory,
                               const CheckProgress& progress);

}  // namespace vz::offline
