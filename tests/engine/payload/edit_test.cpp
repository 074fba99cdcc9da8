// Edits of payloads and key paths, as Qdrant has them.
#include <catch2/catch.hpp>

#include "engine/payload/canonical.h"
#include "engine/payload/payload.h"

using namespace vz;
using namespace vz::payload;

TEST_CASE("set merges top-level keys, and null takes a key away", "[payload][edit]") {
  CHECK(set(R"({"a":1,"b":2})", R"({"b":[3],"c":{"d":4}})", std::nullopt) ==
        R"({"a":1,"b":[3],"c":{"d":4}})");
  CHECK(set(R"({"a":1,"b":2})", R"({"a":null,"x":null})", std::nullopt) == R"({"b":2})");
  CHECK(set("{}", R"({"a":{"b":null}})", std::nullopt) == R"({"a":{"b":null}})");
  CHECK(set("", R"({"a":1})", std::nullopt) == R"({"a":1})");
}

TEST_CASE("set at a key merges there and makes the objects on its way", "[payload][edit]") {
  CHECK(set(R"({"a":{"x":1}})", R"({"y":2})", "a") == R"({"a":{"x":1,"y":2}})");
  CHECK(set("{}", R"({"y":2})", "a.b") == R"({"a":{"b":{"y":2}}})");
  CHECK(set(R"({"a":7})", R"({"y":2})", "a") == R"({"a":{"y":2}})");
  CHECK(set(R"({"a":[{"b":1},{"b":2}]})", R"({"c":0})", "a[]") ==
        R"({"a":[{"b":1,"c":0},{"b":2,"c":0}]})");
  CHECK(set(R"({"a":[{"b":1},{"b":2}]})", R"({"c":0})", "a[1]") ==
        R"({"a":[{"b":1},{"b":2,"c":0}]})");
  CHECK(set(R"({"a":[1]})", R"({"c":0})", "a[5].b") == R"({"a":[1]})");
  CHECK(set(R"({"a.b":{"x":1}})", R"({"y":2})", "\"a.b\"") == R"({"a.b":{"x":1,"y":2}})");
  CHECK(set(R"({"a\nb":{}})", R"({"y":2})", "a\nb") == R"({"a\nb":{"y":2}})");
}

TEST_CASE("set with a path that is none leaves the base as it is", "[payload][edit]") {
  CHECK(set(R"({"a":1})", R"({"y":2})", "") == R"({"a":1})");
  CHECK(set(R"({"a":1})", R"({"y":2})", "a..b") == R"({"a":1})");
}

TEST_CASE("what set nests deepest can be edited and read again", "[payload][edit]") {
  const std::size_t levels = 63;
  std::string patch = "{\"k\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  REQUIRE(canonical(patch).has_value());
  std::string path = "a";
  for (std::size_t i = 1; i < kKeyPathStepsMax; ++i) path += ".a";
  REQUIRE(check_key_path(path).has_value());

  const std::string deep = set("{}", patch, path);
  const std::string edited = set(deep, R"({"z":1})", std::nullopt);

  CHECK(edited.size() == deep.size() + 6);
  const std::vector<std::string> keys = {"z"};
  CHECK(delete_keys(edited, keys) == deep);
  CHECK_FALSE(check_key_path(path + ".a").has_value());
}

TEST_CASE("delete_keys removes what its paths lead to", "[payload][edit]") {
  const auto without = [](std::string_view base, std::vector<std::string> keys) {
    return delete_keys(base, keys);
  };
  CHECK(without(R"({"a":1,"b":2})", {"a", "x"}) == R"({"b":2})");
  CHECK(without(R"({"a":{"b":1,"c":2}})", {"a.b"}) == R"({"a":{"c":2}})");
  CHECK(without(R"({"a":[{"b":1,"c":2},{"b":3}]})", {"a[].b"}) == R"({"a":[{"c":2},{}]})");
  CHECK(without(R"({"a":[{"b":1,"c":2},{"b":3}]})", {"a[1].b"}) == R"({"a":[{"b":1,"c":2},{}]})");
  CHECK(without(R"({"a":[1,2]})", {"a[]"}) == R"({"a":[]})");
  CHECK(without(R"({"a":[1,2]})", {"a[0]"}) == R"({"a":[1,2]})");
  CHECK(without(R"({"a":[{"b":1}]})", {"a.b"}) == R"({"a":[{"b":1}]})");
  CHECK(without(R"({"a b":1,"c":1e999})", {"a b"}) == R"({"c":1e999})");
}

TEST_CASE("select keeps what is included or not excluded", "[payload][edit]") {
  const std::string base = R"({"a":{"b":1,"c":[{"d":2,"e":3},4]},"f":[5],"g":6})";
  const auto with = [&](Selection::Mode mode, std::vector<std::string> keys) {
    return select(base, {mode, std::move(keys)});
  };
  using Mode = Selection::Mode;
  CHECK(with(Mode::kAll, {}) == base);
  CHECK(with(Mode::kNone, {"a"}) == "{}");
  CHECK(with(Mode::kInclude, {"g", "f", "none"}) == R"({"f":[5],"g":6})");
  CHECK(with(Mode::kInclude, {"a.b"}) == R"({"a":{"b":1}})");
  CHECK(with(Mode::kInclude, {"a.c[].d"}) == R"({"a":{"c":[{"d":2},4]}})");
  CHECK(with(Mode::kInclude, {}) == "{}");
  CHECK(with(Mode::kExclude, {"a", "g"}) == R"({"f":[5]})");
  CHECK(with(Mode::kExclude, {"a.c[].d"}) == R"({"a":{"b":1,"c":[{"e":3},4]},"f":[5],"g":6})");
  CHECK(with(Mode::kExclude, {}) == base);
}

TEST_CASE("key paths: what is one and what is not", "[payload][edit]") {
  for (const std::string path :
       {"a", "a.b", "a[].b", "a[0].b", "a[0][1][]", "\"a.b\".c", "\"\"", "a b-c_d/e", "\xC3\xA4"}) {
    CAPTURE(path);
    CHECK(check_key_path(path).has_value());
  }
  for (const std::string path : {"", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a]", "[0]",
                                 "\"a", "\"a\"b", "a[0]b", "a[99999999999999999999]"}) {
    CAPTURE(path);
    const auto status = check_key_path(path);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    CHECK_THAT(status.error().message, Catch::Contains("'" + path + "'"));
  }
  CHECK_FALSE(check_key_path(std::string(513, 'a')).has_value());
}
