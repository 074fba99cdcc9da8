// Bodies of requests: each decoder alone, and what simdjson reads beside what nlohmann reads.
#include <bit>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/body_error.h"
#include "engine/api/codec_collections.h"
#include "engine/api/codec_reads.h"
#include "engine/api/codec_writes.h"
#include "tests/fuzz/target.h"

namespace vz::fuzz {
namespace {

using nlohmann::json;

std::string text_of(ByteSpan bytes) {
  return std::string(as_text(bytes));
}

collection::CollectionDefinition sample_definition() {
  collection::CollectionDefinition definition;
  definition.vectors.resize(1);
  definition.vectors[0].size = 2;
  return definition;
}

constexpr int kWriteKinds = static_cast<int>(api::PointWriteKind::kDeleteVectors) + 1;

/// Each shape of request body, whichever the bytes are.
void run_reads(ByteSpan bytes) {
  const auto with = [&](auto decode) {
    std::string body = text_of(bytes);
    (void)decode(body);
  };
  with([](std::string& body) { return api::decode_search(body); });
  with([](std::string& body) { return api::decode_search_batch(body); });
  with([](std::string& body) { return api::decode_query(body); });
  with([](std::string& body) { return api::decode_query_batch(body); });
  with([](std::string& body) { return api::decode_scroll(body); });
  with([](std::string& body) { return api::decode_count(body); });
  with([](std::string& body) { return api::decode_get(body); });
}
std::vector<Bytes> seed_reads() {
  return {
      bytes_of(R"({"vector":[0.1,2,-3e5],"limit":3,"filter":{"must":[]},"with_payload":["a"]})"),
      bytes_of(R"({"searches":[{"vector":{"name":"v","vector":[1]},"limit":1,"offset":2}]})"),
      bytes_of(R"({"query":7,"limit":2,"params":{"hnsw_ef":64,"exact":true}})"),
      bytes_of(R"({"ids":[1,"0b5f0f6a-1111-4222-8333-444444444444"],"with_vector":true})"),
      bytes_of(R"({"offset":5,"limit":10,"filter":{"must_not":[{"has_id":[1]}]}})")};
}

void run_writes(ByteSpan bytes) {
  const auto definition = sample_definition();
  for (int kind = 0; kind < kWriteKinds; ++kind) {
    std::string body = text_of(bytes);
    (void)api::decode_write(static_cast<api::PointWriteKind>(kind), body, definition);
  }
  std::string body = text_of(bytes);
  (void)api::decode_operations(body, definition);
}
std::vector<Bytes> seed_writes() {
  return {
      bytes_of(R"({"points":[{"id":1,"vector":[1,2],"payload":{"a":[1,{"b":null}]}}]})"),
      bytes_of(R"({"batch":{"ids":[1,2],"vectors":[[1,2],[3,4]],"payloads":[{},{"x":1}]}})"),
      bytes_of(R"({"points":[1],"payload":{"a":1},"key":"b.c","keys":["a"],"filter":{}})"),
      bytes_of(R"({"operations":[{"delete":{"points":[1]}},{"clear_payload":{"points":[2]}}]})")};
}

/// Bodies about collections, and definitions as they stand in files.
void run_collections(ByteSpan bytes) {
  const std::string body = text_of(bytes);
  const auto comes_back = [](const collection::CollectionDefinition& definition) {
    require(collection::check(definition).has_value(),
            "a definition that is read keeps its bounds");
    const auto again = collection::definition_from_json(collection::to_json(definition));
    require(again && *again == definition, "a definition comes back");
  };
  const auto created = api::decode_create(body);
  if (created) comes_back(*created);
  if (const auto stored = collection::definition_from_json(body)) comes_back(*stored);
  (void)api::decode_update(body);
  (void)api::decode_config(body);
  (void)api::decode_alias_actions(body);
  (void)api::decode_field(body);
  (void)api::decode_nothing(body);
}
std::vector<Bytes> seed_collections() {
  collection::CollectionDefinition stored = sample_definition();
  stored.options = {{"wal_config", R"({"wal_capacity_mb":32})"}};
  return {bytes_of(R"({"vectors":{"size":4,"distance":"Cosine","on_disk":true},)"
                   R"("hnsw_config":{"m":16,"ef_construct":100},"metadata":{"a":1}})"),
          bytes_of(R"({"vectors":{"a":{"size":4,"distance":"Dot","hnsw_config":{"m":8}}},)"
                   R"("sparse_vectors":{"s":{}},"optimizers_config":{"indexing_threshold":10}})"),
          bytes_of(R"({"actions":[{"create_alias":{"collection_name":"c","alias_name":"a"}},)"
                   R"({"rename_alias":{"old_alias_name":"a","new_alias_name":"b"}},)"
                   R"({"delete_alias":{"alias_name":"b"}}]})"),
          bytes_of(R"({"field_name":"a.b","field_schema":{"type":"integer","range":true}})"),
          bytes_of(R"({"hnsw":{"ef_search":64}})"),
          bytes_of(collection::to_json(stored))};
}

/// `body` as the other reader reads it. Nothing if that refuses it.
struct OtherReading {
  json tree;
  bool plain = true;  ///< no object has a key twice, so that no order of reading matters
};
std::optional<OtherReading> read_otherwise(const std::string& body) {
  // What is no JSON to anybody else: a NUL, which that reader takes for the end, and a byte order
  // mark, which it skips.
  if (body.find('\0') != std::string::npos || body.starts_with("\xEF\xBB\xBF")) return std::nullopt;
  OtherReading read;
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key)
      read.plain &= keys.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  try {
    read.tree = json::parse(body, watch);
  } catch (const json::out_of_range&) {  // 1e999 is JSON, and a payload may hold it.
    read.plain = false;
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return read;
}

/// What a request says, as text. Of filters only whether there is one: they are read from their
/// source text.
struct Said {
  static std::string of(const PointId& id) { return id.to_string(); }
  static std::string of(const std::string& text) { return text; }
  /// Bit for bit, but for the sign of zero, which one reader keeps and the other does not.
  static std::string of(float value) {
    return std::to_string(std::bit_cast<std::uint32_t>(value == 0 ? 0.0f : value));
  }
  static std::string of(std::uint64_t value) { return std::to_string(value); }
  template <typename T>
  static std::string of(const std::vector<T>& values) {
    std::string out = "[";
    for (const T& value : values) out += of(value) + ",";
    return out + "]";
  }
  template <typename T>
  static std::string of(const std::optional<T>& value) {
    return value ? of(*value) : std::string("none");
  }
  static std::string of(const collection::PointSelection& one) {
    return of(one.payload.keys) + of(std::uint64_t(one.payload.mode)) + of(one.vectors.names) +
           of(std::uint64_t(one.vectors.mode));
  }
  static std::string of(const collection::SearchRequest& one) {
    return std::visit([](const auto& query) { return of(query); }, one.query) + one.using_vector +
           "|" + of(one.limit) + "|" + of(one.offset) + "|" + of(one.score_threshold) + "|" +
           of(one.ef ? std::optional<std::uint64_t>(*one.ef) : std::nullopt) +
           (one.exact ? "exact" : "") + (one.filter.empty() ? "" : "filter") + of(one.selection);
  }
  static std::string of(const api::ListPoints& one) {
    return of(one.offset) + "|" + of(one.limit) + (one.filter.empty() ? "" : "filter") +
           of(one.selection);
  }
  static std::string of(const api::QueryPoints& one) {
    return std::visit([](const auto& query) { return of(query); }, one);
  }
  static std::string of(const api::GetPoints& one) { return of(one.ids) + of(one.selection); }
  static std::string of(const collection::ScrollRequest& one) {
    return of(one.offset) + "|" + of(one.limit) + (one.filter.empty() ? "" : "filter") +
           of(one.selection);
  }
  static std::string of(const payload::Filter& one) { return one.empty() ? "all" : "filter"; }
  /// A payload by what it means: texts of numbers may differ.
  static std::string of_payload(const std::string& payload) { return json::parse(payload).dump(); }
  static std::string of(const log::PointVector& one) {
    return of(one.column) + of(one.values) +
           of(std::vector<std::uint64_t>(one.indices.begin(), one.indices.end()));
  }
  static std::string of(const log::PointData& one) {
    return of(one.id) + of(one.vectors) +
           (one.payload.empty() ? std::string() : of_payload(one.payload));
  }
  static std::string of(const log::PointSelector& one) {
    const auto* const ids = std::get_if<std::vector<PointId>>(&one);
    return ids != nullptr ? of(*ids) : "filter";
  }
  static std::string of(const log::UpsertPoints& one) {
    return of(one.points) + of(std::uint64_t(one.mode));
  }
  static std::string of(const log::DeletePoints& one) { return of(one.points); }
  static std::string of(const log::SetPayload& one) {
    return of(one.points) + of_payload(one.payload) + of(one.key);
  }
  static std::string of(const log::OverwritePayload& one) {
    return of(one.points) + of_payload(one.payload);
  }
  static std::string of(const log::DeletePayload& one) { return of(one.points) + of(one.keys); }
  static std::string of(const log::ClearPayload& one) { return of(one.points); }
  static std::string of(const log::UpdateVectors& one) { return of(one.points); }
  static std::string of(const log::DeleteVectors& one) {
    return of(one.points) + of(std::vector<std::uint64_t>(one.columns.begin(), one.columns.end()));
  }
  static std::string of(const log::PointOperation& one) {
    return of(std::uint64_t(one.index())) +
           std::visit([](const auto& operation) { return of(operation); }, one);
  }
};

/// A body that our decoders accept is JSON to the other reader, and means the same when that one
/// writes it; a body that the other reader refuses is refused.
template <typename Decode>
void compare(const std::string& body, const std::optional<OtherReading>& other, Decode decode) {
  std::string ours = body;
  const auto request = decode(ours);
  if (!request) return;
  require(other.has_value(), "what no reader of JSON accepts is refused");
  if (!other->plain) return;
  std::string rewritten = other->tree.dump();
  const auto again = decode(rewritten);
  require(again.has_value(), "a body written in other words is accepted as well");
  require(Said::of(*request) == Said::of(*again), "a body written in other words means the same");
}

void run_two_readers(ByteSpan bytes) {
  const std::string body = text_of(bytes);
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return;  // Stands for {}.
  const auto other = read_otherwise(body);
  compare(body, other, api::decode_search);
  compare(body, other, api::decode_search_batch);
  compare(body, other, api::decode_query);
  compare(body, other, api::decode_query_batch);
  compare(body, other, api::decode_scroll);
  compare(body, other, api::decode_count);
  compare(body, other, api::decode_get);
  const auto definition = sample_definition();
  for (int kind = 0; kind < kWriteKinds; ++kind) {
    compare(body, other, [&](std::string& text) {
      return api::decode_write(static_cast<api::PointWriteKind>(kind), text, definition);
    });
  }
  compare(body, other, [&](std::string& text) { return api::decode_operations(text, definition); });

  // The other way round: fields that nobody knows are read over, whatever JSON they are.
  if (!other || !other->tree.is_object() || !api::check_depth(body)) return;
  for (const char* const known : {"filter", "exact", "shard_key", "lookup_from", "order_by",
                                  "group_by", "with_lookup", "mmr"}) {
    if (other->tree.contains(known)) return;
  }
  std::string counted = body;
  require(api::decode_count(counted).has_value(), "what is JSON is read over");
}
std::vector<Bytes> seed_two_readers() {
  std::vector<Bytes> out = seed_reads();
  for (Bytes& one : seed_writes()) out.push_back(std::move(one));
  out.push_back(
      bytes_of(R"({"x":[-0.0,1e308,5e-324,"\ud83d\ude00\u0000",{"y":[[],{}]},true,null]})"));
  return out;
}

constexpr Target kTargets[] = {
    {"read_bodies", run_reads, seed_reads},
    {"write_bodies", run_writes, seed_writes},
    {"collection_bodies", run_collections, seed_collections},
    {"two_readers", run_two_readers, seed_two_readers},
};

}  // namespace

std::span<const Target> body_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
