// Request targets: decoded once, and nothing that could climb out of a path survives.
#include "engine/net/target.h"

#include <random>

#include <catch2/catch.hpp>

using namespace vz;
using Segments = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("target: a path is split first and decoded once after", "[net]") {
  struct Example {
    std::string target;
    Segments segments;
  };
  const std::vector<Example> examples{
      {"/", {}},
      {"/a", {"a"}},
      {"/a/b/", {"a", "b"}},
      {"//a///b//", {"a", "b"}},
      {"/a%2Fb/c", {"a/b", "c"}},
      {"/a%252Fb", {"a%2Fb"}},
      {"/a+b", {"a+b"}},
      {"/%D1%82", {"\xD1\x82"}},
      {"/...", {"..."}},
      {"/a?b/c", {"a"}},
  };
  for (const auto& example : examples) {
    CAPTURE(example.target);
    const auto target = net::parse_target(example.target);
    REQUIRE(target.has_value());
    CHECK(target->segments == example.segments);
  }
}

TEST_CASE("target: a query is decoded in order, with '+' a space", "[net]") {
  const auto target = net::parse_target("/x?wait=true&a=1+2&a=%2B&flag&=v&&b=c=d?e");

  REQUIRE(target.has_value());
  CHECK(target->query ==
        Query{{"wait", "true"}, {"a", "1 2"}, {"a", "+"}, {"flag", ""}, {"", "v"}, {"b", "c=d?e"}});
}

TEST_CASE("target: what cannot be meant well is refused", "[net]") {
  for (const std::string target :
       {"", "a", "*", "http://host/a", "/a%", "/a%2", "/a%zz", "/a%00b", "/./a", "/../a", "/a/..",
        "/%2e%2e/a", "/%2E", "/a/.%2e", "/a#b", "/a?b=%", "/a?b=%0", "/a?%00=1", "/a?b#c"}) {
    CAPTURE(target);
    const auto parsed = net::parse_target(target);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(parsed.error().message.empty());
  }
}

TEST_CASE("target: no segment of any parsed target is empty, '.' or '..'", "[net]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string letters = "/%.2eEfF0?&=+a";
  for (int round = 0; round < 5'000; ++round) {
    std::string target = "/";
    for (unsigned size = random() % 16; size > 0; --size)
      target += letters[random() % letters.size()];
    const auto parsed = net::parse_target(target);
    if (!parsed) continue;
    for (const auto& segment : parsed->segments) {
      if (segment.empty() || segment == "." || segment == ".." ||
          segment.find('\0') != std::string::npos)
        FAIL("target " << target << " gave segment '" << segment << "'");
    }
  }
}
