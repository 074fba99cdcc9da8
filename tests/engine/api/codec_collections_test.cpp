// Bodies about collections, aliases and fields.
#include "engine/api/codec_collections.h"

#include <catch2/catch.hpp>

#include "engine/api/status_map.h"

using namespace vz;

namespace {
template <typename T>
std::string text(const Result<T>& result) {
  return result ? "accepted" : api::qdrant_text(result.error());
}
template <typename T>
int status(const Result<T>& result) {
  return result ? 200 : api::http_status(result.error().code, api::Envelope::kQdrant);
}
}  // namespace

TEST_CASE("create: one default vector with tuning and echoed settings", "[api][codec]") {
  const auto read = api::decode_create(R"({"vectors":{"size":4,"distance":"Dot","on_disk":true},
      "hnsw_config":{"m":8,"ef_construct":64,"on_disk":true},"optimizers_config":{"max_segment_size":5},
      "metadata":{"owner":"me"},"on_disk_payload":false,"quantization_config":null})");

  REQUIRE(read);
  REQUIRE(read->vectors.size() == 1);
  CHECK(read->vectors[0].name.empty());
  CHECK(read->vectors[0].size == 4);
  CHECK(read->vectors[0].distance == vector::Distance::kDot);
  CHECK(read->hnsw.m == 8);
  CHECK(read->hnsw.ef_construct == 64);
  CHECK(read->options.at("hnsw_config") == R"({"on_disk":true})");
  CHECK(read->options.at("vectors") == R"({"":{"on_disk":true}})");
  CHECK(read->options.at("metadata") == R"({"owner":"me"})");
  CHECK(read->options.at("on_disk_payload") == "false");
  CHECK_FALSE(read->options.contains("quantization_config"));
}

TEST_CASE("create: named, sparse and multi-vectors", "[api][codec]") {
  const auto read = api::decode_create(R"({"vectors":{
      "image":{"size":2,"distance":"Cosine","hnsw_config":{"m":4}},
      "size":{"size":3,"distance":"Euclid"},
      "rows":{"size":2,"distance":"Dot","multivector_config":{"comparator":"max_sim"}}},
      "sparse_vectors":{"words":{}}})");

  REQUIRE(read);
  CHECK(read->vectors.size() == 4);
  REQUIRE(read->column("image"));
  REQUIRE(read->vectors[*read->column("image")].hnsw);
  CHECK(read->vectors[*read->column("image")].hnsw->m == 4);
  REQUIRE(read->column("size"));
  CHECK(read->vectors[*read->column("size")].size == 3);
  CHECK(read->vectors[*read->column("rows")].kind == segment::VectorKind::kMulti);
  CHECK(read->vectors[*read->column("words")].kind == segment::VectorKind::kSparse);
  const auto none = api::decode_create("");
  REQUIRE(none);
  CHECK(none->vectors.empty());
}

