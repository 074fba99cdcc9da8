// Moments in text, as Qdrant reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vz::payload {

/// Microseconds since 1970-01-01T00:00:00Z of
///   YYYY-MM-DD [(T|t|space) HH:MM [:SS [.fraction]] [Z|z|(+|-)HH[[:]MM]]]
/// Without a zone it is UTC; digits below a microsecond are dropped; second 60 is the next minute.
/// nullopt for any other text. So RFC 3339 and the shorter forms that Qdrant accepts.
std::optional<std::int64_t> parse_datetime(std::string_view text);

}  // namespace vz::payload
