#include "storage/base/ids.h"

#include <array>
#include <cstdio>

#include "storage/base/hex.h"

namespace vz {
namespace {

bool strip(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Result<PointId> PointId::parse_uuid(std::string_view text) {
  const std::string_view original = text;
  const auto refuse = [&] {
    return fail(ErrorCode::kInvalidArgument,
                "value " + std::string(original.substr(0, 64)) +
                    " is not a valid point ID, valid values are either an unsigned integer or a "
                    "UUID");
  };
  strip(text, "urn:uuid:");
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
  const bool hyphenated = text.size() == 36;
  if (!hyphenated && text.size() != 32) return refuse();

  std::array<std::uint64_t, 2> halves{};
  int digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (hyphenated && (at == 8 || at == 13 || at == 18 || at == 23)) {
      if (text[at] != '-') return refuse();
      continue;
    }
    const int digit = hex_digit(text[at]);
    if (digit < 0) return refuse();
    auto& half = halves[static_cast<std::size_t>(digits++ / 16)];
    half = half << 4 | static_cast<std::uint64_t>(digit);
  }
  return uuid(halves[0], halves[1]);
}

std::string PointId::to_string() const {
  if (is_number()) return std::to_string(low);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xFFFF),
                static_cast<unsigned>(high & 0xFFFF), static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xFFFFFFFFFFFFull));
  return std::string(text.data(), 36);
}

}  // namespace vz
