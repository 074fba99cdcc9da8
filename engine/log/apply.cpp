#include "engine/log/apply.h"

#include <cstring>
#include <string>

#include "engine/payload/payload.h"
#include "engine/security/security_json.h"
#include "storage/base/log.h"
#include "storage/format/catalog_record.h"

namespace vz::log {
namespace {

using collection::Catalog;
using collection::CollectionDefinition;
using collection::ColumnVector;
using collection::LiveCollection;

/// Vectors of a logged row, copied to aligned memory.
class AlignedVectors {
 public:
  explicit AlignedVectors(const std::vector<format::LoggedVector>& logged) {
    std::size_t values = 0;
    std::size_t indices = 0;
    for (const auto& vector : logged) {
      values += vector.values.size() / sizeof(float);
      indices += vector.indices.size() / sizeof(std::uint32_t);
    }
    values_.reserve(values);  // The spans point into these: they may not move.
    indices_.reserve(indices);
    for (const auto& vector : logged) columns_.push_back({vector.column, copy(vector)});
  }
  [[nodiscard]] const std::vector<ColumnVector>& columns() const { return columns_; }

 private:
  segment::VectorRef copy(const format::LoggedVector& vector) {
    return {append(vector.values, values_), append(vector.indices, indices_)};
  }
  template <typename T>
  static std::span<const T> append(ByteSpan bytes, std::vector<T>& to) {
    const std::size_t begin = to.size();
    to.resize(begin + bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(to.data() + begin, bytes.data(), bytes.size());
    return {to.data() + begin, to.size() - begin};
  }

  std::vector<float> values_;
  std::vector<std::uint32_t> indices_;
  std::vector<ColumnVector> columns_;
};

/// The row that an edit starts from. Its vectors are borrowed from the part.
struct BaseRow {
  std::vector<ColumnVector> vectors;
  std::string payload;
};

std::optional<BaseRow> read_base(const LiveCollection& collection, const PointId& id) {
  const auto location = collection.find_live(id);
  if (!location) return std::nullopt;
  const auto unreadable = [&](const Error& error) {
    LogEvent(LogLevel::kError, "base_row_unreadable")
        .with("collection", collection.name())
        .with("id", id.to_string())
        .with("reason", error.message)
        .with("integrity", "corrupt row: its edit is lost");
    return std::nullopt;
  };
  BaseRow base;
  auto payload = location->part->payload(location->row);
  if (!payload) return unreadable(payload.error());
  base.payload = std::move(*payload);
  const std::size_t columns = collection.definition()->vectors.size();
  for (std::size_t column = 0; column < columns; ++column) {
    const auto vector = location->part->vector(column, location->row);
    if (!vector) return unreadable(vector.error());
    if (*vector) base.vectors.push_back({column, **vector});
  }
  return base;
}

struct Applier {
  Lsn lsn;
  LiveCollection& target;

  void operator()(const format::PutRows& operation) const {
    for (const auto& row : operation.rows)
      target.put(row.id, lsn, AlignedVectors(row.vectors).columns(), row.payload);
  }
  void operator()(const format::DeleteRows& operation) const {
    for (const PointId& id : operation.ids) target.erase(id, lsn);
  }
  void operator()(const format::SetPayload& operation) const {
    std::optional<std::string> key;
    if (operation.has_key) key = operation.key;
    edit(operation.ids,
         [&](BaseRow& base) { base.payload = payload::set(base.payload, operation.patch, key); });
  }
  void operator()(const format::ReplacePayload& operation) const {
    edit(operation.ids, [&](BaseRow& base) { base.payload = operation.payload; });
  }
  void operator()(const format::DeleteKeys& operation) const {
    const std::vector<std::string> keys(operation.keys.begin(), operation.keys.end());
    edit(operation.ids,
         [&](BaseRow& base) { base.payload = payload::delete_keys(base.payload, keys); });
  }
  void operator()(const format::PutVectors& operation) const {
    for (const auto& row : operation.rows) {
      const AlignedVectors changed(row.vectors);
      edit({&row.id, 1}, [&](BaseRow& base) { merge(base.vectors, changed.columns()); });
    }
  }
  void operator()(const format::DeleteVectors& operation) const {
    edit(operation.ids, [&](BaseRow& base) {
      std::erase_if(base.vectors, [&](const ColumnVector& vector) {
        for (const std::uint16_t column : operation.columns)
          if (column == vector.column) return true;
        return false;
      });
    });
  }

