// IP addresses and ranges of them, one form for both families.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::security {

/// 128 bits, most significant byte first. An IPv4 address is its IPv4-mapped IPv6 address
/// (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2): so a caller cannot pass a rule by speaking the other
/// family.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Address&, const Address&) = default;
};

/// Dotted IPv4 or IPv6 without a zone; nothing for any other text.
std::optional<Address> parse_address(std::string_view text);
/// The same of a socket's peer, which may have a zone: fe80::1%eth0.
std::optional<Address> parse_peer_address(std::string_view text);
/// A mapped one as IPv4.
std::string to_text(const Address& address);

/// A range. Bits behind the prefix are zero.
struct Cidr {
  Address base;
  std::uint8_t prefix = 128;  ///< bits of the 128; of an IPv4 range 96 more than it is written with

  [[nodiscard]] bool contains(const Address& address) const;
  friend auto operator<=>(const Cidr&, const Cidr&) = default;
};

/// The range of that prefix that an address is in.
Cidr range_of(const Address& address, std::uint8_t prefix);

/// "10.0.0.0/8", "2001:db8::/32", or one address. Errors: kInvalidArgument: neither, or bits behind
/// the prefix are set, with the range that may have been meant.
Result<Cidr> parse_cidr(std::string_view text);
/// A range of one address without the slash.
std::string to_text(const Cidr& cidr);

}  // namespace vz::security
