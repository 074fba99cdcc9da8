// record.json of a quarantine entry, as text.
#pragma once

#include <string>
#include <string_view>

#include "tools/offline/quarantine.h"

namespace vz::offline {

std::string encode_record(const QuarantineRecord& record);
/// Reads what a list shows: everything but the ids of points. Errors: kCorruption.
Result<QuarantineRecord> decode_record(std::string_view text);

}  // namespace vz::offline
