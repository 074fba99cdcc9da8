// Resolving writes about collections, fields and aliases.
#include <algorithm>

#include "engine/limits.h"
#include "engine/log/resolve.h"

namespace vz::log {
namespace {

using collection::Catalog;
using collection::CollectionDefinition;
using collection::LiveCollection;
using Resolved = Result<std::optional<CatalogRecord>>;

tl::unexpected<Error> no_collection(const std::string& name) {
  return fail(ErrorCode::kNotFound, "Collection `" + name + "` doesn't exist!");
}

/// Whether there may be one more beside so many, those that arrive included.
Status check_count(std::size_t collections) {
  if (collections < limits::kCollectionsMax) return {};
  return fail(ErrorCode::kTooLarge,
              "a node may hold " + std::to_string(limits::kCollectionsMax) + " collections");
}

struct CatalogResolver {
  const NodeState& state;

  Resolved operator()(const CreateCollection& request) const {
    VZ_TRY(collection::check_collection_name(request.name));
    VZ_TRY(collection::check(request.definition));
    const Catalog& catalog = *state.catalog;
    if (catalog.collections.contains(request.name))
      return fail(ErrorCode::kAlreadyExists, "Collection `" + request.name + "` already exists!");
    if (catalog.aliases.contains(request.name))
      return fail(ErrorCode::kAlreadyExists,
                  "Collection `" + request.name + "` already exists! (it is an alias)");
    VZ_TRY(check_count(state.collections.size()));
    const std::string definition = collection::to_json(request.definition);
    return CatalogRecord{
        .kind = format::WalRecordKind::kCreateCollection,
        .payload = format::encode(format::CreateCollectionRecord{request.name, definition})};
  }
  Resolved operator()(const DropCollection& request) const {
    const auto found = state.catalog->collections.find(request.name);
    if (found == state.catalog->collections.end()) return std::nullopt;
    return CatalogRecord{.kind = format::WalRecordKind::kDropCollection,
                         .collection = found->second->id()};
  }
  Resolved operator()(const BeginArrival& request) const {
    VZ_TRY(collection::check(request.definition));
    VZ_TRY(check_count(state.collections.size()));
    const std::string definition = collection::to_json(request.definition);
    return CatalogRecord{.kind = format::WalRecordKind::kCreateCollection,
                         .payload = format::encode(format::CreateCollectionRecord{"", definition})};
  }
  Resolved operator()(const EndArrival& request) const {
    VZ_TRY(collection::check_collection_name(request.name));
    if (!arrives(request.arrived))
      return fail(ErrorCode::kNotFound, "no collection with this id is arriving");
    VZ_TRY(check_place(*state.catalog, request.name));
    return CatalogRecord{.kind = format::WalRecordKind::kReplaceCollection,
                         .collection = request.arrived,
                         .payload = format::encode(format::ReplaceCollectionRecord{request.name})};
  }
  Resolved operator()(const AbandonArrival& request) const {
    if (!arrives(request.arrived)) return std::nullopt;
    return CatalogRecord{.kind = format::WalRecordKind::kDropCollection,
                         .collection = request.arrived};
  }
  Resolved operator()(const PatchCollection& request) const {
    return define(request.name, [&](CollectionDefinition& definition) -> Status {
      VZ_TRY(collection::check_vectors_known(definition, request.patch));
      definition = collection::patched(std::move(definition), request.patch);
      return {};
    });
  }
  Resolved operator()(const DeclareField& request) const {
    return define(request.collection, [&](CollectionDefinition& definition) -> Status {
      auto& fields = definition.fields;
      const auto at = std::lower_bound(fields.begin(), fields.end(), request.field.path,
                                       [](const payload::DeclaredField& field,
                                          const std::string& path) { return field.path < path; });
      if (at != fields.end() && at->path == request.field.path) {
        *at = request.field;
      } else {
        fields.insert(at, request.field);
      }
      return {};
    });
  }
  Resolved operator()(const DropField& request) const {
    return define(request.collection, [&](CollectionDefinition& definition) -> Status {
      std::erase_if(definition.fields, [&](const payload::DeclaredField& field) {
        return field.path == request.path;
      });
      return {};
    });
  }
  Resolved operator()(const AliasActions& request) const {
    auto aliases = state.catalog->aliases;  // Each action sees the ones before it.
    std::map<std::string, CollectionId> changes;
    for (const AliasAction& action : request.actions) {
      VZ_TRY(std::visit([&](const auto& one) { return alias(one, aliases, changes); }, action));
    }
    if (changes.empty()) return std::nullopt;
    if (aliases.size() > limits::kAliasesMax)
      return fail(ErrorCode::kTooLarge,
                  "a node may hold " + std::to_string(limits::kAliasesMax) + " aliases");
    format::AliasesRecord record;
    for (const auto& [name, target] : changes) record.changes.push_back({name, target});
    return CatalogRecord{.kind = format::WalRecordKind::kAliases,
                         .payload = format::encode(record)};
  }
  Resolved operator()(const PointsWrite&) const { return std::nullopt; }
  Resolved operator()(const SecurityWrite&) const { return std::nullopt; }

