// The property that filters live by: four ways to ask agree on every row. Three are ours:
// matches(), evaluate() on columns, evaluate() on payloads. The fourth is written here from the
// description of Qdrant's semantics, on another JSON library.
#include <cmath>
#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/payload/datetime.h"
#include "storage/env/env.h"
#include "tests/engine/payload/payload_support.h"

using namespace vz;
using namespace vz::payload;
using namespace vz::payload::test;
using Json = nlohmann::ordered_json;

namespace {

// ---- the oracle ----

struct Step {
  std::string key;
  int index = -1;  // with an empty key: -1 is `[]`
};
struct TestedPath {
  std::string text;
  std::vector<Step> steps;
};

void collect(const Json& value, const std::vector<Step>& steps, std::size_t at,
             std::vector<const Json*>& out) {
  if (at == steps.size()) {
    out.push_back(&value);
  } else if (!steps[at].key.empty()) {
    if (value.is_object() && value.contains(steps[at].key)) {
      collect(value[steps[at].key], steps, at + 1, out);
    }
  } else if (value.is_array() && steps[at].index >= 0) {
    const auto index = static_cast<std::size_t>(steps[at].index);
    if (index < value.size()) collect(value[index], steps, at + 1, out);
  } else if (value.is_array()) {
    for (const Json& element : value) collect(element, steps, at + 1, out);
  }
}

std::vector<const Json*> leaves(const std::vector<const Json*>& values) {
  std::vector<const Json*> out;
  for (const Json* value : values) {
    if (!value->is_array()) {
      out.push_back(value);
    } else {
      for (const Json& element : *value) out.push_back(&element);
    }
  }
  return out;
}

/// Exact: x86's long double holds every i64, u64 and double.
long double exact(const Json& number) {
  if (number.is_number_unsigned()) return static_cast<long double>(number.get<std::uint64_t>());
  if (number.is_number_integer()) return static_cast<long double>(number.get<std::int64_t>());
  return static_cast<long double>(number.get<double>());
}

bool same_scalar(const Json& a, const Json& b) {
  if (a.is_string() && b.is_string()) return a.get<std::string>() == b.get<std::string>();
  if (a.is_boolean() && b.is_boolean()) return a.get<bool>() == b.get<bool>();
  return a.is_number_integer() && b.is_number_integer() && exact(a) == exact(b);
}

bool listed(const Json& list, const Json& value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& each) { return same_scalar(each, value); });
}

bool within(const Json& range, long double value, long double (*bound)(const Json&)) {
  return (!range.contains("lt") || value < bound(range["lt"])) &&
         (!range.contains("lte") || value <= bound(range["lte"])) &&
         (!range.contains("gt") || value > bound(range["gt"])) &&
         (!range.contains("gte") || value >= bound(range["gte"]));
}

long double moment(const Json& text) {
  return static_cast<long double>(parse_datetime(text.get<std::string>()).value());
}

bool in_range(const Json& range, const Json& value) {
  if (range.begin()->is_number()) return value.is_number() && within(range, exact(value), exact);
  if (!value.is_string() || !parse_datetime(value.get<std::string>())) return false;
  return within(range, moment(value), moment);
}

using Paths = std::map<std::string, std::vector<Step>>;

bool empty_at(const std::vector<const Json*>& values) {
  return std::all_of(values.begin(), values.end(), [](const Json* value) {
    return value->is_null() || (value->is_array() && value->empty());
  });
}

bool null_at(const std::vector<const Json*>& values) {
  const auto all = leaves(values);
  return std::any_of(all.begin(), all.end(), [](const Json* leaf) { return leaf->is_null(); });
}

bool oracle_field(const Json& condition, const std::vector<const Json*>& values) {
  const auto any_leaf = [&](auto test) {
    const auto all = leaves(values);
    return std::any_of(all.begin(), all.end(), [&](const Json* leaf) { return test(*leaf); });
  };
  if (condition.contains("match")) {
    const Json& match = condition["match"];
    if (match.contains("value")) {
      return any_leaf([&](const Json& leaf) { return same_scalar(match["value"], leaf); });
    }
    if (match.contains("any")) {
      return any_leaf([&](const Json& leaf) { return listed(match["any"], leaf); });
    }
    return any_leaf(
        [&](const Json& leaf) { return !leaf.is_null() && !listed(match["except"], leaf); });
  }
  if (condition.contains("range")) {
    return any_leaf([&](const Json& leaf) { return in_range(condition["range"], leaf); });
  }
  if (condition.contains("is_empty")) return empty_at(values) == condition["is_empty"].get<bool>();
  if (condition.contains("is_null")) return null_at(values) == condition["is_null"].get<bool>();
  const auto count_of = [](const Json& value) -> std::size_t {
    return value.is_null() ? 0 : value.is_array() ? value.size() : 1;
  };
  const auto fits = [&](std::size_t count) {
    return within(condition["values_count"], static_cast<long double>(count), exact);
  };
  if (values.empty()) return fits(0);
  return std::any_of(values.begin(), values.end(),
                     [&](const Json* value) { return fits(count_of(*value)); });
}

