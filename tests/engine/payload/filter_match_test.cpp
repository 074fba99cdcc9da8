// What filters mean, by example: each expectation is read from Qdrant's behaviour. Every example is
// asked three ways: matches(), evaluate() on columns, evaluate() on payloads.
#include <catch2/catch.hpp>

#include "storage/env/env.h"
#include "tests/engine/payload/payload_support.h"

using namespace vz;
using namespace vz::payload;
using namespace vz::payload::test;

namespace {

using Rows = std::vector<std::uint32_t>;

/// Rows of `payloads` that pass; fails if the three ways differ.
class Asker {
 public:
  explicit Asker(std::vector<std::string> payloads, std::vector<DeclaredField> declared = {})
      : rows_(std::move(payloads)), env_(make_posix_env()) {
    const auto built = build_fields(*env_, directory_.file("a.fields"), rows_.row_count(),
                                    rows_.reader(), declared);
    REQUIRE(built.has_value());
    auto opened = FieldsFile::open(*env_, directory_.file("a.fields"), rows_.row_count());
    REQUIRE(opened.has_value());
    fields_ = std::move(*opened);
  }

  Rows operator()(const std::string& json) {
    CAPTURE(json);
    const auto filter = parse_filter(json);
    REQUIRE(filter.has_value());
    Rows one_by_one;
    for (std::uint32_t row = 0; row < rows_.row_count(); ++row) {
      if (rows_.matches_row(*filter, row)) one_by_one.push_back(row);
    }
    EvaluateStats ignored;
    const auto decoded = evaluate(*filter, rows_, nullptr, ignored);
    REQUIRE(decoded.has_value());
    CHECK(rows_of(*decoded) == one_by_one);
    stats_ = {};
    const auto by_columns = evaluate(*filter, rows_, fields_.get(), stats_);
    REQUIRE(by_columns.has_value());
    CHECK(rows_of(*by_columns) == one_by_one);
    return one_by_one;
  }
  Rows on(const std::string& condition) { return (*this)("{\"must\":[" + condition + "]}"); }

  [[nodiscard]] std::uint64_t rows_decoded() const { return stats_.rows_decoded; }
  [[nodiscard]] const FieldsFile& fields() const { return *fields_; }

 private:
  TempDirectory directory_;
  MemoryRows rows_;
  std::unique_ptr<Env> env_;
  std::unique_ptr<FieldsFile> fields_;
  EvaluateStats stats_;
};

}  // namespace

