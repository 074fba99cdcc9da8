#include "engine/payload/number.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace vz::payload {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

template <typename T>
int order(T a, T b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_int_double(std::int64_t a, double b) {
  if (b >= kTwo63) return -1;
  if (b < -kTwo63) return 1;
  const auto whole = static_cast<std::int64_t>(b);  // toward zero
  if (a != whole) return order(a, whole);
  return order(0.0, b - static_cast<double>(whole));  // |b| < 2^53 if it has a fraction: exact
}

int compare_uint_double(std::uint64_t a, double b) {
  if (b >= kTwo64) return -1;
  if (b < kTwo63) return 1;  // a is above the largest i64
  return order(a, static_cast<std::uint64_t>(b));
}

/// Power of ten of the leading digit, to tell overflow from underflow. Saturates.
std::int64_t decimal_exponent(std::string_view token) {
  const std::size_t e = std::min(token.find_first_of("eE"), token.size());
  std::int64_t exponent = 0;
  if (e < token.size()) {
    std::string_view text = token.substr(e + 1);
    const bool negative = text.front() == '-';
    if (text.front() == '+' || negative) text.remove_prefix(1);
    for (const char c : text) {
      if (exponent < (std::int64_t{1} << 50)) exponent = exponent * 10 + (c - '0');
    }
    if (negative) exponent = -exponent;
  }
  const std::string_view digits = token.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(digits.find_first_of("123456789"));
  return exponent + (first < point ? point - first - 1 : point - first);
}

}  // namespace

Number parse_number(std::string_view token) {
  const char* begin = token.data();
  const char* end = begin + token.size();
  if (token.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t integer = 0;
    if (std::from_chars(begin, end, integer).ec == std::errc()) return Number::integer(integer);
    std::uint64_t natural = 0;
    if (*begin != '-' && std::from_chars(begin, end, natural).ec == std::errc()) {
      return Number::natural(natural);
    }
  }
  double value = 0;
  if (std::from_chars(begin, end, value).ec == std::errc::result_out_of_range) {
    value = decimal_exponent(token) > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    if (*begin == '-') value = -value;
  }
  return Number::real(value);
}

int compare(const Number& a, const Number& b) {
  using Kind = Number::Kind;
  if (a.kind == Kind::kDouble) {
    return b.kind == Kind::kDouble ? order(a.d, b.d) : -compare(b, a);
  }
  if (b.kind == Kind::kDouble) {
    return a.kind == Kind::kInt ? compare_int_double(a.i, b.d) : compare_uint_double(a.u, b.d);
  }
  if (a.kind != b.kind) return a.kind == Kind::kInt ? -1 : 1;
  return a.kind == Kind::kInt ? order(a.i, b.i) : order(a.u, b.u);
}

}  // namespace vz::payload
