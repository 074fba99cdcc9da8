// Bodies of point writes: what is accepted becomes exactly these operations, and every bad input of
// the list is refused with its code and its text.
#include "engine/api/codec_writes.h"

#include <cmath>

#include <catch2/catch.hpp>

#include "engine/api/status_map.h"
#include "engine/limits.h"

using namespace vz;
using api::PointWriteKind;
using collection::CollectionDefinition;

namespace {

CollectionDefinition single(vector::Distance distance = vector::Distance::kDot) {
  CollectionDefinition definition;
  definition.vectors.push_back({.name = "",
                                .kind = segment::VectorKind::kDense,
                                .size = 4,
                                .distance = distance,
                                .hnsw = {}});
  return definition;
}

CollectionDefinition named() {
  CollectionDefinition definition;
  definition.vectors = {{"image", segment::VectorKind::kDense, 2, vector::Distance::kDot, {}},
                        {"text", segment::VectorKind::kDense, 3, vector::Distance::kDot, {}},
                        {"words", segment::VectorKind::kSparse, 0, vector::Distance::kDot, {}},
                        {"rows", segment::VectorKind::kMulti, 2, vector::Distance::kDot, {}}};
  return definition;
}

Result<log::UpsertPoints> upsert(std::string body,
                                 const CollectionDefinition& definition = single()) {
  auto decoded = api::decode_write(PointWriteKind::kUpsert, body, definition);
  if (!decoded) return tl::unexpected<Error>(decoded.error());
  return std::get<log::UpsertPoints>(*std::move(decoded));
}

/// Status and text as a client would see them.
struct Seen {
  int status = 200;
  std::string text;
};
Seen refused(PointWriteKind kind, std::string body,
             const CollectionDefinition& definition = single()) {
  const auto decoded = api::decode_write(kind, body, definition);
  if (decoded) return {};
  return {api::http_status(decoded.error().code, api::Envelope::kQdrant),
          api::qdrant_text(decoded.error())};
}
Seen refused_upsert(const std::string& body, const CollectionDefinition& definition = single()) {
  return refused(PointWriteKind::kUpsert, body, definition);
}
std::string with_vector(const std::string& vector) {
  return R"({"points":[{"id":1,"vector":)" + vector + "}]}";
}

}  // namespace

TEST_CASE("upsert: ids, vectors and payloads are read exactly", "[api][codec]") {
  const auto read = upsert(R"({"points":[
      {"id":18446744073709551615,"vector":[1,-2.5,3e-2,0.1],"payload":{ "n" : 12345678901234567890123 }},
      {"payload":null,"vector":[0,0,0,1],"id":"550E8400E29B41D4A716446655440000"}],
      "update_mode":"insert_only","shard_key":null,"new_option":{"x":[1,{"y":null}]}})");

  REQUIRE(read);
  CHECK(read->mode == log::UpsertMode::kInsertOnly);
  REQUIRE(read->points.size() == 2);
  CHECK(read->points[0].id == PointId::number(~std::uint64_t{0}));
  REQUIRE(read->points[0].vectors.size() == 1);
  CHECK(read->points[0].vectors[0].values == std::vector<float>{1, -2.5f, 3e-2f, 0.1f});
  CHECK(read->points[0].payload == R"({"n":12345678901234567890123})");
  CHECK(read->points[1].id.to_string() == "550e8400-e29b-41d4-a716-446655440000");
  CHECK(read->points[1].payload == "{}");
}

TEST_CASE("upsert: Cosine vectors are normalised at the edge, others are not", "[api][codec]") {
  const auto cosine = upsert(with_vector("[3,0,4,0]"), single(vector::Distance::kCosine));
  const auto dot = upsert(with_vector("[3,0,4,0]"));

  REQUIRE(cosine);
  REQUIRE(dot);
  CHECK(cosine->points[0].vectors[0].values == std::vector<float>{0.6f, 0, 0.8f, 0});
  CHECK(dot->points[0].vectors[0].values == std::vector<float>{3, 0, 4, 0});
}

