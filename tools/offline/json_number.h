// Numbers of JSON that anybody may have written. Private to the .cpp files that read such JSON.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <nlohmann/json.hpp>

namespace vz::offline {

/// The integer that `json` is. Not get<Integer>(), which takes any number and cuts it to size.
/// Errors by exception: nlohmann's: no integer, or beyond the type.
template <typename Integer, typename Json>
Integer whole_number(const Json& json) {
  using Limits = std::numeric_limits<Integer>;
  const bool fits =
      json.is_number_unsigned()
          ? json.template get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max())
          : json.is_number_integer() && std::is_signed_v<Integer> &&
                json.template get<std::int64_t>() >= static_cast<std::int64_t>(Limits::min());
  if (!fits) throw Json::other_error::create(501, "expected an integer", nullptr);
  return json.template get<Integer>();
}

}  // namespace vz::offline
