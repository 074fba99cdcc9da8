#include "engine/api/collection_json.h"

#include <array>

#include <nlohmann/json.hpp>

#include "engine/api/json_text.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

using collection::CollectionDefinition;
using collection::CollectionStats;
using collection::VectorDefinition;
using nlohmann::ordered_json;

std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// The echoed setting `key`, or `otherwise`.
ordered_json option(const CollectionDefinition& definition, const std::string& key,
                    ordered_json otherwise) {
  const auto found = definition.options.find(key);
  if (found == definition.options.end()) return otherwise;
  ordered_json parsed = ordered_json::parse(found->second, nullptr, false);
  return parsed.is_discarded() ? otherwise : parsed;
}

/// `base` with the keys of `over` that are not null.
ordered_json overlaid(ordered_json base, const ordered_json& over) {
  if (!over.is_object()) return base;
  for (const auto& [key, value] : over.items())
    if (!value.is_null()) base[key] = value;
  return base;
}

ordered_json vector_json(const VectorDefinition& vector, const ordered_json& echoed) {
  ordered_json out = {{"size", vector.size}, {"distance", vector::distance_name(vector.distance)}};
  if (vector.hnsw)
    out["hnsw_config"] = {{"m", vector.hnsw->m}, {"ef_construct", vector.hnsw->ef_construct}};
  if (!echoed.is_object() || !echoed.contains(vector.name)) return out;
  ordered_json rest = echoed[vector.name];
  if (rest.is_object() && rest.contains("hnsw_config") && out.contains("hnsw_config")) {
    out["hnsw_config"] = overlaid(out["hnsw_config"], rest["hnsw_config"]);
    rest.erase("hnsw_config");
  }
  return overlaid(std::move(out), rest);
}

ordered_json params_json(const CollectionDefinition& definition) {
  const ordered_json echoed = option(definition, "vectors", ordered_json::object());
  ordered_json vectors = ordered_json::object();
  ordered_json params = ordered_json::object();
  bool has_sparse = false;
  for (const VectorDefinition& vector : definition.vectors) {
    has_sparse = has_sparse || vector.kind == segment::VectorKind::kSparse;
    if (vector.kind == segment::VectorKind::kSparse) continue;
    if (vector.name.empty()) {
      vectors = vector_json(vector, echoed);
    } else {
      vectors[vector.name] = vector_json(vector, echoed);
    }
  }
  params["vectors"] = std::move(vectors);
  params["shard_number"] = option(definition, "shard_number", 1);
  params["replication_factor"] = option(definition, "replication_factor", 1);
  params["write_consistency_factor"] = option(definition, "write_consistency_factor", 1);
  params["on_disk_payload"] = option(definition, "on_disk_payload", true);
  if (has_sparse)
    params["sparse_vectors"] = option(definition, "sparse_vectors", ordered_json::object());
  return params;
}

