#include "storage/base/utc.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace vz {
namespace {

/// "2026-12-01T13:00:00"
std::string day_and_time(std::int64_t time_s) {
  const auto seconds = static_cast<std::time_t>(time_s);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

}  // namespace

std::string rfc3339(std::int64_t time_us) {
  constexpr std::int64_t kSecondUs = 1'000'000;
  std::int64_t micros = time_us % kSecondUs;
  std::int64_t seconds = time_us / kSecondUs;
  if (micros < 0) {
    micros += kSecondUs;
    --seconds;
  }
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(micros));
  return day_and_time(seconds) + fraction.data();
}

std::string rfc3339_seconds(std::int64_t time_s) {
  return day_and_time(time_s) + "Z";
}

}  // namespace vz
