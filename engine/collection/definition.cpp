#include "engine/collection/definition.h"

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/limits.h"

namespace vz::collection {
namespace {

using nlohmann::ordered_json;

std::optional<segment::VectorKind> parse_kind(std::string_view name) {
  for (const auto kind :
       {segment::VectorKind::kDense, segment::VectorKind::kSparse, segment::VectorKind::kMulti})
    if (kind_name(kind) == name) return kind;
  return std::nullopt;
}

ordered_json hnsw_json(const index::HnswParameters& hnsw) {
  return {{"m", hnsw.m}, {"ef_construct", hnsw.ef_construct}};
}

/// Not get<std::uint32_t>(), which takes any number and cuts it to size.
/// Errors by exception: nlohmann's, caught in definition_from_json.
std::uint32_t parse_u32(const ordered_json& json) {
  if (!json.is_number_unsigned() ||
      json.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    throw ordered_json::other_error::create(501, "expected an unsigned 32-bit number", nullptr);
  return json.get<std::uint32_t>();
}

index::HnswParameters parse_hnsw(const ordered_json& json) {
  return {.m = parse_u32(json.at("m")), .ef_construct = parse_u32(json.at("ef_construct"))};
}

tl::unexpected<Error> out_of_range(std::string_view field, std::uint64_t value, std::uint64_t low,
                                   std::uint64_t high) {
  return fail(ErrorCode::kOutOfRange, std::string(field) + ": value " + std::to_string(value) +
                                          " invalid, must be from " + std::to_string(low) + " to " +
                                          std::to_string(high));
}

Status check_hnsw(const index::HnswParameters& hnsw, const std::string& prefix) {
  if (hnsw.m < 2 || hnsw.m > limits::kHnswMMax)
    return out_of_range(prefix + "hnsw_config.m", hnsw.m, 2, limits::kHnswMMax);
  if (hnsw.ef_construct < 4 || hnsw.ef_construct > limits::kEfConstructMax)
    return out_of_range(prefix + "hnsw_config.ef_construct", hnsw.ef_construct, 4,
                        limits::kEfConstructMax);
  return {};
}

bool has_forbidden_byte(std::string_view name) {
  constexpr std::string_view kForbidden("<>:\"/\\|?*\0\x1F", 11);
  return name.find_first_of(kForbidden) != std::string_view::npos;
}

Status check_vector(const VectorDefinition& vector) {
  const std::string prefix = vector.name.empty() ? "vectors." : "vectors." + vector.name + ".";
  if (vector.name.size() > limits::kVectorNameBytesMax || has_forbidden_byte(vector.name))
    return fail(ErrorCode::kInvalidArgument,
                "vector name '" + vector.name.substr(0, 64) +
                    "' is invalid: at most 200 bytes, none of < > : \" / \\ | ? *");
  if (vector.kind != segment::VectorKind::kSparse &&
      (vector.size < 1 || vector.size > limits::kDimensionMax))
    return out_of_range(prefix + "size", vector.size, 1, limits::kDimensionMax);
  return vector.hnsw ? check_hnsw(*vector.hnsw, prefix) : Status();
}

/// Merges `patch` into `base` by top-level keys; in metadata a null deletes its key. `vectors` hold
/// settings by name of the vector, so they are merged below it too.
std::string merged(const std::string& base, const std::string& patch, std::string_view key) {
  const auto patch_json = ordered_json::parse(patch, nullptr, false);
  auto base_json = ordered_json::parse(base, nullptr, false);
  if (!patch_json.is_object() || !base_json.is_object()) return patch;
  if (key == "vectors") {
    base_json.merge_patch(patch_json);
    return base_json.dump();
  }
  for (const auto& [name, value] : patch_json.items()) {
    if (value.is_null() && key == "metadata") {
      base_json.erase(name);
    } else {
      base_json[name] = value;
    }
  }
  return base_json.dump();
}

}  // namespace

std::string_view kind_name(segment::VectorKind kind) {
  switch (kind) {
    case segment::VectorKind::kDense:
      return "dense";
    case segment::VectorKind::kSparse:
      return "sparse";
    case segment::VectorKind::kMulti:
      return "multi";
  }
  return "dense";
}

std::vector<segment::VectorColumn> columns_of(const CollectionDefinition& definition) {
  std::vector<segment::VectorColumn> columns;
  for (const VectorDefinition& vector : definition.vectors)
    columns.push_back({.name = vector.name, .kind = vector.kind, .dimension = vector.size});
  return columns;
}

std::optional<std::size_t> CollectionDefinition::column(std::string_view name) const {
  for (std::size_t i = 0; i < vectors.size(); ++i)
    if (vectors[i].name == name) return i;
  return std::nullopt;
}

std::vector<index::Placement> index_placements(const CollectionDefinition& definition) {
  const auto parsed = [&](const std::string& key) {
    const auto found = definition.options.find(key);
    if (found == definition.options.end()) return ordered_json();
    return ordered_json::parse(found->second, nullptr, false);
  };
  const auto member = [](const ordered_json& object, const std::string& key) {
    return object.is_object() && object.contains(key) ? object.at(key) : ordered_json();
  };
  const ordered_json usual = member(parsed("hnsw_config"), "on_disk");
  const ordered_json by_name = parsed("vectors");
  std::vector<index::Placement> placements;
  for (const VectorDefinition& vector : definition.vectors) {
    const ordered_json own = member(by_name, vector.name);
    const ordered_json own_graph = member(member(own, "hnsw_config"), "on_disk");
    const bool mapped =
        member(own, "on_disk") == true || (own_graph.is_null() ? usual : own_graph) == true;
    placements.push_back(mapped ? index::Placement::kMapped : index::Placement::kResident);
  }
  return placements;
}

CollectionDefinition patched(CollectionDefinition base, const DefinitionPatch& patch) {
  if (patch.m) base.hnsw.m = *patch.m;
  if (patch.ef_construct) base.hnsw.ef_construct = *patch.ef_construct;
  if (patch.ef_search) base.ef_search = *patch.ef_search;
  for (const auto& [key, value] : patch.options) {
    const auto existing = base.options.find(key);
    base.options[key] =
        merged(existing == base.options.end() ? "{}" : existing->second, value, key);
  }
  return base;
}

Status check_vectors_known(const CollectionDefinition& definition, const DefinitionPatch& patch) {
  const auto found = patch.options.find("vectors");
  if (found == patch.options.end()) return {};
  const auto vectors = ordered_json::parse(found->second, nullptr, false);
  for (const auto& [name, settings] : vectors.items())
    if (!definition.column(name))
      return fail(ErrorCode::kInvalidArgument, "Not existing vector name error: " + name);
  return {};
}

Status check(const CollectionDefinition& definition) {
  if (definition.vectors.size() > limits::kVectorNamesMax - 1)
    return out_of_range("vectors", definition.vectors.size(), 0, limits::kVectorNamesMax - 1);
  std::set<std::string_view> names;
  for (const VectorDefinition& vector : definition.vectors) {
    VZ_TRY(check_vector(vector));
    if (!names.insert(vector.name).second)
      return fail(ErrorCode::kInvalidArgument, "vector name '" + vector.name + "' appears twice");
  }
  VZ_TRY(check_hnsw(definition.hnsw, ""));
  if (definition.ef_search > limits::kEfSearchMax)
    return out_of_range("hnsw.ef_search", definition.ef_search, 0, limits::kEfSearchMax);
  if (definition.fields.size() > limits::kDeclaredFieldsMax)
    return out_of_range("payload_schema", definition.fields.size(), 0, limits::kDeclaredFieldsMax);
  for (const auto& [key, value] : definition.options) {
    if (value.size() > limits::kMetadataBytesMax)
      return out_of_range(key + " bytes", value.size(), 0, limits::kMetadataBytesMax);
  }
  return {};
}

Status check_collection_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kNameBytesMax)
    return fail(ErrorCode::kInvalidArgument,
                "collection name must have 1 to 255 bytes, has " + std::to_string(name.size()));
  if (has_forbidden_byte(name))
    return fail(ErrorCode::kInvalidArgument,
                "collection name must hold none of < > : \" / \\ | ? * NUL 0x1F");
  return {};
}