TEST_CASE("upsert: named vectors come in the order of the columns", "[api][codec]") {
  const auto read = upsert(
      with_vector(
          R"({"rows":[[1,2],[3,4]],"words":{"indices":[9,2],"values":[0.9,0.2]},"image":[5,6]})"),
      named());

  REQUIRE(read);
  const auto& vectors = read->points[0].vectors;
  REQUIRE(vectors.size() == 3);
  CHECK(vectors[0].column == 0);
  CHECK(vectors[0].values == std::vector<float>{5, 6});
  CHECK(vectors[1].column == 2);
  CHECK(vectors[1].indices == std::vector<std::uint32_t>{2, 9});
  CHECK(vectors[1].values == std::vector<float>{0.2f, 0.9f});
  CHECK(vectors[2].column == 3);
  CHECK(vectors[2].values == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("upsert: the batch form gives the same points as the list form", "[api][codec]") {
  const auto batch = upsert(
      R"({"batch":{"payloads":[{"a":1},null],"vectors":[[1,2,3,4],[5,6,7,8]],"ids":[7,8]}})");
  const auto batch_named = upsert(
      R"({"batch":{"ids":[7,8],"vectors":{"text":[[1,2,3],[4,5,6]],"image":[[1,2],[3,4]]}}})",
      named());

  REQUIRE(batch);
  REQUIRE(batch->points.size() == 2);
  CHECK(batch->points[0].id == PointId::number(7));
  CHECK(batch->points[0].payload == R"({"a":1})");
  CHECK(batch->points[1].payload == "{}");
  CHECK(batch->points[1].vectors[0].values == std::vector<float>{5, 6, 7, 8});
  REQUIRE(batch_named);
  REQUIRE(batch_named->points[1].vectors.size() == 2);
  CHECK(batch_named->points[1].vectors[0].column == 0);
  CHECK(batch_named->points[1].vectors[0].values == std::vector<float>{3, 4});
  CHECK(batch_named->points[1].vectors[1].values == std::vector<float>{4, 5, 6});
}

TEST_CASE("upsert: uneven batches are refused with both numbers", "[api][codec]") {
  CHECK(refused_upsert(R"({"batch":{"ids":[1,2],"vectors":[[1,2,3,4]]}})").text ==
        "Wrong input: batch has 2 ids and 1 vectors");
  CHECK(refused_upsert(R"({"batch":{"ids":[1],"vectors":[[1,2,3,4]],"payloads":[]}})").text ==
        "Wrong input: batch has 1 ids and 0 payloads");
  CHECK(refused_upsert(R"({"batch":{"vectors":[[1,2,3,4]]}})").text ==
        "Format error in JSON body: batch: missing field `ids`");
}

TEST_CASE("upsert: a wrong dimension says what was expected and found", "[api][codec]") {
  for (const auto& [vector, found] : std::vector<std::pair<std::string, std::string>>{
           {"[1,2,3]", "3"}, {"[1,2,3,4,5]", "5"}, {"[]", "0"}}) {
    CAPTURE(vector);
    const Seen seen = refused_upsert(with_vector(vector));
    CHECK(seen.status == 400);
    CHECK(seen.text == "Wrong input: Vector dimension error: expected dim: 4, got " + found);
  }
  CHECK(refused_upsert(with_vector(R"({"rows":[[1,2],[3]]})"), named()).text ==
        "Wrong input: Vector dimension error: expected dim: 2, got 1");
}

TEST_CASE("upsert: values that no finite float32 can hold are refused", "[api][codec]") {
  const Seen infinite = refused_upsert(with_vector("[1,2,3,1e999]"));
  const Seen beyond_float = refused_upsert(with_vector("[1,2,-1e39,4]"));
  const Seen not_a_number = refused_upsert(with_vector("[NaN,2,3,4]"));

  CHECK(infinite.status == 400);
  CHECK(infinite.text == "Format error in JSON body: at byte 40: number overflow parsing '1e999'");
  CHECK(beyond_float.status == 400);
  CHECK(beyond_float.text ==
        "Format error in JSON body: points[0].vector[2]: expected a finite 32-bit number");
  CHECK(not_a_number.status == 400);
  CHECK(not_a_number.text.starts_with("Format error in JSON body: at byte "));
}

TEST_CASE("upsert: unknown, duplicate and missing vectors are refused", "[api][codec]") {
  CHECK(refused_upsert(with_vector(R"({"sound":[1,2]})"), named()).text ==
        "Wrong input: Not existing vector name error: sound");
  CHECK(refused_upsert(with_vector("[1,2,3,4]"), named()).text ==
        "Wrong input: Not existing vector name error: ");
  CHECK(refused_upsert(with_vector(R"({"image":[1,2],"image":[3,4]})"), named()).text ==
        "Format error in JSON body: points[0].vector.image: vector name given twice");
  CHECK(refused_upsert(R"({"points":[{"id":1}]})").text ==
        "Format error in JSON body: points[0]: missing field `vector`");
  CHECK(refused_upsert(R"({"points":[{"id":1,"vector":null}]})").text ==
        "Format error in JSON body: points[0]: missing field `vector`");
  CHECK(refused_upsert(R"({"points":[{"vector":[1,2,3,4]}]})").text ==
        "Format error in JSON body: points[0]: missing field `id`");
  CHECK(refused_upsert("").text == "Format error in JSON body: missing field `points`");
}

TEST_CASE("upsert: a sparse vector must be one", "[api][codec]") {
  const Seen twice =
      refused_upsert(with_vector(R"({"words":{"indices":[3,3],"values":[1,2]}})"), named());
  const Seen uneven =
      refused_upsert(with_vector(R"({"words":{"indices":[3,4],"values":[1]}})"), named());

  CHECK(twice.status == 422);
  CHECK(twice.text ==
        "Validation error in JSON body: [points[0].vector.words.indices: value 3 invalid, must be "
        "unique]");
  CHECK(uneven.status == 422);
  CHECK(refused_upsert(with_vector(R"({"words":[1,2]})"), named()).status == 400);
  CHECK(refused_upsert(with_vector(R"({"words":{"indices":[4294967296],"values":[1]}})"), named())
            .text ==
        "Format error in JSON body: points[0].vector.words.indices[0]: expected an "
        "index below 2^32");
}

TEST_CASE("upsert: ids that are neither unsigned nor UUIDs are refused", "[api][codec]") {
  for (const std::string id : {"-1", "1.5", "18446744073709551616", "\"abc\"", "true", "{}"}) {
    CAPTURE(id);
    const Seen seen = refused_upsert(R"({"points":[{"id":)" + id + R"(,"vector":[1,2,3,4]}]})");
    CHECK(seen.status == 400);
    CHECK(seen.text.starts_with("Format error in JSON body: points[0].id: value "));
    CHECK(
        seen.text.ends_with(" is not a valid point ID, valid values are either an unsigned "
                            "integer or a UUID"));
  }
}

TEST_CASE("bodies: malformed JSON is refused with the byte, from 1, where it breaks",
          "[api][codec]") {
  struct Bad {
    std::string body;
    std::string byte;
  };
  for (const Bad& bad : std::vector<Bad>{{R"({"points":[)", "12"},
                                         {R"({"points":[{"id":1,"vector":[1,2,3,}]})", "36"},
                                         {R"({"points":[]} x)", "15"},
                                         {R"({"points" [])", "11"},
                                         {"{\"points\":[],\"\x01\":1}", "15"}}) {
    CAPTURE(bad.body);
    const Seen seen = refused_upsert(bad.body);
    CHECK(seen.status == 400);
    CHECK(seen.text.starts_with("Format error in JSON body: at byte " + bad.byte + ": "));
  }
}

TEST_CASE("bodies: bytes that are not UTF-8 are refused", "[api][codec]") {
  const Seen key = refused_upsert("{\"points\":[],\"\xFF\":1}");
  const Seen payload = refused_upsert(
      "{\"points\":[{\"id\":1,\"vector\":[1,2,3,4],\"payload\":{\"a\":\"\xC0\x80\"}}]}");

  CHECK(key.status == 400);
  CHECK(payload.status == 400);
}

TEST_CASE("bodies: wrong types are refused with their path", "[api][codec]") {
  CHECK(refused_upsert("[1]").text == "Format error in JSON body: expected an object");
  CHECK(refused_upsert("7").text == "Format error in JSON body: expected an object");
  CHECK(refused_upsert(R"({"points":7})").text ==
        "Format error in JSON body: points: expected an array");
  CHECK(refused_upsert(R"({"points":[7]})").text ==
        "Format error in JSON body: points[0]: expected an object");
  CHECK(refused_upsert(with_vector(R"(["1",2,3,4])")).text ==
        "Format error in JSON body: points[0].vector[0]: expected a number");
  CHECK(refused_upsert(R"({"points":[{"id":1,"vector":[1,2,3,4],"payload":[1]}]})").text ==
        "Format error in JSON body: points[0].payload: expected an object");
  CHECK(refused_upsert(R"({"points":[],"update_mode":"sometimes"})").text ==
        "Format error in JSON body: update_mode: expected upsert, insert_only or update_only");
}

TEST_CASE("bodies: deep nesting is refused wherever it stands", "[api][codec]") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& body :
       {R"({"points":[],"unknown":)" + deep + "}",
        R"({"points":[{"id":1,"vector":[1,2,3,4],"payload":{"a":)" + deep + "}}]}",
        R"({"points":)" + deep + "}", deep, with_vector(deep)}) {
    CAPTURE(body.substr(0, 60));
    const Seen seen = refused_upsert(body);
    CHECK((seen.status == 400 || seen.status == 422));
    CHECK(!seen.text.empty());
  }
}