TEST_CASE("match value: any element of an array, and only the same type", "[payload][filter]") {
  Asker ask({R"({"a":"x"})", R"({"a":["y","x"]})", R"({"a":1})", R"({"a":1.0})", R"({"a":true})",
             R"({"a":[["x"]]})", R"({"a":{"x":"x"}})", R"({})", R"({"a":[1,"1",null]})",
             R"({"a":18446744073709551615})", R"({"a":"gr\u00fcn\u0000"})"});

  CHECK(ask.on(R"({"key":"a","match":{"value":"x"}})") == Rows{0, 1});
  CHECK(ask.on(R"({"key":"a","match":{"value":1}})") == Rows{2, 8});
  CHECK(ask.on(R"({"key":"a","match":{"value":"1"}})") == Rows{8});
  CHECK(ask.on(R"({"key":"a","match":{"value":true}})") == Rows{4});
  CHECK(ask.on(R"({"key":"a","match":{"value":false}})").empty());
  CHECK(ask.on(R"({"key":"a","match":{"value":18446744073709551615}})") == Rows{9});
  CHECK(ask.on(R"({"key":"a","match":{"value":"grün\u0000"}})") == Rows{10});
  CHECK(ask.on(R"({"key":"a","range":null,"match":{"value":"x","any":null}})") == Rows{0, 1});
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("match any and except", "[payload][filter]") {
  Asker ask({R"({"a":"x"})", R"({"a":["x","y"]})", R"({"a":["x","z"]})", R"({"a":null})",
             R"({"a":[]})", R"({})", R"({"a":5})", R"({"a":[null]})", R"({"a":{"b":1}})",
             R"({"a":false})", R"({"a":[[]]})", R"({"a":5.0})", R"({"a":[5,6]})"});

  CHECK(ask.on(R"({"key":"a","match":{"any":["y","z"]}})") == Rows{1, 2});
  CHECK(ask.on(R"({"key":"a","match":{"any":[6,5,5]}})") == Rows{6, 12});
  CHECK(ask.on(R"({"key":"a","match":{"any":[]}})").empty());
  CHECK(ask.on(R"({"key":"a","match":{"except":["x","y"]}})") == Rows{2, 6, 8, 9, 10, 11, 12});
  CHECK(ask.on(R"({"key":"a","match":{"except":[5]}})") == Rows{0, 1, 2, 8, 9, 10, 11, 12});
  CHECK(ask.on(R"({"key":"a","match":{"except":[]}})") == Rows{0, 1, 2, 6, 8, 9, 10, 11, 12});
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("numeric ranges compare integers and floats exactly", "[payload][filter]") {
  Asker ask({R"({"n":9007199254740992})", R"({"n":9007199254740993})",
             R"({"n":9007199254740994.0})", R"({"n":-1.5})", R"({"n":[0,100]})", R"({"n":"7"})",
             R"({"n":1e999})", R"({"n":18446744073709551615})", R"({"n":-0.0})", R"({})"});

  CHECK(ask.on(R"({"key":"n","range":{"gt":9007199254740992,"lt":9007199254740994}})") == Rows{1});
  CHECK(ask.on(R"({"key":"n","range":{"gte":9007199254740992.0,"lte":9007199254740993}})") ==
        Rows{0, 1});
  CHECK(ask.on(R"({"key":"n","range":{"gt":9007199254740993}})") == Rows{2, 6, 7});
  CHECK(ask.on(R"({"key":"n","range":{"gt":18446744073709551614}})") == Rows{6, 7});
  CHECK(ask.on(R"({"key":"n","range":{"gt":1e400}})").empty());
  CHECK(ask.on(R"({"key":"n","range":{"gte":1e400}})") == Rows{6});
  CHECK(ask.on(R"({"key":"n","range":{"gte":-0.0,"lte":0}})") == Rows{4, 8});
  CHECK(ask.on(R"({"key":"n","range":{"lt":0}})") == Rows{3});
  CHECK(ask.on(R"({"key":"n","range":{"gt":5,"lt":3}})").empty());
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("datetime ranges read strings, whatever their form", "[payload][filter]") {
  Asker ask({R"({"t":"2024-05-01T00:00:00Z"})", R"({"t":"2024-05-01"})",
             R"({"t":"2024-05-01T02:00:00+02:00"})", R"({"t":"2024-05-01 00:00:00.000001"})",
             R"({"t":["no date","2025-01-01"]})", R"({"t":"no date"})", R"({"t":1714521600})"});

  CHECK(ask.on(R"({"key":"t","range":{"gte":"2024-05-01","lte":"2024-05-01"}})") == Rows{0, 1, 2});
  CHECK(ask.on(R"({"key":"t","range":{"gt":"2024-05-01T00:00:00Z"}})") == Rows{3, 4});
  CHECK(ask.on(R"({"key":"t","range":{"lt":"2024-05-01T00:00:01+00:00"}})") == Rows{0, 1, 2, 3});
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("is_empty, is_null and values_count", "[payload][filter]") {
  Asker ask({R"({"a":1})", R"({"a":null})", R"({"a":[]})", R"({})", R"({"a":[null]})",
             R"({"a":[1,null]})", R"({"a":{}})", R"({"a":""})", R"({"a":[1,2,3]})"});

  CHECK(ask.on(R"({"is_empty":{"key":"a"}})") == Rows{1, 2, 3});
  CHECK(ask.on(R"({"key":"a","is_empty":true})") == Rows{1, 2, 3});
  CHECK(ask.on(R"({"key":"a","is_empty":false})") == Rows{0, 4, 5, 6, 7, 8});
  CHECK(ask.on(R"({"is_null":{"key":"a"}})") == Rows{1, 4, 5});
  CHECK(ask.on(R"({"key":"a","is_null":true})") == Rows{1, 4, 5});
  CHECK(ask.on(R"({"key":"a","is_null":false})") == Rows{0, 2, 3, 6, 7, 8});
  CHECK(ask.on(R"({"is_empty":{"key":"a.b"}})") == Rows{0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(ask.on(R"({"key":"a","values_count":{"gte":2}})") == Rows{5, 8});
  CHECK(ask.on(R"({"key":"a","values_count":{"lt":1}})") == Rows{1, 2, 3});
}

TEST_CASE("key paths reach into objects and arrays", "[payload][filter]") {
  const std::vector<std::string> payloads = {R"({"a":{"b":1}})",       R"({"a":[{"b":1},{"b":2}]})",
                                             R"({"a.b":1})",           R"({"a":[[1],[2]]})",
                                             R"({"a":{"b":{"c":1}}})", R"({"a":{"b":[1,2]}})"};
  const std::vector<DeclaredField> declared = {{"a[].b", FieldType::kInteger, ""},
                                               {"a[1].b", FieldType::kInteger, ""},
                                               {"a[]", FieldType::kInteger, ""},
                                               {"a.b", FieldType::kInteger, ""}};
  for (const bool declare : {false, true}) {
    CAPTURE(declare);
    Asker ask(payloads, declare ? declared : std::vector<DeclaredField>{});
    const auto match = [&](const std::string& key, int value) {
      return ask.on(R"({"key":")" + key + R"(","match":{"value":)" + std::to_string(value) + "}}");
    };
    CHECK(match("a.b", 1) == Rows{0, 5});
    CHECK(match("a[].b", 2) == Rows{1});
    CHECK((ask.rows_decoded() == 0) == declare);
    CHECK(match("a[1].b", 2) == Rows{1});
    CHECK(match("a[0].b", 2).empty());
    CHECK(match("\\\"a.b\\\"", 1) == Rows{2});
    CHECK(match("a[]", 2) == Rows{3});
    CHECK(match("a[1][]", 2) == Rows{3});
    CHECK(match("a.b.c", 1) == Rows{4});
    CHECK(match("a", 1).empty());
    CHECK(match("\\\"a\\\".\\\"b\\\"", 1) == Rows{0, 5});
    CHECK(ask.rows_decoded() == 0);  // the same column under another spelling
  }
}

TEST_CASE("must, should, must_not, min_should and nested filters", "[payload][filter]") {
  Asker ask({R"({"a":1,"b":1,"c":1})", R"({"a":1,"b":1})", R"({"a":1,"c":1})", R"({"b":1,"c":1})",
             R"({"a":1})", R"({})"});
  const std::string a = R"({"key":"a","match":{"value":1}})";
  const std::string b = R"({"key":"b","match":{"value":1}})";
  const std::string c = R"({"key":"c","match":{"value":1}})";

  CHECK(ask(R"({"must":)" + a + "}") == Rows{0, 1, 2, 4});
  CHECK(ask(R"({"must":[)" + a + "," + b + "]}") == Rows{0, 1});
  CHECK(ask(R"({"should":[)" + a + "," + b + "]}") == Rows{0, 1, 2, 3, 4});
  CHECK(ask(R"({"must_not":[)" + a + "," + b + "]}") == Rows{5});
  CHECK(ask(R"({"must":)" + a + R"(,"should":[],"must_not":)" + c + "}") == Rows{1, 4});
  CHECK(ask(R"({"min_should":{"conditions":[)" + a + "," + b + "," + c + R"(],"min_count":2}})") ==
        Rows{0, 1, 2, 3});
  CHECK(ask(R"({"min_should":{"conditions":[)" + a + R"(],"min_count":2}})").empty());
  CHECK(ask(R"({"min_should":{"conditions":[],"min_count":1}})").empty());
  CHECK(ask(R"({"should":[{"must":[)" + a + "," + c + R"(]},{"must_not":[)" + a + "," + b +
            "]}]}") == Rows{0, 2, 5});
  CHECK(ask(R"({"must":[{}],"must_not":[{"must":[]}]})").empty());
  CHECK(ask(R"({"must":[{}]})") == Rows{0, 1, 2, 3, 4, 5});
}

TEST_CASE("has_id and has_vector", "[payload][filter]") {
  Asker ask({"{}", "{}", "{}", "{}"});

  CHECK(ask.on(R"({"has_id":[12,10,99,"12345678-1234-1234-1234-123456789abc"]})") == Rows{0, 2});
  CHECK(ask.on(R"({"has_id":[]})").empty());
  CHECK(ask.on(R"({"has_vector":"image"})") == Rows{1, 3});
  CHECK(ask.on(R"({"has_vector":""})") == Rows{0, 1, 2, 3});
  CHECK(ask.on(R"({"has_vector":"none"})").empty());
  CHECK(ask(R"({"must":{"has_vector":"image"},"must_not":{"has_id":[13]}})") == Rows{1});
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("long strings are decided by their payloads, and only then", "[payload][filter]") {
  const std::string text(300, 'x');
  Asker ask({"{\"a\":\"" + text + "\"}", "{\"a\":\"" + text + "y\"}", R"({"a":"short"})"});

  CHECK(ask.on(R"({"key":"a","match":{"value":")" + text + "\"}}") == Rows{0});
  CHECK(ask.rows_decoded() == 3);
  CHECK(ask.on(R"({"key":"a","match":{"except":["short"]}})") == Rows{0, 1});
  CHECK(ask.rows_decoded() == 0);
}

TEST_CASE("payloads are decoded only for rows that columns leave open", "[payload][filter]") {
  std::vector<std::string> payloads;
  for (int i = 0; i < 100; ++i) {
    payloads.push_back("{\"i\":" + std::to_string(i) + ",\"l\":[{\"m\":" + std::to_string(i % 2) +
                       "}]}");
  }
  Asker ask(std::move(payloads));

  CHECK(ask(R"({"must":[{"key":"i","range":{"lt":10}},{"key":"l[].m","match":{"value":1}}]})") ==
        Rows{1, 3, 5, 7, 9});

  CHECK(ask.rows_decoded() == 10);
}
