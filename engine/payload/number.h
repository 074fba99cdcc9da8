// Numbers of payloads and filters: integers stay exact, and every comparison is exact.
#pragma once

#include <cstdint>
#include <string_view>

namespace vz::payload {

/// An integer token (no fraction, no exponent) within i64 or u64 is an integer, every other token
/// the nearest double. Beyond double's range it is an infinity (1e999: greater than every other
/// number, equal to itself) or zero. Never NaN.
struct Number {
  enum class Kind : std::uint8_t { kInt = 0, kUint = 1, kDouble = 2 };
  Kind kind = Kind::kInt;
  union {
    std::int64_t i = 0;  ///< kInt
    std::uint64_t u;     ///< kUint: above the largest i64
    double d;            ///< kDouble
  };

  static Number integer(std::int64_t value) {
    Number number;
    number.i = value;
    return number;
  }
  static Number natural(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) {
      return integer(static_cast<std::int64_t>(value));
    }
    Number number;
    number.kind = Kind::kUint;
    number.u = value;
    return number;
  }
  static Number real(double value) {
    Number number;
    number.kind = Kind::kDouble;
    number.d = value;
    return number;
  }
  [[nodiscard]] bool is_integer() const { return kind != Kind::kDouble; }
};

/// `token` is a valid JSON number.
Number parse_number(std::string_view token);

/// Below 0, 0 or above 0, by mathematical value.
int compare(const Number& a, const Number& b);

inline bool operator<(const Number& a, const Number& b) {
  return compare(a, b) < 0;
}
inline bool operator<=(const Number& a, const Number& b) {
  return compare(a, b) <= 0;
}

}  // namespace vz::payload
