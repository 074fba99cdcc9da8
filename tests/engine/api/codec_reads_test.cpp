// Bodies of reads: accepted forms, defaults, bounds, and refusals with code and text.
#include "engine/api/codec_reads.h"

#include <catch2/catch.hpp>

#include "engine/api/status_map.h"

using namespace vz;
using collection::SearchRequest;
using Payload = payload::Selection::Mode;
using Vectors = collection::VectorSelection::Mode;

namespace {

struct Seen {
  int status = 200;
  std::string text;
};
template <typename T>
Seen seen(const Result<T>& result) {
  if (result) return {};
  return {api::http_status(result.error().code, api::Envelope::kQdrant),
          api::qdrant_text(result.error())};
}
Seen refused_search(std::string body) {
  return seen(api::decode_search(body));
}
Seen refused_query(std::string body) {
  return seen(api::decode_query(body));
}

}  // namespace

TEST_CASE("search: every field of the older form is read", "[api][codec]") {
  std::string body = R"({"vector":{"name":"text","vector":[1,2.5]},"limit":7,"offset":3,
      "filter":{"must":[{"key":"k","match":{"value":1}}]},"score_threshold":0.5,
      "params":{"hnsw_ef":64,"exact":true,"indexed_only":false,"quantization":{"rescore":true}},
      "with_payload":["a","b.c"],"with_vector":["text"],"shard_key":null})";

  const auto read = api::decode_search(body);

  REQUIRE(read);
  CHECK(std::get<std::vector<float>>(read->query) == std::vector<float>{1, 2.5f});
  CHECK(read->using_vector == "text");
  CHECK(read->limit == 7);
  CHECK(read->offset == 3);
  CHECK_FALSE(read->filter.empty());
  CHECK(read->score_threshold == 0.5f);
  CHECK(read->ef == 64u);
  CHECK(read->exact);
  CHECK(read->selection.payload.mode == Payload::kInclude);
  CHECK(read->selection.payload.keys == std::vector<std::string>{"a", "b.c"});
  CHECK(read->selection.vectors.mode == Vectors::kNamed);
}

TEST_CASE("search: defaults leave payload and vectors out", "[api][codec]") {
  std::string body =
      R"({"vector":[1],"limit":1,"with_payload":null,"with_vector":null,"filter":{}})";

  const auto read = api::decode_search(body);

  REQUIRE(read);
  CHECK(read->selection.payload.mode == Payload::kNone);
  CHECK(read->selection.vectors.mode == Vectors::kNone);
  CHECK(read->filter.empty());
  CHECK_FALSE(read->ef);
  CHECK_FALSE(read->exact);
}

TEST_CASE("search: bounds are 422 with the rule", "[api][codec]") {
  CHECK(refused_search(R"({"vector":[1],"limit":0})").text ==
        "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]");
  CHECK(refused_search(R"({"vector":[1],"limit":0})").status == 422);
  CHECK(refused_search(R"({"vector":[1],"limit":10001})").text ==
        "Validation error in JSON body: [limit: value 10001 invalid, must be from 1 to 10000]");
  CHECK(refused_search(R"({"vector":[1],"limit":1,"offset":100001})").status == 422);
  CHECK(refused_search(R"({"vector":[1],"limit":1,"params":{"hnsw_ef":4097}})").text ==
        "Validation error in JSON body: [params.hnsw_ef: value 4097 invalid, must be from 1 to "
        "4096]");
}

TEST_CASE("search: wrong types and missing fields are 400 with their path", "[api][codec]") {
  CHECK(refused_search(R"({"vector":[1]})").text ==
        "Format error in JSON body: missing field `limit`");
  CHECK(refused_search(R"({"limit":1})").text ==
        "Format error in JSON body: missing field `vector`");
  CHECK(refused_search(R"({"vector":[1],"limit":-1})").text ==
        "Format error in JSON body: limit: expected an unsigned integer");
  CHECK(refused_search(R"({"vector":[1],"limit":1.5})").status == 400);
  CHECK(refused_search(R"({"vector":"a","limit":1})").text ==
        "Format error in JSON body: vector: expected an array of numbers");
  CHECK(refused_search(R"({"vector":[1,"a"],"limit":1})").text ==
        "Format error in JSON body: vector[1]: expected a number");
  CHECK(refused_search(R"({"vector":[1e39],"limit":1})").text ==
        "Format error in JSON body: vector[0]: expected a finite 32-bit number");
  CHECK(refused_search(R"({"vector":[1],"limit":1,"with_payload":7})").status == 400);
  CHECK(refused_search(R"({"vector":[1],"limit":1,"filter":[]})").text ==
        "Format error in JSON body: filter: expected an object");
  CHECK(refused_search(R"({"vector":[1],"limit":1,"filter":{"mist":[]}})").text.find("mist") !=
        std::string::npos);
  CHECK(refused_search(R"({"vector":[1],"limit":1)")
            .text.starts_with("Format error in JSON body: at byte 24: "));
}

TEST_CASE("search: what is not built is named, never answered wrongly", "[api][codec]") {
  const auto text = [](const std::string& body) { return refused_search(body).text; };

  CHECK(text(R"({"vector":{"name":"s","vector":{"indices":[1],"values":[1]}},"limit":1})") ==
        "Wrong input: searching a sparse vector is not supported yet");
  CHECK(text(R"({"vector":[[1,2]],"limit":1})") ==
        "Wrong input: searching a multi-vector is not supported yet");
  CHECK(text(R"({"vector":[1],"limit":1,"shard_key":"a"})") ==
        "Wrong input: `shard_key` is not supported yet");
  CHECK(text(R"({"vector":[1],"limit":1,"params":{"indexed_only":true}})") ==
        "Wrong input: `params.indexed_only` is not supported yet");
}

