// What the API says of a collection, as JSON text.
#pragma once

#include <string>

#include "engine/collection/collection.h"

namespace vz::api {

/// Qdrant's CollectionInfo.
std::string collection_info_json(const collection::Reader& reader);

enum class EntryDetail : std::uint8_t {
  kShort,  ///< name, vector_count, dimension, metric, status
  kFull,   ///< and every number, created_at, updated_at and the config
};
/// An entry of the native list.
void append_collection_entry(std::string& out, const collection::Reader& reader,
                             EntryDetail detail);

/// The native effective settings: {"hnsw":{"m","ef_construct","ef_search"}}.
std::string config_json(const collection::CollectionDefinition& definition);

}  // namespace vz::api
