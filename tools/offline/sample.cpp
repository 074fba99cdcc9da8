#include "tools/offline/sample.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "storage/base/bytes.h"
#include "storage/base/crc32c.h"
#include "storage/base/ids.h"
#include "tools/offline/quantities.h"

namespace vz::offline {
namespace {

constexpr std::size_t kTextShown = 64;

/// The whole text as a number. Nothing if it is none.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<Sample> turn_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto part = number_of<std::uint64_t>(text.substr(0, slash));
  const auto parts = number_of<std::uint64_t>(text.substr(slash + 1));
  if (!part || !parts || *part < 1 || *part > *parts || *parts > kSamplePartsMax)
    return std::nullopt;
  return Sample{.kind = Sample::Kind::kTurn, .part = *part, .parts = *parts};
}

std::optional<Sample> share_of(std::string_view text, std::uint64_t seed) {
  const auto percent = number_of<double>(text.substr(0, text.size() - 1));
  if (!percent || !(*percent > 0) || *percent > 100) return std::nullopt;
  return Sample{.kind = Sample::Kind::kShare, .share = *percent / 100, .seed = seed};
}

}  // namespace

Result<Sample> parse_sample(std::string_view text, std::uint64_t seed) {
  std::optional<Sample> sample;
  if (text.find('/') != std::string_view::npos) {
    sample = turn_of(text);
  } else if (text.ends_with('%')) {
    sample = share_of(text, seed);
  } else if (const auto bytes = parse_bytes(text)) {
    sample = Sample{.kind = Sample::Kind::kBytes, .bytes = *bytes, .seed = seed};
  }
  if (sample) return *sample;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("expected a part such as 3/7 (1/1 to {0}/{0}), 5% or 10GiB, found '{1}'",
                          kSamplePartsMax, text.substr(0, kTextShown)));
}

std::string text_of(const Sample& sample) {
  switch (sample.kind) {
    case Sample::Kind::kAll:
      return "";
    case Sample::Kind::kTurn:
      return fmt::format("{}/{}", sample.part, sample.parts);
    case Sample::Kind::kShare:
      return fmt::format("{:g}% (seed {})", sample.share * 100, sample.seed);
    case Sample::Kind::kBytes:
      return fmt::format("{} bytes (seed {})", sample.bytes, sample.seed);
  }
  return "";
}

std::uint64_t Choice::draw(std::string_view file, std::uint64_t turn) const {
  const std::uint64_t name = std::uint64_t{crc32c(as_bytes(file))} << 32u;
  return PointIdHash{}(PointId::number(PointIdHash{}(PointId::number(name + turn)) ^ sample_.seed));
}

void Choice::offer(std::string_view file, std::uint64_t turn, std::uint64_t bytes) {
  bytes_offered_ += bytes;
  least_drawn_ = std::min(least_drawn_, draw(file, turn));
}

void Choice::settle() {
  double share = sample_.share;
  if (sample_.kind == Sample::Kind::kBytes)
    share = static_cast<double>(sample_.bytes) /
            static_cast<double>(std::max<std::uint64_t>(1, bytes_offered_));
  constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
  threshold_ = share >= 1 ? kAll : static_cast<std::uint64_t>(share * 0x1p64);
  threshold_ = std::max(threshold_, least_drawn_);
}

bool Choice::takes(std::string_view file, std::uint64_t turn) const {
  switch (sample_.kind) {
    case Sample::Kind::kAll:
      return true;
    case Sample::Kind::kTurn:
      return (crc32c(as_bytes(file)) + turn) % sample_.parts == sample_.part - 1;
    case Sample::Kind::kShare:
    case Sample::Kind::kBytes:
      return draw(file, turn) <= threshold_;
  }
  return true;
}

}  // namespace vz::offline