TEST_CASE("bodies: forms that are not built are named", "[api][codec]") {
  const Seen shard = refused_upsert(R"({"points":[],"shard_key":"a"})");

  CHECK(shard.status == 400);
  CHECK(shard.text == "Wrong input: `shard_key` is not supported yet");
  CHECK(refused_upsert(R"({"points":[],"update_filter":{}})").text ==
        "Wrong input: `update_filter` is not supported yet");
  CHECK(refused_upsert(with_vector(R"({"image":{"text":"cat","model":"m"}})"), named()).text ==
        "Wrong input: a sparse vector or an inference object for the dense vector 'image' is not "
        "supported yet");
}

TEST_CASE("selected writes: each reads its own fields", "[api][codec]") {
  std::string body = R"({"points":[3,1],"payload":{"a":{"b":1}},"key":"x.y"})";
  const auto set = api::decode_write(PointWriteKind::kSetPayload, body, single());
  body = R"({"filter":{"must":[{"key":"k","match":{"value":1}}]},"keys":["a","b.c"]})";
  const auto keys = api::decode_write(PointWriteKind::kDeletePayload, body, single());
  body = R"({"points":[1],"vector":["words","image","words"]})";
  const auto vectors = api::decode_write(PointWriteKind::kDeleteVectors, body, named());

  REQUIRE(set);
  const auto& set_payload = std::get<log::SetPayload>(*set);
  CHECK(std::get<std::vector<PointId>>(set_payload.points) ==
        std::vector{PointId::number(3), PointId::number(1)});
  CHECK(set_payload.payload == R"({"a":{"b":1}})");
  CHECK(set_payload.key == "x.y");
  REQUIRE(keys);
  CHECK(std::holds_alternative<payload::Filter>(std::get<log::DeletePayload>(*keys).points));
  CHECK(std::get<log::DeletePayload>(*keys).keys == std::vector<std::string>{"a", "b.c"});
  REQUIRE(vectors);
  CHECK(std::get<log::DeleteVectors>(*vectors).columns == std::vector<std::size_t>{0, 2});
}

