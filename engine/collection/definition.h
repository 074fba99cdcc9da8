// What a collection is: its vectors, its tuning, its declared fields. Plain, valid by construction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/index/index_file.h"
#include "engine/payload/fields_file.h"
#include "engine/vector/distance.h"
#include "storage/segment/segment.h"

namespace vz::collection {

struct VectorDefinition {
  std::string name;  ///< "" for the single default vector
  segment::VectorKind kind = segment::VectorKind::kDense;
  std::uint32_t size = 0;  ///< dimension; 0 for sparse
  vector::Distance distance = vector::Distance::kCosine;
  std::optional<index::HnswParameters> hnsw;  ///< overrides the collection's
  friend bool operator==(const VectorDefinition&, const VectorDefinition&) = default;
};

struct CollectionDefinition {
  std::vector<VectorDefinition> vectors;  ///< column i of segments is vectors[i]; may be empty
  index::HnswParameters hnsw;
  std::uint32_t ef_search = 0;                 ///< 0: the engine's default
  std::vector<payload::DeclaredField> fields;  ///< sorted by path
  /// Settings that the engine keeps and echoes, by their key in the create body, each canonical
  /// JSON: optimizers_config, quantization_config, on_disk_payload, wal_config, metadata, ...
  std::map<std::string, std::string> options;

  /// Index in `vectors`, or nullopt.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  friend bool operator==(const CollectionDefinition&, const CollectionDefinition&) = default;
};

/// "dense", "sparse", "multi"
std::string_view kind_name(segment::VectorKind kind);

/// The columns of its segments.
std::vector<segment::VectorColumn> columns_of(const CollectionDefinition& definition);

/// Where the indexes of segments keep each vector's codes and graph: mapped, if `on_disk` is set
/// for the vector, for its graph, or, where that is not said, for the collection's graphs. (With
/// Qdrant vectors and graph may differ; here codes and graph go together.)
std::vector<index::Placement> index_placements(const CollectionDefinition& definition);

/// What PATCH changes; absent members stay.
struct DefinitionPatch {
  std::optional<std::uint32_t> m;
  std::optional<std::uint32_t> ef_construct;
  std::optional<std::uint32_t> ef_search;
  /// Canonical JSON by option key. An object is merged key by key, `vectors` at every depth; in
  /// `metadata` a null deletes its key; any other value replaces.
  std::map<std::string, std::string> options;
};
CollectionDefinition patched(CollectionDefinition base, const DefinitionPatch& patch);
/// Errors: kInvalidArgument: settings of a vector that the collection does not have.
Status check_vectors_known(const CollectionDefinition& definition, const DefinitionPatch& patch);

/// Checks every bound of limits.h. Errors: kInvalidArgument, kOutOfRange, naming the field.
Status check(const CollectionDefinition& definition);
/// 1..255 bytes, none of < > : " / \ | ? * NUL 0x1F. Errors: kInvalidArgument.
Status check_collection_name(std::string_view name);

/// Canonical JSON, as it stands in the log, the manifest and segment footers.
std::string to_json(const CollectionDefinition& definition);
/// Errors: kCorruption (it was written by us).
Result<CollectionDefinition> definition_from_json(std::string_view json);

}  // namespace vz::collection
