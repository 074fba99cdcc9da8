#include "engine/security/address.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace vz::security {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = 96;
constexpr std::uint8_t kBits = 128;
constexpr std::size_t kTextBytesMax = INET6_ADDRSTRLEN + 4;  ///< with a prefix
constexpr std::size_t kQuotedBytesMax = 64;

bool is_mapped(const Address& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() > kTextBytesMax || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  Address address;
  if (terminated.find(':') == std::string::npos) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data() + kMappedPrefix.size()) != 1)
      return std::nullopt;
  } else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::optional<Address> parse_peer_address(std::string_view text) {
  return parse_address(text.substr(0, text.find('%')));
}

std::string to_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_mapped(address)) {
    inet_ntop(AF_INET, address.bytes.data() + kMappedPrefix.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  }
  return text;
}

Cidr range_of(const Address& address, std::uint8_t prefix) {
  VZ_ASSERT(prefix <= kBits);
  Cidr range{.base = address, .prefix = prefix};
  for (std::size_t i = 0; i < range.base.bytes.size(); ++i) {
    const int kept = std::clamp(static_cast<int>(prefix) - static_cast<int>(i) * 8, 0, 8);
    range.base.bytes[i] &= static_cast<std::uint8_t>(0xff00u >> kept);
  }
  return range;
}

bool Cidr::contains(const Address& address) const {
  return range_of(address, prefix).base == base;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto wrong = [text](const std::string& why) {
    return fail(ErrorCode::kInvalidArgument,
                "'" + std::string(text.substr(0, kQuotedBytesMax)) + "' " + why);
  };
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return wrong("is no IP address and no range such as 10.0.0.0/8");
  std::uint8_t prefix = kBits;
  if (slash < text.size()) {
    // An IPv4 range is written with a dotted address; ::ffff:0:0/96 and what is in it is IPv6 text.
    const bool dotted = text.find(':') == text.npos;
    const std::uint8_t added = dotted ? kMappedBits : 0;
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix > kBits - added)
      return wrong("has no prefix from 0 to " + std::to_string(kBits - added));
    prefix = static_cast<std::uint8_t>(prefix + added);
  }
  const Cidr range = range_of(*address, prefix);
  if (range.base != *address)
    return wrong("has bits behind its prefix: was " + to_text(range) + " meant?");
  return range;
}

std::string to_text(const Cidr& cidr) {
  if (cidr.prefix == kBits) return to_text(cidr.base);
  const bool mapped = cidr.prefix >= kMappedBits && is_mapped(cidr.base);
  return to_text(cidr.base) + "/" + std::to_string(cidr.prefix - (mapped ? kMappedBits : 0));
}

}  // namespace vz::security
