#include "engine/payload/datetime.h"

namespace vz::payload {
namespace {

/// Reads from the front of a text; after the first mismatch everything fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  /// Exactly `count` digits, at most `max`.
  std::int64_t digits(int count, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    for (int i = 0; i < count; ++i) {
      if (text_.empty() || text_.front() < '0' || text_.front() > '9') ok_ = false;
      if (!ok_) return min;
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (value < min || value > max) ok_ = false;
    return value;
  }
  bool take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view any_of) { ok_ = take(any_of) && ok_; }
  /// One or more digits after the point, as microseconds.
  std::int64_t fraction() {
    std::int64_t micros = 0;
    std::int64_t scale = 100'000;
    if (!digit()) ok_ = false;
    while (digit()) {
      micros += (text_.front() - '0') * scale;
      scale /= 10;
      text_.remove_prefix(1);
    }
    return micros;
  }
  [[nodiscard]] bool digit() const {
    return !text_.empty() && text_.front() >= '0' && text_.front() <= '9';
  }
  [[nodiscard]] char front() const { return text_.empty() ? '\0' : text_.front(); }
  [[nodiscard]] bool done() const { return text_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view text_;
  bool ok_ = true;
};

int days_in_month(std::int64_t year, std::int64_t month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible
/// low-level date algorithms").
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146'097 + day_of_era - 719'468;
}

std::int64_t zone_seconds(Cursor& cursor) {
  if (cursor.take("Zz")) return 0;
  const bool west = cursor.front() == '-';
  cursor.expect("+-");
  const std::int64_t hours = cursor.digits(2, 0, 23);
  std::int64_t minutes = 0;
  if (cursor.take(":") || !cursor.done()) minutes = cursor.digits(2, 0, 59);
  const std::int64_t seconds = (hours * 60 + minutes) * 60;
  return west ? -seconds : seconds;
}

}  // namespace

std::optional<std::int64_t> parse_datetime(std::string_view text) {
  static constexpr std::size_t kTextSizeMin = 10;
  if (text.size() < kTextSizeMin || text[4] != '-' || text[7] != '-') return std::nullopt;
  Cursor cursor(text);
  const std::int64_t year = cursor.digits(4, 0, 9999);
  cursor.expect("-");
  const std::int64_t month = cursor.digits(2, 1, 12);
  cursor.expect("-");
  if (!cursor.ok()) return std::nullopt;
  const std::int64_t day = cursor.digits(2, 1, days_in_month(year, month));
  std::int64_t seconds = 0;
  std::int64_t micros = 0;
  if (!cursor.done()) {
    cursor.expect("Tt ");
    seconds = cursor.digits(2, 0, 23) * 3600;
    cursor.expect(":");
    seconds += cursor.digits(2, 0, 59) * 60;
    if (cursor.take(":")) {
      seconds += cursor.digits(2, 0, 60);
      if (cursor.take(".")) micros = cursor.fraction();
    }
    if (!cursor.done()) seconds -= zone_seconds(cursor);
  }
  if (!cursor.ok() || !cursor.done()) return std::nullopt;
  return (days_from_civil(year, month, day) * 86'400 + seconds) * 1'000'000 + micros;
}

}  // namespace vz::payload
