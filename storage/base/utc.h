// Times as people and programs read them: RFC 3339, in UTC.
#pragma once

#include <cstdint>
#include <string>

namespace vz {

/// "2026-12-01T13:00:00.000000Z" of Unix time in microseconds.
std::string rfc3339(std::int64_t time_us);

/// "2026-12-01T13:00:00Z" of Unix time in seconds.
std::string rfc3339_seconds(std::int64_t time_s);

}  // namespace vz