TEST_CASE("create: bounds are 422, forms are 400", "[api][codec]") {
  const auto with_size = [](const std::string& size) {
    return api::decode_create(R"({"vectors":{"size":)" + size + R"(,"distance":"Dot"}})");
  };

  CHECK(text(with_size("0")) ==
        "Validation error in JSON body: [vectors.size: value 0 invalid, must be from 1 to 65536]");
  CHECK(text(with_size("65537")) ==
        "Validation error in JSON body: [vectors.size: value 65537 invalid, must be from 1 to "
        "65536]");
  CHECK(status(with_size("65537")) == 422);
  CHECK(with_size("65536"));
  CHECK(text(with_size("-1")) ==
        "Format error in JSON body: vectors.size: expected an unsigned integer");
  CHECK(text(with_size("\"4\"")) ==
        "Format error in JSON body: vectors.size: expected an unsigned integer");
  CHECK(text(api::decode_create(R"({"vectors":{"size":4,"distance":"Hamming"}})")) ==
        "Format error in JSON body: vectors.distance: expected Cosine, Dot, Euclid or Manhattan");
  CHECK(text(api::decode_create(R"({"vectors":{"a":{"size":4}}})")) ==
        "Format error in JSON body: vectors.a: missing field `distance`");
  CHECK(status(api::decode_create(R"({"hnsw_config":{"m":100000}})")) == 422);
  CHECK(status(api::decode_create(R"({"hnsw_config":7})")) == 400);
  CHECK(status(api::decode_create("[]")) == 400);
  CHECK(text(api::decode_create(R"({"vectors":)"))
            .starts_with("Format error in JSON body: at byte 12: "));
  const std::string deep = std::string(100'000, '[');
  CHECK(text(api::decode_create(R"({"metadata":)" + deep)).find("nested deeper than 64") !=
        std::string::npos);
}

TEST_CASE("create: what is not built is named", "[api][codec]") {
  CHECK(text(api::decode_create(R"({"init_from":{"collection":"x"}})")) ==
        "Wrong input: `init_from` is not supported yet");
  CHECK(text(api::decode_create(R"({"vectors":{"size":4,"distance":"Dot","datatype":"uint8"}})")) ==
        "Wrong input: `vectors.datatype` uint8 is not supported yet");
  CHECK(text(api::decode_create(R"({"sharding_method":"custom"})")) ==
        "Wrong input: `sharding_method` is not supported yet");
}

TEST_CASE("update: merges settings, params included", "[api][codec]") {
  const auto read = api::decode_update(R"({"hnsw_config":{"m":32},
      "params":{"replication_factor":2},"metadata":{"a":null,"b":1}})");

  REQUIRE(read);
  CHECK(read->m == 32u);
  CHECK_FALSE(read->ef_construct);
  CHECK(read->options.at("replication_factor") == "2");
  CHECK(read->options.at("metadata") == R"({"a":null,"b":1})");
  CHECK(status(api::decode_update(R"({"hnsw_config":{"m":1}})")) == 422);
}

TEST_CASE("on_disk: true or false wherever it may stand", "[api][codec]") {
  const auto create = [](const std::string& vectors, const std::string& rest) {
    return text(api::decode_create(R"({"vectors":{)" + vectors + "}" + rest + "}"));
  };
  const std::string plain = R"("size":4,"distance":"Dot")";

  CHECK(create(plain + R"(,"on_disk":1)", "") ==
        "Format error in JSON body: vectors.on_disk: expected true or false");
  CHECK(create(plain, R"(,"hnsw_config":{"on_disk":"yes"})") ==
        "Format error in JSON body: hnsw_config.on_disk: expected true or false");
  CHECK(create(R"("a":{)" + plain + R"(,"hnsw_config":{"on_disk":1}})", "") ==
        "Format error in JSON body: vectors.a.hnsw_config.on_disk: expected true or false");
  const auto graph_only = api::decode_create(
      R"({"vectors":{"size":4,"distance":"Dot","hnsw_config":{"on_disk":true}},"hnsw_config":{"m":8}})");
  REQUIRE(graph_only);
  CHECK_FALSE(graph_only->vectors[0].hnsw);  // The collection's m stays in force.
  CHECK(graph_only->options.at("vectors") == R"({"":{"hnsw_config":{"on_disk":true}}})");
}

TEST_CASE("update: of vectors, where they are kept and nothing else", "[api][codec]") {
  const auto vectors = [](const std::string& body) {
    const auto read = api::decode_update(R"({"vectors":)" + body + "}");
    return read ? read->options.at("vectors") : text(read);
  };

  CHECK(vectors(R"({"on_disk":true})") == R"({"":{"on_disk":true}})");
  CHECK(vectors(R"({"":{"on_disk":false}})") == R"({"":{"on_disk":false}})");
  CHECK(vectors(R"({"a":{"on_disk":true},"on_disk":{"hnsw_config":{"on_disk":false}}})") ==
        R"({"a":{"on_disk":true},"on_disk":{"hnsw_config":{"on_disk":false}}})");
  CHECK(vectors(R"({"a":{"on_disk":7}})") ==
        "Format error in JSON body: vectors.a.on_disk: expected true or false");
  CHECK(vectors(R"({"size":4,"distance":"Dot","on_disk":true})") ==
        "Wrong input: `vectors.distance` is not supported yet");
  CHECK(vectors(R"({"a":{"hnsw_config":{"m":8}}})") ==
        "Wrong input: `vectors.a.hnsw_config.m` is not supported yet");
  CHECK(vectors(R"({"a":7})") == "Format error in JSON body: vectors.a: expected an object");
}

TEST_CASE("aliases: every action, and clear refusals", "[api][codec]") {
  const auto read = api::decode_alias_actions(R"({"actions":[
      {"create_alias":{"collection_name":"a","alias_name":"x"}},
      {"rename_alias":{"old_alias_name":"x","new_alias_name":"y"}},
      {"delete_alias":{"alias_name":"y"}}]})");

  REQUIRE(read);
  REQUIRE(read->actions.size() == 3);
  CHECK(std::get<log::CreateAlias>(read->actions[0]).collection == "a");
  CHECK(std::get<log::RenameAlias>(read->actions[1]).to == "y");
  CHECK(std::get<log::DeleteAlias>(read->actions[2]).alias == "y");
  CHECK(text(api::decode_alias_actions("{}")) ==
        "Format error in JSON body: missing field `actions`");
  CHECK(text(api::decode_alias_actions(R"({"actions":[{"create_alias":{"alias_name":"x"}}]})")) ==
        "Format error in JSON body: actions[0].create_alias: missing field `collection_name`");
  CHECK(status(api::decode_alias_actions(R"({"actions":[{"burn_alias":{}}]})")) == 400);
  CHECK(status(api::decode_alias_actions(
            R"({"actions":[{"create_alias":{"collection_name":"a","alias_name":"a/b"}}]})")) ==
        400);
}