bool oracle(const Json& node, const Json& payload, std::uint32_t row, const Paths& paths) {
  const auto at = [&](const Json& key) {
    std::vector<const Json*> values;
    collect(payload, paths.at(key.get<std::string>()), 0, values);
    return values;
  };
  if (node.contains("key")) return oracle_field(node, at(node["key"]));
  if (node.contains("is_empty")) return empty_at(at(node["is_empty"]["key"]));
  if (node.contains("is_null")) return null_at(at(node["is_null"]["key"]));
  if (node.contains("has_id")) return listed(node["has_id"], Json(std::uint64_t{10} + row));
  if (node.contains("has_vector")) return node["has_vector"] == "" || row % 2 == 1;
  const auto passing = [&](const Json& list) {
    return static_cast<std::size_t>(std::count_if(
        list.begin(), list.end(), [&](const Json& n) { return oracle(n, payload, row, paths); }));
  };
  if (node.contains("must") && passing(node["must"]) != node["must"].size()) return false;
  if (node.contains("must_not") && passing(node["must_not"]) != 0) return false;
  if (node.contains("should") && !node["should"].empty() && passing(node["should"]) == 0) {
    return false;
  }
  return !node.contains("min_should") || passing(node["min_should"]["conditions"]) >=
                                             node["min_should"]["min_count"].get<std::size_t>();
}

// ---- what is thrown at it ----

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }

  Json scalar() {
    static const std::vector<std::string> kStrings = {"",
                                                      "x",
                                                      "y",
                                                      "1",
                                                      "true",
                                                      "grün",
                                                      "日本",
                                                      std::string("n\0l", 3),
                                                      "quote\"\\\n",
                                                      "2024-05-01",
                                                      "2024-05-01T00:00:00Z",
                                                      "2024-05-01T02:00:00.5+02:00",
                                                      "1969-12-31 23:59",
                                                      "2024-05-01T",
                                                      std::string(255, 'l'),
                                                      std::string(256, 'l'),
                                                      std::string(257, 'l')};
    switch (below(8)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
      case 3:
        return kStrings[below(static_cast<std::uint32_t>(kStrings.size()))];
      case 4:
        return static_cast<int>(below(5)) - 2;
      case 5:
        return integers()[below(static_cast<std::uint32_t>(integers().size()))];
      case 6:
        return (static_cast<double>(below(9)) - 4.0) / 2;
      default:
        return doubles()[below(static_cast<std::uint32_t>(doubles().size()))];
    }
  }

  Json value(int depth) {
    const std::uint32_t kind = below(depth > 0 ? 10 : 6);
    if (kind < 6) return scalar();
    if (kind < 9) {
      Json list = Json::array();
      for (std::uint32_t n = below(4); n > 0; --n) list.push_back(value(depth - 1));
      return list;
    }
    return object(depth - 1);
  }

  Json object(int depth) {
    static const std::vector<std::string> kKeys = {"a", "b", "c", "k.x", "ü"};
    Json out = Json::object();
    for (const std::string& key : kKeys) {
      if (below(2) == 0) out[key] = value(depth);
    }
    return out;
  }

  Json condition(const std::vector<TestedPath>& paths, int depth) {
    if (depth > 0 && below(4) == 0) return filter(paths, depth - 1);
    const std::string& key = paths[below(static_cast<std::uint32_t>(paths.size()))].text;
    switch (below(11)) {
      case 0:
        return {{"is_empty", {{"key", key}}}};
      case 1:
        return {{"is_null", {{"key", key}}}};
      case 2:
        return {{"key", key}, {"is_empty", below(2) == 0}};
      case 3:
        return {{"key", key}, {"is_null", below(2) == 0}};
      case 4:
        return {{"has_id", {10 + below(30), 10 + below(30)}}};
      case 5:
        return {{"has_vector", below(2) == 0 ? "" : "image"}};
      case 6:
        return {{"key", key}, {"values_count", {{bound(), below(4)}}}};
      case 7:
        return {{"key", key}, {"match", {{"value", listable(below(3))}}}};
      case 8:
        return {{"key", key}, {"match", {{below(2) == 0 ? "any" : "except", list()}}}};
      default:
        return {{"key", key}, {"range", range()}};
    }
  }

  Json filter(const std::vector<TestedPath>& paths, int depth) {
    Json out = Json::object();
    const auto list_of = [&] {
      Json list = Json::array();
      for (std::uint32_t n = below(3); n > 0; --n) list.push_back(condition(paths, depth));
      return list;
    };
    if (below(2) == 0) out["must"] = list_of();
    if (below(3) == 0) out["should"] = list_of();
    if (below(3) == 0) out["must_not"] = list_of();
    if (below(4) == 0) out["min_should"] = {{"conditions", list_of()}, {"min_count", below(3)}};
    return out;
  }

 private:
  static const std::vector<Json>& integers() {
    static const std::vector<Json> kIntegers = {std::uint64_t{9007199254740992},
                                                std::uint64_t{9007199254740993},
                                                INT64_MAX,
                                                INT64_MIN,
                                                std::uint64_t{9223372036854775808u},
                                                std::uint64_t{18446744073709551615u},
                                                -1,
                                                5};
    return kIntegers;
  }
  static const std::vector<double>& doubles() {
    static const std::vector<double> kDoubles = {9007199254740992.0,
                                                 9007199254740994.0,
                                                 9223372036854775808.0,
                                                 -9223372036854775808.0,
                                                 18446744073709551616.0,
                                                 1e300,
                                                 -1e300,
                                                 5e-324,
                                                 -0.0,
                                                 1.0};
    return kDoubles;
  }
  std::string bound() {
    static const char* const kBounds[] = {"lt", "lte", "gt", "gte"};
    return kBounds[below(4)];
  }
  /// A string, an integer or a bool.
  Json listable(std::uint32_t kind) {
    for (;;) {
      Json value = scalar();
      if (kind == 0 && value.is_string()) return value;
      if (kind == 1 && value.is_number_integer()) return value;
      if (kind == 2 && value.is_boolean()) return value;
    }
  }
  Json list() {
    Json out = Json::array();
    const std::uint32_t kind = below(2);
    for (std::uint32_t n = below(5); n > 0; --n) out.push_back(listable(kind));
    return out;
  }
  Json range() {
    Json out = Json::object();
    const bool moments = below(3) == 0;
    while (out.empty() || below(2) == 0) {
      Json value = scalar();
      const bool fits = moments ? value.is_string() && parse_datetime(value.get<std::string>())
                                : value.is_number();
      if (fits) out[bound()] = value;
    }
    return out;
  }

  std::mt19937 random_;
};