TEST_CASE("selected writes: no selector is never taken for all points", "[api][codec]") {
  for (const std::string body :
       {"", "{}", R"({"points":null,"filter":null})", R"({"fliter":{}})"}) {
    CAPTURE(body);
    CHECK(refused(PointWriteKind::kDelete, body).text ==
          "Format error in JSON body: expected `points`, a list of ids, or `filter`");
    CHECK(refused(PointWriteKind::kClearPayload, body).status == 400);
  }
  CHECK(refused(PointWriteKind::kDelete, R"({"points":[1],"filter":{}})").status == 400);
  CHECK(refused(PointWriteKind::kSetPayload, R"({"points":[1]})").text ==
        "Format error in JSON body: missing field `payload`");
  CHECK(refused(PointWriteKind::kDeletePayload, R"({"points":[1]})").text ==
        "Format error in JSON body: missing field `keys`");
}

TEST_CASE("selected writes: an unknown condition is refused and named", "[api][codec]") {
  const Seen seen = refused(PointWriteKind::kDelete,
                            R"({"filter":{"must":[{"key":"a","matches":{"value":1}}]}})");

  CHECK(seen.status == 400);
  CHECK(seen.text.starts_with("Format error in JSON body: filter: "));
  CHECK(seen.text.find("matches") != std::string::npos);
}

