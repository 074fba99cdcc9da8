#include "engine/api/codec_collections.h"

#include <algorithm>
#include <array>

#include "engine/api/cold_body.h"
#include "engine/limits.h"
#include "engine/payload/payload.h"

namespace vz::api {
namespace {

using collection::CollectionDefinition;
using collection::DefinitionPatch;
using collection::VectorDefinition;

tl::unexpected<Error> failed(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

enum class OptionType : std::uint8_t { kObject, kBoolean, kPositive };
struct OptionKey {
  std::string_view name;
  OptionType type;
};
/// Kept and echoed: the engine tunes itself, and says what the client asked for.
constexpr std::array kOptionKeys{
    OptionKey{"optimizers_config", OptionType::kObject},
    OptionKey{"quantization_config", OptionType::kObject},
    OptionKey{"wal_config", OptionType::kObject},
    OptionKey{"strict_mode_config", OptionType::kObject},
    OptionKey{"metadata", OptionType::kObject},
    OptionKey{"on_disk_payload", OptionType::kBoolean},
    OptionKey{"shard_number", OptionType::kPositive},
    OptionKey{"replication_factor", OptionType::kPositive},
    OptionKey{"write_consistency_factor", OptionType::kPositive},
};

Status check_option(const OptionKey& key, const json& value) {
  const std::string path(key.name);
  switch (key.type) {
    case OptionType::kObject:
      if (!value.is_object()) return wrong_type(path, "an object");
      break;
    case OptionType::kBoolean:
      if (!value.is_boolean()) return wrong_type(path, "true or false");
      break;
    case OptionType::kPositive: {
      VZ_TRY_ASSIGN(const std::uint32_t number, read_u32(value, path));
      if (number == 0) return failed(within(range_error("0", "must be 1 or larger"), path));
      break;
    }
  }
  if (key.name == "strict_mode_config" && value.value("enabled", json(false)) == json(true))
    return failed(unsupported("`strict_mode_config.enabled`"));
  return {};
}

Status read_options(const json& body, std::map<std::string, std::string>& options) {
  for (const OptionKey& key : kOptionKeys) {
    const json* value = find(body, key.name);
    if (value == nullptr) continue;
    VZ_TRY(check_option(key, *value));
    options[std::string(key.name)] = dump(*value);
  }
  return {};
}

Status check_on_disk(const json& value, const std::string& path) {
  if (!value.is_boolean()) return wrong_type(path, "true or false");
  return {};
}

/// m and ef_construct become parameters; what is left is echoed (on_disk has its effect there).
Status read_hnsw(const json& value, const std::string& path, std::optional<std::uint32_t>& m,
                 std::optional<std::uint32_t>& ef_construct, json& rest) {
  if (!value.is_object()) return wrong_type(path, "an object");
  rest = json::object();
  for (const auto& [key, item] : value.items()) {
    if (item.is_null()) continue;
    const std::string inner = path + "." + key;
    if (key == "m") {
      VZ_TRY_ASSIGN(m, read_u32(item, inner));
    } else if (key == "ef_construct") {
      VZ_TRY_ASSIGN(ef_construct, read_u32(item, inner));
    } else {
      if (key == "on_disk") VZ_TRY(check_on_disk(item, inner));
      rest[key] = item;
    }
  }
  return {};
}

Status check_datatype(const json& parameters, const std::string& path) {
  const json* datatype = find(parameters, "datatype");
  if (datatype == nullptr) return {};
  VZ_TRY_ASSIGN(const std::string name, read_text(*datatype, path + ".datatype"));
  if (name == "float32") return {};
  return failed(unsupported("`" + path + ".datatype` " + name.substr(0, 32)));
}

/// One vector's parameters; `rest` gets what is only echoed.
Result<VectorDefinition> read_vector(const std::string& name, const json& parameters, json& rest) {
  const std::string path = name.empty() ? "vectors" : "vectors." + name;
  if (!parameters.is_object()) return wrong_type(path, "an object with `size` and `distance`");
  VectorDefinition vector;
  vector.name = name;
  const json* size = find(parameters, "size");
  const json* distance = find(parameters, "distance");
  if (size == nullptr) return failed(within(missing_field("size"), path));
  if (distance == nullptr) return failed(within(missing_field("distance"), path));
  if (!size->is_number_unsigned()) return wrong_type(path + ".size", "an unsigned integer");
  const auto dimension = size->get<std::uint64_t>();
  if (dimension < 1 || dimension > limits::kDimensionMax)
    return failed(within(range_error(std::to_string(dimension),
                                     "must be from 1 to " + std::to_string(limits::kDimensionMax)),
                         path + ".size"));
  vector.size = static_cast<std::uint32_t>(dimension);
  VZ_TRY_ASSIGN(const std::string named, read_text(*distance, path + ".distance"));
  const auto known = vector::parse_distance(named);
  if (!known) return wrong_type(path + ".distance", "Cosine, Dot, Euclid or Manhattan");
  vector.distance = *known;
  VZ_TRY(check_datatype(parameters, path));
  if (const json* on_disk = find(parameters, "on_disk"))
    VZ_TRY(check_on_disk(*on_disk, path + ".on_disk"));

  rest = json::object();
  for (const auto& [key, value] : parameters.items())
    if (!value.is_null() && key != "size" && key != "distance" && key != "hnsw_config")
      rest[key] = value;
  if (const json* multi = find(parameters, "multivector_config")) {
    if (!multi->is_object()) return wrong_type(path + ".multivector_config", "an object");
    vector.kind = segment::VectorKind::kMulti;
  }
  if (const json* hnsw = find(parameters, "hnsw_config")) {
    std::optional<std::uint32_t> m;
    std::optional<std::uint32_t> ef_construct;
    json hnsw_rest;
    VZ_TRY(read_hnsw(*hnsw, path + ".hnsw_config", m, ef_construct, hnsw_rest));
    const index::HnswParameters usual;
    if (m || ef_construct)
      vector.hnsw = index::HnswParameters{
          .m = m.value_or(usual.m), .ef_construct = ef_construct.value_or(usual.ef_construct)};
    if (!hnsw_rest.empty()) rest["hnsw_config"] = hnsw_rest;
  }
  return vector;
}

Status read_vectors(const json& vectors, CollectionDefinition& definition) {
  if (!vectors.is_object()) return wrong_type("vectors", "an object");
  json echoed = json::object();
  json rest;
  // {"size":..} is the single default vector, unless it is a vector that is named "size".
  const json* size = find(vectors, "size");
  const json* distance = find(vectors, "distance");
  if ((size != nullptr && !size->is_object()) || (distance != nullptr && !distance->is_object())) {
    VZ_TRY_ASSIGN(VectorDefinition only, read_vector("", vectors, rest));
    definition.vectors.push_back(std::move(only));
    if (!rest.empty()) echoed[""] = rest;
  } else {
    for (const auto& [name, parameters] : vectors.items()) {
      VZ_TRY_ASSIGN(VectorDefinition one, read_vector(name, parameters, rest));
      definition.vectors.push_back(std::move(one));
      if (!rest.empty()) echoed[name] = rest;
    }
  }
  if (!echoed.empty()) definition.options["vectors"] = dump(echoed);
  return {};
}

/// What an update may change of a vector: where its index is kept.
Result<json> read_vector_update(const json& parameters, const std::string& path) {
  if (!parameters.is_object()) return wrong_type(path, "an object");
  json kept = json::object();
  for (const auto& [key, value] : parameters.items()) {
    if (value.is_null()) continue;
    const std::string inner = path + "." + key;
    if (key == "on_disk") {
      VZ_TRY(check_on_disk(value, inner));
      kept[key] = value;
    } else if (key == "hnsw_config") {
      std::optional<std::uint32_t> m;
      std::optional<std::uint32_t> ef_construct;
      json rest;
      VZ_TRY(read_hnsw(value, inner, m, ef_construct, rest));
      if (m || ef_construct)
        return failed(unsupported("`" + inner + (m ? ".m`" : ".ef_construct`")));
      kept[key] = rest;
    } else {
      return failed(unsupported("`" + inner + "`"));
    }
  }
  return kept;
}

Status read_vectors_update(const json& vectors, DefinitionPatch& patch) {
  if (!vectors.is_object()) return wrong_type("vectors", "an object");
  json updates = json::object();
  // {"on_disk":true} is the default vector's, as on create; Qdrant has {"":{"on_disk":true}}.
  if (const json* on_disk = find(vectors, "on_disk"); on_disk != nullptr && !on_disk->is_object()) {
    VZ_TRY_ASSIGN(updates[""], read_vector_update(vectors, "vectors"));
  } else {
    for (const auto& [name, parameters] : vectors.items()) {
      const std::string path = name.empty() ? "vectors" : "vectors." + name;
      VZ_TRY_ASSIGN(updates[name], read_vector_update(parameters, path));
    }
  }
  if (!updates.empty()) patch.options["vectors"] = dump(updates);
  return {};
}

Status read_sparse_vectors(const json& vectors, CollectionDefinition& definition) {
  if (!vectors.is_object()) return wrong_type("sparse_vectors", "an object");
  for (const auto& [name, parameters] : vectors.items()) {
    if (!parameters.is_object() && !parameters.is_null())
      return wrong_type("sparse_vectors." + name, "an object");
    definition.vectors.push_back({.name = name,
                                  .kind = segment::VectorKind::kSparse,
                                  .size = 0,
                                  .distance = vector::Distance::kDot,
                                  .hnsw = std::nullopt});
  }
  definition.options["sparse_vectors"] = dump(vectors);
  return {};
}

Status refuse_unbuilt(const json& body, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (find(body, key) != nullptr) return failed(unsupported("`" + std::string(key) + "`"));
  return {};
}

Status check_bounds(const CollectionDefinition& definition) {
  if (Status valid = collection::check(definition); !valid) {
    Error error = std::move(valid).error();
    if (error.code == ErrorCode::kOutOfRange)
      error.message = "Validation error in JSON body: [" + error.message + "]";
    return failed(std::move(error));
  }
  return {};
}

}  // namespace

Result<CollectionDefinition> decode_create(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  VZ_TRY(refuse_unbuilt(body, {"init_from", "sharding_method"}));
  CollectionDefinition definition;
  if (const json* vectors = find(body, "vectors")) VZ_TRY(read_vectors(*vectors, definition));
  if (const json* sparse = find(body, "sparse_vectors"))
    VZ_TRY(read_sparse_vectors(*sparse, definition));
  if (const json* hnsw = find(body, "hnsw_config")) {
    std::optional<std::uint32_t> m;
    std::optional<std::uint32_t> ef_construct;
    json rest;
    VZ_TRY(read_hnsw(*hnsw, "hnsw_config", m, ef_construct, rest));
    if (m) definition.hnsw.m = *m;
    if (ef_construct) definition.hnsw.ef_construct = *ef_construct;
    if (!rest.empty()) definition.options["hnsw_config"] = dump(rest);
  }
  VZ_TRY(read_options(body, definition.options));
  VZ_TRY(check_bounds(definition));
  return definition;
}

Result<DefinitionPatch> decode_update(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  VZ_TRY(refuse_unbuilt(body, {"sparse_vectors"}));
  DefinitionPatch patch;
  if (const json* vectors = find(body, "vectors")) VZ_TRY(read_vectors_update(*vectors, patch));
  if (const json* hnsw = find(body, "hnsw_config")) {
    json rest;
    VZ_TRY(read_hnsw(*hnsw, "hnsw_config", patch.m, patch.ef_construct, rest));
    if (!rest.empty()) patch.options["hnsw_config"] = dump(rest);
  }
  VZ_TRY(read_options(body, patch.options));
  if (const json* params = find(body, "params")) {
    if (!params->is_object()) return wrong_type("params", "an object");
    VZ_TRY(read_options(*params, patch.options));
  }
  CollectionDefinition probe;  // The bounds do not depend on the rest of the definition.
  VZ_TRY(check_bounds(collection::patched(probe, patch)));
  return patch;
}

Result<log::AliasActions> decode_alias_actions(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  const json* actions = find(body, "actions");
  if (actions == nullptr) return failed(finished(missing_field("actions")));
  if (!actions->is_array()) return wrong_type("actions", "an array");
  if (actions->size() > limits::kAliasesMax)
    return failed(within(range_error(std::to_string(actions->size()) + " actions",
                                     "must be at most " + std::to_string(limits::kAliasesMax)),
                         "actions"));
  log::AliasActions read;
  for (std::size_t i = 0; i < actions->size(); ++i) {
    const json& action = (*actions)[i];
    const std::string path = "actions[" + std::to_string(i) + "]";
    if (!action.is_object() || action.size() != 1 || !action.begin()->is_object())
      return wrong_type(path, "one of create_alias, delete_alias and rename_alias");
    const std::string kind = action.begin().key();
    const json& fields = *action.begin();
    const auto name = [&](std::string_view key) -> Result<std::string> {
      const json* value = find(fields, key);
      if (value == nullptr) return failed(within(missing_field(key), path + "." + kind));
      return read_text(*value, path + "." + kind + "." + std::string(key));
    };
    if (kind == "create_alias") {
      VZ_TRY_ASSIGN(std::string alias, name("alias_name"));
      VZ_TRY_ASSIGN(std::string target, name("collection_name"));
      VZ_TRY(collection::check_collection_name(alias));
      read.actions.emplace_back(log::CreateAlias{std::move(alias), std::move(target)});
    } else if (kind == "delete_alias") {
      VZ_TRY_ASSIGN(std::string alias, name("alias_name"));
      read.actions.emplace_back(log::DeleteAlias{std::move(alias)});
    } else if (kind == "rename_alias") {
      VZ_TRY_ASSIGN(std::string from, name("old_alias_name"));
      VZ_TRY_ASSIGN(std::string to, name("new_alias_name"));
      VZ_TRY(collection::check_collection_name(to));
      read.actions.emplace_back(log::RenameAlias{std::move(from), std::move(to)});
    } else {
      return wrong_type(path, "one of create_alias, delete_alias and rename_alias");
    }
  }
  return read;
}

Result<payload::DeclaredField> decode_field(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  const json* name = find(body, "field_name");
  if (name == nullptr) return failed(finished(missing_field("field_name")));
  payload::DeclaredField field;
  VZ_TRY_ASSIGN(field.path, read_text(*name, "field_name"));
  if (Status path = payload::check_key_path(field.path); !path)
    return failed(within(adopted(std::move(path).error()), "field_name"));
  const json* schema = find(body, "field_schema");
  if (schema == nullptr) schema = find(body, "field_type");
  if (schema == nullptr) return failed(finished(missing_field("field_schema")));
  const json* type = schema->is_object() ? find(*schema, "type") : schema;
  if (type == nullptr) return failed(within(missing_field("type"), "field_schema"));
  VZ_TRY_ASSIGN(const std::string type_name, read_text(*type, "field_schema"));
  const auto known = payload::parse_field_type(type_name);
  if (!known)
    return wrong_type("field_schema",
                      "one of keyword, integer, float, bool, datetime, uuid, text and geo");
  field.type = *known;
  if (schema->is_object()) field.parameters_json = dump(*schema);
  if (field.parameters_json.size() > limits::kMetadataBytesMax)
    return failed(within(range_error("longer", "must be at most 64 KiB"), "field_schema"));
  return field;
}

Status decode_nothing(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  if (body.empty()) return {};
  return fail(ErrorCode::kInvalidArgument,
              "unknown field '" + body.begin().key().substr(0, 64) + "'; this takes none");
}

Result<DefinitionPatch> decode_config(const std::string& body_text) {
  VZ_TRY_ASSIGN(const json body, parse_object(body_text));
  const auto unknown = [](const std::string& key) {
    return fail(ErrorCode::kInvalidArgument, "unknown field '" + key.substr(0, 64) + "'");
  };
  DefinitionPatch patch;
  for (const auto& [key, value] : body.items()) {
    if (key != "hnsw") return unknown(key);
    if (!value.is_object()) return fail(ErrorCode::kInvalidArgument, "hnsw: expected an object");
    for (const auto& [inner, number] : value.items()) {
      if (inner != "ef_search") return unknown("hnsw." + inner);
      if (!number.is_number_unsigned())
        return fail(ErrorCode::kInvalidArgument, "hnsw.ef_search: expected an unsigned integer");
      const auto ef = number.get<std::uint64_t>();
      if (ef < 1 || ef > limits::kEfSearchMax)
        return fail(ErrorCode::kInvalidArgument, "hnsw.ef_search: value " + std::to_string(ef) +
                                                     " invalid, must be from 1 to " +
                                                     std::to_string(limits::kEfSearchMax));
      patch.ef_search = static_cast<std::uint32_t>(ef);
    }
  }
  return patch;
}

}  // namespace vz::api