 private:
  template <typename Change>
  void edit(std::span<const PointId> ids, const Change& change) const {
    for (const PointId& id : ids) {
      auto base = read_base(target, id);
      if (!base) continue;
      change(*base);
      target.put(id, lsn, base->vectors, base->payload);
    }
  }
  /// `base` with the vectors of `changed` put in; both ascending by column.
  static void merge(std::vector<ColumnVector>& base, const std::vector<ColumnVector>& changed) {
    for (const ColumnVector& vector : changed) {
      auto at = base.begin();
      while (at != base.end() && at->column < vector.column) ++at;
      if (at != base.end() && at->column == vector.column) {
        *at = vector;
      } else {
        base.insert(at, vector);
      }
    }
  }
};

Status check_rows(const std::vector<format::LoggedRow>& rows,
                  const CollectionDefinition& definition) {
  for (const auto& row : rows) {
    std::int64_t previous = -1;
    for (const auto& vector : row.vectors) {
      const auto misfit = [&](const char* what) {
        return fail(ErrorCode::kCorruption, "points record: point " + row.id.to_string() +
                                                ": vector of column " +
                                                std::to_string(vector.column) + " " + what);
      };
      if (vector.column >= definition.vectors.size() || vector.column <= previous)
        return misfit("is no vector of the collection");
      previous = vector.column;
      const auto& expected = definition.vectors[vector.column];
      const std::size_t values = vector.values.size() / sizeof(float);
      const std::size_t indices = vector.indices.size() / sizeof(std::uint32_t);
      if (vector.kind != static_cast<std::uint8_t>(expected.kind))
        return misfit("has another kind");
      switch (expected.kind) {
        case segment::VectorKind::kDense:
          if (values != expected.size || indices != 0) return misfit("has a wrong size");
          break;
        case segment::VectorKind::kMulti:
          if (values == 0 || values % expected.size != 0 || indices != 0)
            return misfit("has a wrong size");
          break;
        case segment::VectorKind::kSparse:
          if (values != indices) return misfit("has a wrong size");
          break;
      }
    }
  }
  return {};
}

Status apply_points(const format::WalRecord& record, NodeState& state) {
  const auto found = state.collections.find(record.collection);
  if (found == state.collections.end()) {
    if (record.lsn <= state.catalog_lsn) return {};  // Dropped later, and the catalog knows.
    return fail(ErrorCode::kCorruption, "log record " + std::to_string(record.lsn) +
                                            " is of an unknown collection " +
                                            std::to_string(record.collection));
  }
  const auto flushed = state.flushed_lsn.find(record.collection);
  if (flushed != state.flushed_lsn.end() && record.lsn <= flushed->second) return {};
  VZ_TRY_ASSIGN(const auto operations, format::decode_points(record.payload));
  LiveCollection& collection = *found->second;
  const auto definition = collection.definition();
  for (const auto& operation : operations) VZ_TRY(check_operation(operation, *definition));
  for (const auto& operation : operations) apply_operation(operation, record.lsn, collection);
  collection.touched(record.lsn, record.time_us);
  return {};
}

Status apply_create(const format::WalRecord& record, NodeState& state, Catalog& catalog) {
  VZ_TRY_ASSIGN(const auto create, format::decode_create_collection(record.payload));
  VZ_TRY_ASSIGN(auto definition, collection::definition_from_json(create.definition));
  const std::string name(create.name);
  auto made = std::make_shared<LiveCollection>(
      state.visibility,
      LiveCollection::Start{
          .id = record.lsn,
          .name = name,
          .definition = std::make_shared<const CollectionDefinition>(std::move(definition)),
          .created_at_us = record.time_us,
          .updated_at_us = record.time_us,
          .segments = {}});
  state.collections[record.lsn] = made;
  if (!name.empty()) catalog.collections[name] = std::move(made);  // Else it arrives.
  return {};
}

Status apply_replace(const format::WalRecord& record, NodeState& state, Catalog& catalog) {
  const auto arrived = state.collections.find(record.collection);
  if (arrived == state.collections.end()) return {};
  VZ_TRY_ASSIGN(const auto replace, format::decode_replace_collection(record.payload));
  const std::string name(replace.name);
  std::shared_ptr<LiveCollection>& place = catalog.collections[name];
  if (place != nullptr) {
    place->mark_dropped();
    for (auto& [alias, target] : catalog.aliases)
      if (target == place->id()) target = record.collection;
    state.collections.erase(place->id());
  }
  place = arrived->second;
  place->give_name(name);
  return {};
}

Status apply_drop(const format::WalRecord& record, NodeState& state, Catalog& catalog) {
  const auto found = state.collections.find(record.collection);
  if (found == state.collections.end()) return {};
  found->second->mark_dropped();
  catalog.collections.erase(found->second->name());
  std::erase_if(catalog.aliases,
                [&](const auto& alias) { return alias.second == record.collection; });
  state.collections.erase(found);
  return {};
}

Status apply_define(const format::WalRecord& record, NodeState& state) {
  const auto found = state.collections.find(record.collection);
  if (found == state.collections.end()) return {};
  VZ_TRY_ASSIGN(const auto define, format::decode_define_collection(record.payload));
  VZ_TRY_ASSIGN(auto definition, collection::definition_from_json(define.definition));
  found->second->define(record.lsn,
                        std::make_shared<const CollectionDefinition>(std::move(definition)));
  return {};
}

Status apply_aliases(const format::WalRecord& record, Catalog& catalog) {
  VZ_TRY_ASSIGN(const auto aliases, format::decode_aliases(record.payload));
  for (const auto& change : aliases.changes) {
    if (change.collection == 0) {
      catalog.aliases.erase(std::string(change.name));
    } else {
      catalog.aliases[std::string(change.name)] = change.collection;
    }
  }
  return {};
}

Status apply_catalog(const format::WalRecord& record, NodeState& state) {
  if (record.lsn <= state.catalog_lsn) return {};
  auto catalog = std::make_shared<Catalog>(*state.catalog);
  switch (record.kind) {
    case format::WalRecordKind::kCreateCollection:
      VZ_TRY(apply_create(record, state, *catalog));
      break;
    case format::WalRecordKind::kDropCollection:
      VZ_TRY(apply_drop(record, state, *catalog));
      break;
    case format::WalRecordKind::kDefineCollection:
      VZ_TRY(apply_define(record, state));
      break;
    case format::WalRecordKind::kAliases:
      VZ_TRY(apply_aliases(record, *catalog));
      break;
    case format::WalRecordKind::kReplaceCollection:
      VZ_TRY(apply_replace(record, state, *catalog));
      break;
    default:  // apply() tells the others apart.
      break;
  }
  state.catalog = std::move(catalog);
  return {};
}

Status apply_security(const format::WalRecord& record, NodeState& state) {
  if (record.lsn <= state.security_lsn) return {};
  VZ_TRY_ASSIGN(const auto change, security::decode_change(record.kind, record.payload));
  state.security = std::make_shared<const security::State>(
      security::applied(*state.security, change, record.time_us));
  return {};
}

}  // namespace

Status check_operation(const format::PointsOperation& operation,
                       const CollectionDefinition& definition) {
  if (const auto* put = std::get_if<format::PutRows>(&operation))
    return check_rows(put->rows, definition);
  if (const auto* put = std::get_if<format::PutVectors>(&operation))
    return check_rows(put->rows, definition);
  return {};
}

void apply_operation(const format::PointsOperation& operation, Lsn lsn,
                     LiveCollection& collection) {
  std::visit(Applier{lsn, collection}, operation);
}

Status apply(const format::WalRecord& record, NodeState& state) {
  if (record.kind == format::WalRecordKind::kPoints) return apply_points(record, state);
  if (security::is_security(record.kind)) return apply_security(record, state);
  return apply_catalog(record, state);
}

}  // namespace vz::log