ordered_json qdrant_config_json(const CollectionDefinition& definition) {
  ordered_json hnsw = {{"m", definition.hnsw.m},
                       {"ef_construct", definition.hnsw.ef_construct},
                       {"full_scan_threshold", 10'000},
                       {"max_indexing_threads", 0},
                       {"on_disk", false}};
  ordered_json optimizers = {{"deleted_threshold", 0.3},    {"vacuum_min_vector_number", 1'000},
                             {"default_segment_number", 4}, {"max_segment_size", nullptr},
                             {"memmap_threshold", nullptr}, {"indexing_threshold", 10'000},
                             {"flush_interval_sec", 5},     {"max_optimization_threads", nullptr}};
  ordered_json wal = {{"wal_capacity_mb", 64}, {"wal_segments_ahead", 0}, {"wal_retain_closed", 1}};
  const auto given = [&](const char* key) { return option(definition, key, ordered_json()); };
  ordered_json config = ordered_json::object();
  config["params"] = params_json(definition);
  config["hnsw_config"] = overlaid(std::move(hnsw), given("hnsw_config"));
  config["optimizer_config"] = overlaid(std::move(optimizers), given("optimizers_config"));
  config["wal_config"] = overlaid(std::move(wal), given("wal_config"));
  config["quantization_config"] = given("quantization_config");
  if (definition.options.contains("strict_mode_config"))
    config["strict_mode_config"] = given("strict_mode_config");
  if (definition.options.contains("metadata")) config["metadata"] = given("metadata");
  return config;
}

ordered_json schema_json(const collection::Reader& reader, const CollectionDefinition& definition) {
  const std::vector<std::uint64_t> counts = reader.field_counts();
  ordered_json schema = ordered_json::object();
  for (std::size_t i = 0; i < definition.fields.size(); ++i) {
    const payload::DeclaredField& field = definition.fields[i];
    ordered_json entry = {{"data_type", payload::field_type_name(field.type)}};
    if (!field.parameters_json.empty())
      entry["params"] = ordered_json::parse(field.parameters_json, nullptr, false);
    entry["points"] = i < counts.size() ? counts[i] : 0;
    schema[field.path] = std::move(entry);
  }
  return schema;
}

ordered_json effective_hnsw(const CollectionDefinition& definition) {
  return {
      {"m", definition.hnsw.m},
      {"ef_construct", definition.hnsw.ef_construct},
      {"ef_search", definition.ef_search == 0 ? index::kDefaultEfSearch : definition.ef_search}};
}

/// The vector that the native list shows: the first dense one.
const VectorDefinition* shown_vector(const CollectionDefinition& definition) {
  for (const VectorDefinition& vector : definition.vectors)
    if (vector.kind != segment::VectorKind::kSparse) return &vector;
  return nullptr;
}

}  // namespace

std::string collection_info_json(const collection::Reader& reader) {
  const auto definition = reader.definition();
  const CollectionStats stats = reader.stats();
  ordered_json info = {{"status", stats.status}};
  info["optimizer_status"] =
      stats.damage.empty() ? ordered_json("ok") : ordered_json{{"error", stats.damage}};
  info["warnings"] = ordered_json::array();
  info["indexed_vectors_count"] = stats.indexed_points;
  info["points_count"] = stats.points;
  info["segments_count"] = stats.segments;
  info["config"] = qdrant_config_json(*definition);
  info["payload_schema"] = schema_json(reader, *definition);
  return dump(info);
}

void append_collection_entry(std::string& out, const collection::Reader& reader,
                             EntryDetail detail) {
  const auto definition = reader.definition();
  const CollectionStats stats = reader.stats();
  const VectorDefinition* vector = shown_vector(*definition);
  ordered_json entry = {{"name", reader.name()}, {"vector_count", stats.points}};
  entry["dimension"] = vector == nullptr ? 0 : vector->size;
  entry["metric"] = vector == nullptr ? "" : vector::distance_name(vector->distance);
  entry["status"] = stats.status;
  if (detail == EntryDetail::kFull) {
    entry["id"] = reader.id();
    entry["deleted_vectors"] = stats.deleted_points;
    entry["indexed_vectors"] = stats.indexed_points;
    entry["segments"] = stats.segments;
    entry["size_bytes"] = stats.size_bytes;
    entry["memory_usage_bytes"] = stats.memory_bytes;
    entry["created_at"] = rfc3339(stats.created_at_us);
    entry["updated_at"] = rfc3339(stats.updated_at_us);
    ordered_json config = qdrant_config_json(*definition);
    config["hnsw"] = effective_hnsw(*definition);
    entry["config"] = std::move(config);
    entry["payload_schema"] = schema_json(reader, *definition);
  }
  out += dump(entry);
}

std::string config_json(const CollectionDefinition& definition) {
  return dump(ordered_json{{"hnsw", effective_hnsw(definition)}}) + "\n";
}

}  // namespace vz::api