TEST_CASE("batch of operations: all kinds in their order, unknown ones refused", "[api][codec]") {
  std::string body = R"({"operations":[
      {"upsert":{"points":[{"id":1,"vector":[1,2,3,4]}]}},
      {"delete":{"points":[2]}},
      {"set_payload":{"payload":{"a":1},"points":[1]}},
      {"overwrite_payload":{"payload":{"b":1},"points":[1]}},
      {"delete_payload":{"keys":["b"],"points":[1]}},
      {"clear_payload":{"points":[1]}},
      {"update_vectors":{"points":[{"id":1,"vector":[4,3,2,1]}]}},
      {"delete_vectors":{"points":[1],"vector":[""]}}]})";
  const auto read = api::decode_operations(body, single());
  std::string unknown = R"({"operations":[{"drop":{}}]})";
  const auto refusal = api::decode_operations(unknown, single());

  REQUIRE(read);
  REQUIRE(read->size() == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK((*read)[i].index() == i);
  REQUIRE(!refusal);
  CHECK(refusal.error().message ==
        "Format error in JSON body: operations[0].drop: unknown operation");
}

TEST_CASE("upsert: more points than one write may hold are refused", "[api][codec]") {
  std::string ids = "[";
  for (std::size_t i = 0; i <= limits::kPointsPerWriteMax; ++i)
    ids += (i == 0 ? "" : ",") + std::to_string(i);
  ids += "]";

  const Seen seen = refused(PointWriteKind::kDelete, R"({"points":)" + ids + "}");

  CHECK(seen.status == 422);
  CHECK(seen.text.find("100000") != std::string::npos);
}

TEST_CASE("writes: an object that another bracket closes is refused, and no empty one",
          "[api][codec]") {
  collection::CollectionDefinition definition;
  definition.vectors.resize(1);
  definition.vectors[0].size = 2;
  for (const std::string bad : {R"({"filter":{"must":x]})", R"({"filter":{]})",
                                R"({"filter":{"must":[]]})", R"({"payload":{],"points":[1]})"}) {
    CAPTURE(bad);
    for (const auto kind : {api::PointWriteKind::kDelete, api::PointWriteKind::kSetPayload}) {
      std::string body = bad;
      const auto read = api::decode_write(kind, body, definition);
      REQUIRE_FALSE(read);
      CHECK(read.error().code == ErrorCode::kInvalidArgument);
    }
  }
}