std::string to_json(const CollectionDefinition& definition) {
  ordered_json vectors = ordered_json::array();
  for (const VectorDefinition& vector : definition.vectors) {
    ordered_json item = {{"name", vector.name},
                         {"kind", kind_name(vector.kind)},
                         {"size", vector.size},
                         {"distance", vector::distance_name(vector.distance)}};
    if (vector.hnsw) item["hnsw"] = hnsw_json(*vector.hnsw);
    vectors.push_back(std::move(item));
  }
  ordered_json fields = ordered_json::array();
  for (const payload::DeclaredField& field : definition.fields)
    fields.push_back({{"path", field.path},
                      {"type", payload::field_type_name(field.type)},
                      {"parameters", field.parameters_json}});
  return ordered_json{{"vectors", vectors},
                      {"hnsw", hnsw_json(definition.hnsw)},
                      {"ef_search", definition.ef_search},
                      {"fields", fields},
                      {"options", definition.options}}
      .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<CollectionDefinition> definition_from_json(std::string_view json) {
  try {
    const auto parsed = ordered_json::parse(json);
    CollectionDefinition definition;
    for (const auto& item : parsed.at("vectors")) {
      VectorDefinition& vector = definition.vectors.emplace_back();
      vector.name = item.at("name").get<std::string>();
      vector.size = parse_u32(item.at("size"));
      const auto kind = parse_kind(item.at("kind").get<std::string>());
      const auto distance = vector::parse_distance(item.at("distance").get<std::string>());
      if (!kind || !distance)
        return fail(ErrorCode::kCorruption, "collection definition: unknown kind or distance");
      vector.kind = *kind;
      vector.distance = *distance;
      if (item.contains("hnsw")) vector.hnsw = parse_hnsw(item.at("hnsw"));
    }
    definition.hnsw = parse_hnsw(parsed.at("hnsw"));
    definition.ef_search = parse_u32(parsed.at("ef_search"));
    for (const auto& item : parsed.at("fields")) {
      const auto type = payload::parse_field_type(item.at("type").get<std::string>());
      if (!type) return fail(ErrorCode::kCorruption, "collection definition: unknown field type");
      definition.fields.push_back({.path = item.at("path").get<std::string>(),
                                   .type = *type,
                                   .parameters_json = item.at("parameters").get<std::string>()});
    }
    definition.options = parsed.at("options").get<std::map<std::string, std::string>>();
    if (const Status valid = check(definition); !valid)
      return fail(ErrorCode::kCorruption, "collection definition: " + valid.error().message);
    return definition;
  } catch (const nlohmann::json::exception& exception) {
    return fail(ErrorCode::kCorruption, std::string("collection definition: ") + exception.what());
  }
}

}  // namespace vz::collection
