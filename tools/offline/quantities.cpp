#include "tools/offline/quantities.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string>

namespace vz::offline {
namespace {

constexpr double kBytesMax = 1e18;
constexpr std::size_t kTextShown = 64;

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  static constexpr double kKibi = 1024;
  static constexpr Unit kUnits[] = {
      {"", 1},
      {"B", 1},
      {"K", kKibi},
      {"KiB", kKibi},
      {"M", kKibi * kKibi},
      {"MiB", kKibi * kKibi},
      {"G", kKibi * kKibi * kKibi},
      {"GiB", kKibi * kKibi * kKibi},
      {"T", kKibi * kKibi * kKibi * kKibi},
      {"TiB", kKibi * kKibi * kKibi * kKibi},
      {"KB", 1e3},
      {"MB", 1e6},
      {"GB", 1e9},
      {"TB", 1e12},
  };
  std::string_view rest = text;
  double number = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [rest](const Unit& one) { return one.name == rest; });
  const bool sound = parsed.ec == std::errc() && unit != std::end(kUnits) &&
                     std::isfinite(number) && number * unit->bytes >= 1 &&
                     number * unit->bytes <= kBytesMax;
  if (sound) return static_cast<std::uint64_t>(number * unit->bytes);
  return fail(ErrorCode::kInvalidArgument, "expected a size such as 50MiB, found '" +
                                               std::string(text.substr(0, kTextShown)) + "'");
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  struct Unit {
    char name;
    std::int64_t seconds;
  };
  static constexpr Unit kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}};
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(parsed.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits), [rest](const Unit& one) {
    return rest.size() == 1 && rest.front() == one.name;
  });
  if (parsed.ec == std::errc() && unit != std::end(kUnits) && number >= 1 &&
      number <= kDurationMax.count() / unit->seconds)
    return std::chrono::seconds(number * unit->seconds);
  return fail(ErrorCode::kInvalidArgument, "expected a time such as 90s, 30m, 2h or 1d, found '" +
                                               std::string(text.substr(0, kTextShown)) + "'");
}

}  // namespace vz::offline
