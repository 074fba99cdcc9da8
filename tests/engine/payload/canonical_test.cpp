// canonical(): what is accepted, what it becomes, and what an error says.
#include <random>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "engine/payload/payload.h"

using namespace vz;
using vz::payload::canonical;

namespace {

std::string of(std::string_view json) {
  INFO(json);
  const auto text = canonical(json);
  REQUIRE(text.has_value());
  // Canonical text is a fixed point.
  REQUIRE(canonical(*text).value() == *text);
  return *text;
}

Error error_of(std::string_view json) {
  INFO(json);
  const auto text = canonical(json);
  REQUIRE_FALSE(text.has_value());
  return text.error();
}

}  // namespace

TEST_CASE("canonical text has no white space and keeps keys in order", "[payload][canonical]") {
  CHECK(of(" {\n\t\"b\" : [ 1 , true ,null, {} ] ,\r\n \"a\":{ \"x\" : \"y z\" } } ") ==
        R"({"b":[1,true,null,{}],"a":{"x":"y z"}})");
  CHECK(of("{}") == "{}");
  CHECK(of(R"({"":[]})") == R"({"":[]})");
}

TEST_CASE("null and nothing are an empty payload", "[payload][canonical]") {
  CHECK(of("") == "{}");
  CHECK(of("null") == "{}");
  CHECK(of("  null\n") == "{}");
}

TEST_CASE("number tokens stay as they were written", "[payload][canonical]") {
  for (const std::string token :
       {"0", "-0", "0.0", "1.0", "1.10", "18446744073709551615", "123456789012345678901234567890",
        "1e999", "-1E+999", "1e-999", "0.1000000000000000055511151231257827"}) {
    CHECK(of("{\"n\": " + token + " }") == "{\"n\":" + token + "}");
  }
}

TEST_CASE("strings are escaped minimally", "[payload][canonical]") {
  CHECK(of(R"({"\u0061\/":"\u00e9\ud83d\ude00\u0022\u005c\u000A\u0001\u007f"})") ==
        "{\"a/\":\"\xC3\xA9\xF0\x9F\x98\x80\\\"\\\\\\n\\u0001\x7F\"}");
  CHECK(of(R"({"a":"\b\f\n\r\t\u0000\u001F"})") == R"({"a":"\b\f\n\r\t\u0000\u001f"})");
}

TEST_CASE("of duplicate keys the last value stays at the first place", "[payload][canonical]") {
  CHECK(of(R"({"a":1,"b":2,"a":{"x":1,"x":[3]}})") == R"({"a":{"x":[3]},"b":2})");
  CHECK(of(R"({"a":1,"\u0061":2})") == R"({"a":2})");
  CHECK(of(R"({"l":[{"k":1,"k":2,"k":3},{"k":1}]})") == R"({"l":[{"k":3},{"k":1}]})");
  std::string many = "{";
  std::string expected = "{";
  for (int i = 0; i < 100; ++i) {
    many += "\"key" + std::to_string(i) + "\":1,";
    expected += (i > 0 ? ",\"key" : "\"key") + std::to_string(i) + (i == 57 ? "\":9" : "\":1");
  }
  CHECK(of(many + "\"key57\":9}") == expected + "}");
}

TEST_CASE("an error names what was expected and the byte", "[payload][canonical]") {
  struct Case {
    std::string json;
    std::string problem;
  };
  const std::vector<Case> cases = {
      {"[1]", "expected a JSON object at byte 0"},
      {"  3", "expected a JSON object at byte 2"},
      {R"({"a":1)", "at byte 6"},
      {R"({"a":1,})", "expected a string as key at byte 7"},
      {R"({"a" 1})", "expected ':' at byte 5"},
      {R"({"a":[1 2]})", "expected ',' or ']' at byte 8"},
      {R"({"a":NaN})", "expected a value at byte 5"},
      {R"({"a":Infinity})", "expected a value at byte 5"},
      {R"({"a":01})", "malformed number"},
      {R"({"a":1.})", "malformed number"},
      {R"({"a":.5})", "expected a value"},
      {R"({"a":1e})", "malformed number"},
      {R"({"a":-})", "expected a value"},
      {R"({"a":tru})", "expected a value"},
      {R"({"a":"x)", "unexpected end in a string at byte 7"},
      {"{\"a\":\"x\ny\"}", "control character in a string at byte 7"},
      {R"({"a":"\x"})", "invalid escape at byte 6"},
      {R"({"a":"\ud800"})", "invalid escape at byte 6"},
      {R"({"a":"\udc00"})", "invalid escape at byte 6"},
      {R"({"a":"\ud800\u0041"})", "invalid escape at byte 6"},
      {R"({"a":"\u12"})", "invalid escape at byte 6"},
      {"{} {}", "unexpected bytes after the JSON object at byte 3"},
      {std::string("{}\0", 3), "unexpected bytes"},
      {"{\"a\":\"\xC0\xAF\"}", "invalid UTF-8 at byte 6"},
      {"{\"a\":\"\xED\xA0\x80\"}", "invalid UTF-8 at byte 6"},
      {"{\"a\":\"\xF4\x90\x80\x80\"}", "invalid UTF-8 at byte 6"},
      {"{\"a\":\"\xE2\x82\"}", "invalid UTF-8 at byte 6"},
      {"{\"\xFF\":1}", "invalid UTF-8 at byte 2"},
  };
  for (const Case& each : cases) {
    const Error error = error_of(each.json);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK_THAT(error.message, Catch::Contains(each.problem));
  }
}

TEST_CASE("depth and size have bounds", "[payload][canonical]") {
  const auto nested = [](std::size_t levels) {  // the object is one of them
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  CHECK(canonical(nested(limits::kJsonDepthMax)).has_value());
  CHECK(error_of(nested(limits::kJsonDepthMax + 1)).code == ErrorCode::kOutOfRange);
  CHECK(error_of("{\"a\":" + std::string(100'000, '[')).code == ErrorCode::kOutOfRange);
  const std::string large = "{\"a\":\"" + std::string(limits::kPayloadBytesMax - 8, 'x') + "\"}";
  REQUIRE(large.size() == limits::kPayloadBytesMax);
  CHECK(canonical(large).has_value());
  CHECK(error_of(large + " ").code == ErrorCode::kOutOfRange);
}

TEST_CASE("damaged text never crashes, and what is accepted is canonical", "[payload][canonical]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string good =
      R"({"title":"Gr\u00fc\u00dfe \ud83d\ude00","n":[1,-2.5e3,1e999],"o":{"k":null,"k":true},"":""})";
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good.substr(0, random() % 8 == 0 ? random() % good.size() : good.size());
    for (auto changes = random() % 4; changes > 0 && !bad.empty(); --changes) {
      bad[random() % bad.size()] =
          random() % 2 == 0 ? static_cast<char>(random()) : "{}[]\",:\\u0e-."[random() % 14];
    }
    const auto text = canonical(bad);
    if (!text.has_value()) continue;
    CAPTURE(bad);
    REQUIRE(canonical(*text).has_value());
    REQUIRE(canonical(*text).value() == *text);
    REQUIRE(text->size() <= std::max<std::size_t>(bad.size(), 2));
  }
}