TEST_CASE("query: a vector, an id and nearest of both", "[api][codec]") {
  const auto request = [](std::string body) {
    auto read = api::decode_query(body);
    REQUIRE(read);
    return std::get<SearchRequest>(*std::move(read));
  };

  CHECK(std::get<std::vector<float>>(request(R"({"query":[1,2]})").query) ==
        std::vector<float>{1, 2});
  CHECK(std::get<PointId>(request(R"({"query":7,"using":"text"})").query) == PointId::number(7));
  CHECK(request(R"({"query":7,"using":"text"})").using_vector == "text");
  CHECK(std::get<PointId>(
            request(R"({"query":{"nearest":"550e8400-e29b-41d4-a716-446655440000"}})").query)
            .to_string() == "550e8400-e29b-41d4-a716-446655440000");
  CHECK(request(R"({"query":{"nearest":[3]},"prefetch":[]})").limit == 10);
}

TEST_CASE("query: without a query it lists points", "[api][codec]") {
  std::string body = R"({"query":null,"limit":3,"offset":2,"with_payload":true})";

  const auto read = api::decode_query(body);

  REQUIRE(read);
  REQUIRE(std::holds_alternative<api::ListPoints>(*read));
  const auto& list = std::get<api::ListPoints>(*read);
  CHECK(list.limit == 3);
  CHECK(list.offset == 2);
  CHECK(list.selection.payload.mode == Payload::kAll);
}

TEST_CASE("query: documented forms that are not built are named", "[api][codec]") {
  for (const std::string form :
       {"recommend", "discover", "context", "order_by", "fusion", "rrf", "formula", "sample"}) {
    CAPTURE(form);
    const Seen answer = refused_query(R"({"query":{")" + form + R"(":{}}})");
    CHECK(answer.status == 400);
    CHECK(answer.text == "Wrong input: `query." + form + "` is not supported yet");
  }
  CHECK(refused_query(R"({"query":{"nearest":[1],"mmr":{"diversity":0.5}}})").text ==
        "Wrong input: `query.mmr` is not supported yet");
  CHECK(refused_query(R"({"prefetch":[{"query":[1]}],"query":[1]})").text ==
        "Wrong input: `prefetch` is not supported yet");
  CHECK(refused_query(R"({"query":[1],"lookup_from":{"collection":"x"}})").text ==
        "Wrong input: `lookup_from` is not supported yet");
  CHECK(refused_query(R"({"query":{"neerest":[1]}})").status == 400);
  CHECK(refused_query(R"({"query":{}})").status == 400);
  CHECK(refused_query(R"({"query":true})").status == 400);
}

TEST_CASE("batches: each search is read, and an error names which", "[api][codec]") {
  std::string good = R"({"searches":[{"vector":[1],"limit":1},{"vector":[2],"limit":2}]})";
  std::string bad = R"({"searches":[{"vector":[1],"limit":1},{"vector":[2],"limit":0}]})";
  std::string many = R"({"searches":[)";
  for (int i = 0; i <= 1000; ++i) many += std::string(i == 0 ? "" : ",") + R"({"query":[1]})";
  many += "]}";

  const auto read = api::decode_search_batch(good);

  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[1].limit == 2);
  CHECK(seen(api::decode_search_batch(bad)).text ==
        "Validation error in JSON body: [searches[1].limit: value 0 invalid, must be 1 or larger]");
  CHECK(seen(api::decode_query_batch(many)).status == 422);
}

TEST_CASE("scroll, get and count: defaults and bounds", "[api][codec]") {
  std::string empty;
  const auto scroll = api::decode_scroll(empty);
  std::string page = R"({"offset":18446744073709551615,"limit":100,"with_vector":true})";
  const auto paged = api::decode_scroll(page);
  std::string ids = R"({"ids":[1,"550e8400-e29b-41d4-a716-446655440000"],"with_payload":false})";
  const auto get = api::decode_get(ids);
  std::string count = R"({"exact":false})";

  REQUIRE(scroll);
  CHECK(scroll->limit == 10);
  CHECK(scroll->selection.payload.mode == Payload::kAll);
  CHECK(scroll->selection.vectors.mode == Vectors::kNone);
  REQUIRE(paged);
  CHECK(paged->offset == PointId::number(~std::uint64_t{0}));
  CHECK(paged->selection.vectors.mode == Vectors::kAll);
  REQUIRE(get);
  CHECK(get->ids.size() == 2);
  CHECK(get->selection.payload.mode == Payload::kNone);
  CHECK(api::decode_count(count));
  std::string zero = R"({"limit":0})";
  std::string ordered = R"({"order_by":"a"})";
  CHECK(seen(api::decode_scroll(zero)).status == 422);
  CHECK(seen(api::decode_scroll(ordered)).text == "Wrong input: `order_by` is not supported yet");
}

TEST_CASE("path ids: numbers and UUIDs, nothing else", "[api][codec]") {
  CHECK(api::parse_path_id("18446744073709551615") == PointId::number(~std::uint64_t{0}));
  CHECK(api::parse_path_id("550e8400e29b41d4a716446655440000"));
  for (const std::string bad : {"", "-1", "+1", "1x", "18446744073709551616", " 1", "abc"}) {
    CAPTURE(bad);
    const auto id = api::parse_path_id(bad);
    REQUIRE(!id);
    CHECK(id.error().code == ErrorCode::kInvalidArgument);
    CHECK(id.error().message ==
          "value " + bad +
              " is not a valid point ID, valid values are either an unsigned integer or a UUID");
  }
}