 private:
  [[nodiscard]] bool arrives(CollectionId id) const {
    const auto found = state.collections.find(id);
    return found != state.collections.end() && found->second->name().empty();
  }

  using Aliases = std::map<std::string, CollectionId, std::less<>>;
  using Changes = std::map<std::string, CollectionId>;

  Status alias(const CreateAlias& action, Aliases& aliases, Changes& changes) const {
    VZ_TRY(collection::check_collection_name(action.alias));
    const auto target = state.catalog->collections.find(action.collection);
    if (target == state.catalog->collections.end()) return no_collection(action.collection);
    if (state.catalog->collections.contains(action.alias))
      return fail(ErrorCode::kAlreadyExists, "Collection `" + action.alias + "` already exists!");
    aliases[action.alias] = changes[action.alias] = target->second->id();
    return {};
  }
  Status alias(const DeleteAlias& action, Aliases& aliases, Changes& changes) const {
    if (aliases.erase(action.alias) > 0) changes[action.alias] = 0;
    return {};
  }
  Status alias(const RenameAlias& action, Aliases& aliases, Changes& changes) const {
    VZ_TRY(collection::check_collection_name(action.to));
    const auto from = aliases.find(action.from);
    if (from == aliases.end())
      return fail(ErrorCode::kNotFound, "Alias " + action.from + " does not exists!");
    if (state.catalog->collections.contains(action.to))
      return fail(ErrorCode::kAlreadyExists, "Collection `" + action.to + "` already exists!");
    const CollectionId target = from->second;
    aliases.erase(from);
    changes[action.from] = 0;
    aliases[action.to] = changes[action.to] = target;
    return {};
  }

  template <typename Change>
  Resolved define(const std::string& name, const Change& change) const {
    const auto found = state.catalog->find(name);
    if (found == nullptr) return no_collection(name);
    const auto present = found->definition();
    CollectionDefinition next = *present;
    VZ_TRY(change(next));
    VZ_TRY(collection::check(next));
    if (next == *present) return std::nullopt;
    const std::string definition = collection::to_json(next);
    return CatalogRecord{.kind = format::WalRecordKind::kDefineCollection,
                         .collection = found->id(),
                         .payload = format::encode(format::DefineCollectionRecord{definition})};
  }
};

}  // namespace

Status check_place(const Catalog& catalog, const std::string& name) {
  if (catalog.aliases.contains(name))
    return fail(ErrorCode::kAlreadyExists, "`" + name + "` is an alias: name the collection");
  return {};
}

Result<std::optional<CatalogRecord>> resolve_catalog(const WriteRequest& request,
                                                     const NodeState& state) {
  return std::visit(CatalogResolver{state}, request);
}

}  // namespace vz::log