TEST_CASE("fields: both forms of a schema", "[api][codec]") {
  const auto plain = api::decode_field(R"({"field_name":"a.b","field_schema":"keyword"})");
  const auto full = api::decode_field(
      R"({"field_name":"n","field_schema":{"type":"integer","range":true,"lookup":false}})");

  REQUIRE(plain);
  CHECK(plain->path == "a.b");
  CHECK(plain->type == payload::FieldType::kKeyword);
  CHECK(plain->parameters_json.empty());
  REQUIRE(full);
  CHECK(full->type == payload::FieldType::kInteger);
  CHECK(full->parameters_json == R"({"lookup":false,"range":true,"type":"integer"})");
  CHECK(status(api::decode_field(R"({"field_name":"a","field_schema":"blob"})")) == 400);
  CHECK(text(api::decode_field(R"({"field_name":"a"})")) ==
        "Format error in JSON body: missing field `field_schema`");
}

TEST_CASE("native config: ef_search only, anything else is named", "[api][codec]") {
  const auto read = api::decode_config(R"({"hnsw":{"ef_search":50}})");

  REQUIRE(read);
  CHECK(read->ef_search == 50u);
  const auto message = [](const std::string& body) {
    const auto config = api::decode_config(body);
    return config ? "accepted" : config.error().message;
  };
  CHECK(message(R"({"hnws":{}})") == "unknown field 'hnws'");
  CHECK(message(R"({"hnsw":{"efsearch":1}})") == "unknown field 'hnsw.efsearch'");
  CHECK(message(R"({"hnsw":{"ef_search":0}})") ==
        "hnsw.ef_search: value 0 invalid, must be from 1 to 4096");
  CHECK(message(R"({"hnsw":{"ef_search":"50"}})") ==
        "hnsw.ef_search: expected an unsigned integer");
}

TEST_CASE("create: a body is JSON from its first byte to its last", "[api][codec]") {
  const std::string good = R"({"vectors":{"size":4,"distance":"Dot"}})";
  REQUIRE(api::decode_create(good));
  REQUIRE(api::decode_create(" \n" + good + "\t "));
  for (const std::string& bad :
       {good + std::string(1, '\0'), good + std::string("\0x", 2), std::string(1, '\0') + good,
        "\xEF\xBB\xBF" + good, good + "x", good + good, good + ",", "\xFF" + good}) {
    CAPTURE(bad);
    CHECK(status(api::decode_create(bad)) == 400);
  }
}
