// parse_filter(): what is a filter, and what an error says about what is none.
#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "engine/payload/payload.h"
#include "tests/engine/payload/payload_support.h"

using namespace vz;
using namespace vz::payload;

namespace {

Error error_of(const std::string& json) {
  CAPTURE(json);
  const auto filter = parse_filter(json);
  REQUIRE_FALSE(filter.has_value());
  return filter.error();
}

}  // namespace

TEST_CASE("a filter without constraints passes everything", "[payload][filter]") {
  for (const std::string json :
       {"", "null", "{}", R"({"must":[]})", R"({"should":[],"must_not":null,"must":[]})",
        R"({"min_should":{"conditions":[],"min_count":0}})", R"({"min_should":null})"}) {
    CAPTURE(json);
    const auto filter = parse_filter(json);
    REQUIRE(filter.has_value());
    CHECK(filter->empty());
  }
}

TEST_CASE("what is not supported yet is refused by name", "[payload][filter]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"must":{"key":"a","match":{"text":"x"}}})", "match.text"},
      {R"({"must":{"key":"a","match":{"text_any":"x"}}})", "match.text_any"},
      {R"({"must":{"key":"a","match":{"phrase":"x"}}})", "match.phrase"},
      {R"({"must":{"key":"a","match":{"prefix":"x"}}})", "match.prefix"},
      {R"({"must":{"key":"a","geo_radius":{"center":{"lon":1,"lat":2},"radius":3}}})",
       "geo_radius"},
      {R"({"must":{"key":"a","geo_bounding_box":{}}})", "geo_bounding_box"},
      {R"({"must":{"key":"a","geo_polygon":{}}})", "geo_polygon"},
      {R"({"must":[{"nested":{"key":"a","filter":{}}}]})", "nested"},
      {R"({"must":[{"slice":{"total":2,"index":0}}]})", "slice"},
  };
  for (const auto& [json, form] : cases) {
    const Error error = error_of(json);
    CHECK(error.code == ErrorCode::kUnsupported);
    CHECK(error.message == "filter condition '" + form + "' is not supported yet");
  }
}

TEST_CASE("what is no filter is refused, naming what is wrong", "[payload][filter]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"([])", "expected a JSON object"},
      {R"({"must":[{}})", "at byte"},
      {R"({"mast":[]})", "'mast'"},
      {R"({"must":[{"foo":1}]})", "'foo'"},
      {R"({"must":1})", "'must' must be a condition or a list"},
      {R"({"must":[1]})", "a filter condition must be an object, not an integer"},
      {R"({"must":[null]})", "a filter condition must be an object, not null"},
      {R"({"must":{"key":"a"}})", "holds 0 tests"},
      {R"({"must":{"key":"a","match":{"value":1},"range":{"gt":1}}})", "holds 2 tests"},
      {R"({"must":{"key":"a","mutch":{"value":1}}})", "'mutch'"},
      {R"({"must":{"key":null,"match":{"value":1}}})", "'key' must be a string"},
      {R"({"must":{"key":3,"match":{"value":1}}})", "'key' must be a string"},
      {R"({"must":{"key":"a..b","match":{"value":1}}})", "'a..b'"},
      {R"({"must":{"match":{"value":1}}})", "'match'"},
      {R"({"must":{"key":"a","match":{}}})", "exactly one of"},
      {R"({"must":{"key":"a","match":{"value":1,"any":[2]}}})", "exactly one of"},
      {R"({"must":{"key":"a","match":7}})", "'match' must be an object"},
      {R"({"must":{"key":"a","match":{"values":1}}})", "'values'"},
      {R"({"must":{"key":"a","match":{"value":1.5}}})", "match.value"},
      {R"({"must":{"key":"a","match":{"value":1.0}}})", "match.value"},
      {R"({"must":{"key":"a","match":{"value":[1]}}})", "match.value"},
      {R"({"must":{"key":"a","match":{"any":1}}})", "match.any"},
      {R"({"must":{"key":"a","match":{"any":[1,"a"]}}})", "mixes"},
      {R"({"must":{"key":"a","match":{"except":[true]}}})", "match.except"},
      {R"({"must":{"key":"a","range":{}}})", "at least one of"},
      {R"({"must":{"key":"a","range":{"gt":null}}})", "at least one of"},
      {R"({"must":{"key":"a","range":{"gt":1,"lt":"2024-01-01"}}})", "mixes"},
      {R"({"must":{"key":"a","range":{"gt":"yesterday"}}})", "'yesterday'"},
      {R"({"must":{"key":"a","range":{"gt":true}}})", "range.gt"},
      {R"({"must":{"key":"a","range":{"over":1}}})", "'over'"},
      {R"({"must":{"key":"a","values_count":{"gt":1.5}}})", "values_count.gt"},
      {R"({"must":{"key":"a","values_count":{}}})", "at least one of"},
      {R"({"must":{"key":"a","is_empty":1}})", "true or false"},
      {R"({"must":{"is_empty":"a"}})", "'is_empty'"},
      {R"({"must":{"is_null":{"kay":"a"}}})", "'is_null'"},
      {R"({"must":{"has_id":5}})", "'has_id'"},
      {R"({"must":{"has_id":[-5]}})", "value -5 is not a valid point ID"},
      {R"({"must":{"has_id":["x"]}})", "value x is not a valid point ID"},
      {R"({"must":{"has_id":[1.5]}})", "not a valid point ID"},
      {R"({"must":{"has_vector":5}})", "'has_vector'"},
      {R"({"must":{"has_id":[1],"must":[]}})", "'has_id' must be alone"},
      {R"({"min_should":{"conditions":[]}})", "min_count"},
      {R"({"min_should":{"conditions":[],"min_count":-1}})", "min_count"},
      {R"({"min_should":{"conditions":[],"min_count":1,"x":2}})", "'x'"},
      {R"({"min_should":[]})", "'min_should' must be an object"},
  };
  for (const auto& [json, part] : cases) {
    const Error error = error_of(json);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK_THAT(error.message, Catch::Contains(part));
  }
}

TEST_CASE("depth, conditions and ids have bounds", "[payload][filter]") {
  const auto nested = [](std::size_t levels) {
    std::string json = R"({"key":"a","match":{"any":[1]}})";
    for (std::size_t i = 0; i < levels; ++i) json = "{\"must\":[" + json + "]}";
    return json;
  };
  CHECK(parse_filter(nested(limits::kFilterDepthMax)).has_value());
  CHECK(error_of(nested(limits::kFilterDepthMax + 1)).code == ErrorCode::kOutOfRange);
  CHECK(error_of(nested(10'000)).code == ErrorCode::kOutOfRange);

  const auto list = [](std::size_t count) {
    std::string out = "[0";
    for (std::size_t i = 1; i < count; ++i) out += "," + std::to_string(i);
    return out + "]";
  };
  const auto any = [&](std::size_t count) {
    return R"({"must":{"key":"a","match":{"any":)" + list(count) + "}}}";
  };
  CHECK(parse_filter(any(limits::kFilterConditionsMax - 1)).has_value());
  CHECK(error_of(any(limits::kFilterConditionsMax)).code == ErrorCode::kOutOfRange);
  const auto ids = [&](std::size_t count) { return R"({"must":{"has_id":)" + list(count) + "}}"; };
  CHECK(parse_filter(ids(limits::kIdsPerReadMax)).has_value());
  CHECK(error_of(ids(limits::kIdsPerReadMax + 1)).code == ErrorCode::kOutOfRange);
}
