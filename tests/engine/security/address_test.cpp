// Addresses and ranges: one form for both families, and nothing that only looks like one.
#include "engine/security/address.h"

#include <catch2/catch.hpp>

#include "engine/security/ip_rules.h"

using namespace vz;
using namespace vz::security;

namespace {

Address address(const std::string& text) {
  const auto parsed = parse_address(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}
Cidr cidr(const std::string& text) {
  const auto parsed = parse_cidr(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("addresses: what is written comes back in its shortest form", "[security]") {
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, std::string>>{{"1.2.3.4", "1.2.3.4"},
                                                        {"::ffff:1.2.3.4", "1.2.3.4"},
                                                        {"::ffff:102:304", "1.2.3.4"},
                                                        {"::1", "::1"},
                                                        {"2001:DB8:0:0::1", "2001:db8::1"},
                                                        {"0.0.0.0", "0.0.0.0"}}) {
    CAPTURE(text);
    CHECK(to_text(address(text)) == expected);
  }
}

TEST_CASE("addresses: what is none is refused", "[security]") {
  for (const std::string text :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", " 1.2.3.4", "1.2.3.4 ", "fe80::1%eth0",
        "localhost", "1.2.3.4:80", "[::1]", "::g", "1.2.3.4\n", "0x7f.1", "2130706433"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address(std::string("1.2.3.4\0x", 9)));
  CHECK(parse_peer_address("fe80::1%eth0") == address("fe80::1"));
  CHECK_FALSE(parse_address(std::string(1'000, '1')));
}

TEST_CASE("ranges: a range holds the addresses of its prefix and no other", "[security]") {
  struct Row {
    std::string range, in, out;
  };
  for (const Row& row : std::vector<Row>{{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
                                         {"10.1.2.3", "10.1.2.3", "10.1.2.2"},
                                         {"10.1.2.0/23", "10.1.3.255", "10.1.4.0"},
                                         {"0.0.0.0/0", "255.1.1.1", "::1"},
                                         {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
                                         {"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"}}) {
    CAPTURE(row.range);
    CHECK(cidr(row.range).contains(address(row.in)));
    CHECK_FALSE(cidr(row.range).contains(address(row.out)));
  }
  CHECK(cidr("::/0").contains(address("9.9.9.9")));
  CHECK(cidr("10.0.0.0/8").contains(address("::ffff:10.1.1.1")));
  CHECK(cidr("::ffff:10.0.0.0/104") == cidr("10.0.0.0/8"));
}

TEST_CASE("ranges: text comes back, and a wrong one says why", "[security]") {
  for (const std::string text : {"10.0.0.0/8", "1.2.3.4", "::/0", "2001:db8::/32", "0.0.0.0/0"})
    CHECK(to_text(cidr(text)) == text);
  for (const std::string text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                                 "10.0.0.0/8/8", "x/8", "/8", "10.0.0.0/ 8", "10.0.0.0/+8"}) {
    CAPTURE(text);
    const auto wrong = parse_cidr(text);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(parse_cidr("10.0.0.5/8").error().message.find("was 10.0.0.0/8 meant?") !=
        std::string::npos);
}

TEST_CASE("ip rules: the widest and the narrowest rule both block, until they end", "[security]") {
  IpRules rules;
  rules.put({.range = cidr("10.0.0.0/8"), .reason = "", .expires_at_us = 100});
  rules.put({.range = cidr("10.1.1.1"), .reason = "", .expires_at_us = {}});
  rules.put({.range = cidr("2001:db8::/32"), .reason = "", .expires_at_us = {}});

  CHECK(rules.blocks(address("10.9.9.9"), 99));
  CHECK_FALSE(rules.blocks(address("10.9.9.9"), 100));
  CHECK(rules.blocks(address("::ffff:10.1.1.1"), 1'000));
  CHECK(rules.blocks(address("2001:db8:1::"), 1'000));
  CHECK_FALSE(rules.blocks(address("11.0.0.1"), 0));

  rules.erase_expired(100);
  CHECK(rules.all().size() == 2);
  CHECK(rules.erase(cidr("10.1.1.1")));
  CHECK_FALSE(rules.erase(cidr("10.1.1.1")));
  CHECK_FALSE(rules.blocks(address("10.1.1.1"), 0));
  CHECK(rules.blocks(address("2001:db8::"), 0));
}