const std::vector<TestedPath>& tested_paths() {
  static const std::vector<TestedPath> kPaths = {
      {"a", {{"a"}}},
      {"b", {{"b"}}},
      {"c", {{"c"}}},
      {"\"k.x\"", {{"k.x"}}},
      {"ü", {{"ü"}}},
      {"a.b", {{"a"}, {"b"}}},
      {"b.\"k.x\"", {{"b"}, {"k.x"}}},
      {"a[]", {{"a"}, {""}}},
      {"a[].b", {{"a"}, {""}, {"b"}}},
      {"c[0]", {{"c"}, {"", 0}}},
      {"c[1].a", {{"c"}, {"", 1}, {"a"}}},
      {"b[][]", {{"b"}, {""}, {""}}},
      {"missing.key", {{"missing"}, {"key"}}},
  };
  return kPaths;
}

}  // namespace

TEST_CASE("matches, evaluate with and without columns, and the oracle agree",
          "[payload][property]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Generator generate(seed);
  Paths paths;
  for (const TestedPath& path : tested_paths()) paths[path.text] = path.steps;
  const auto env = make_posix_env();
  const TempDirectory directory;
  const std::vector<DeclaredField> declared = {{"a[]", FieldType::kKeyword, ""},
                                               {"a[].b", FieldType::kInteger, ""},
                                               {"c[1].a", FieldType::kFloat, ""}};
  std::uint64_t passed = 0;
  std::uint64_t asked = 0;
  for (int round = 0; round < 30; ++round) {
    std::vector<Json> documents;
    std::vector<std::string> payloads;
    for (std::uint32_t rows = generate.below(100); rows > 0; --rows) {
      documents.push_back(generate.object(3));
      const auto text = canonical(documents.back().dump());
      REQUIRE(text.has_value());
      payloads.push_back(*text);
    }
    const MemoryRows rows(payloads);
    const std::string file = directory.file(std::to_string(round));
    REQUIRE(build_fields(*env, file, rows.row_count(), rows.reader(),
                         std::span(declared).first(generate.below(4)))
                .has_value());
    const auto fields = FieldsFile::open(*env, file, rows.row_count());
    REQUIRE(fields.has_value());
    for (int question = 0; question < 100; ++question) {
      const Json tree = generate.filter(tested_paths(), 3);
      CAPTURE(round, question, tree.dump());
      const auto filter = parse_filter(tree.dump());
      REQUIRE(filter.has_value());
      EvaluateStats stats;
      const auto by_columns = evaluate(*filter, rows, fields->get(), stats);
      const auto by_payloads = evaluate(*filter, rows, nullptr, stats);
      REQUIRE(by_columns.has_value());
      REQUIRE(by_payloads.has_value());
      for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
        const bool expected = oracle(tree, documents[row], row, paths);
        ++asked;
        if (expected) ++passed;
        if (expected == rows.matches_row(*filter, row) && expected == by_columns->contains(row) &&
            expected == by_payloads->contains(row)) {
          continue;
        }
        CAPTURE(row, payloads[row], expected, rows.matches_row(*filter, row),
                by_columns->contains(row), by_payloads->contains(row));
        FAIL("the four ways differ");
      }
    }
  }
  INFO(passed << " of " << asked);
  CHECK(passed > asked / 10);  // The questions are worth asking: neither all nor nothing passes.
  CHECK(passed < asked / 10 * 9);
}
