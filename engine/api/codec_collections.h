// Request bodies about collections, aliases and declared fields. Cold paths, read with nlohmann.
#pragma once

#include <string>
#include <vector>

#include "engine/collection/definition.h"
#include "engine/log/write_request.h"

namespace vz::api {

// Errors of all: kInvalidArgument (form, type), kOutOfRange (bounds), kUnsupported (a documented
// form that is not built yet).

/// Qdrant's CreateCollection. What the engine has no use for is kept and echoed.
Result<collection::CollectionDefinition> decode_create(const std::string& body);
/// Qdrant's UpdateCollection.
Result<collection::DefinitionPatch> decode_update(const std::string& body);
/// {"actions":[..]}.
Result<log::AliasActions> decode_alias_actions(const std::string& body);
/// {"field_name","field_schema"}.
Result<payload::DeclaredField> decode_field(const std::string& body);
/// Native {"hnsw":{"ef_search"}}: unknown fields are errors.
Result<collection::DefinitionPatch> decode_config(const std::string& body);

/// Nothing, or {}: of calls that take no body. Unknown fields are errors.
Status decode_nothing(const std::string& body);

}  // namespace vz::api
