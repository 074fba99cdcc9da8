#include "engine/log/resolve.h"

#include <algorithm>
#include <cstdint>

namespace vz::log {
namespace {

using collection::LiveCollection;
using Resolved = Result<std::optional<format::PointsOperation>>;

std::vector<format::LoggedVector> logged(const std::vector<PointVector>& vectors,
                                         const collection::CollectionDefinition& definition) {
  std::vector<format::LoggedVector> out;
  out.reserve(vectors.size());
  for (const PointVector& vector : vectors)
    out.push_back({.column = static_cast<std::uint16_t>(vector.column),
                   .kind = static_cast<std::uint8_t>(definition.vectors[vector.column].kind),
                   .values = std::as_bytes(std::span(vector.values)),
                   .indices = std::as_bytes(std::span(vector.indices))});
  return out;
}

struct Resolver {
  const LiveCollection& collection;
  std::shared_ptr<const collection::CollectionDefinition> definition = collection.definition();

  Resolved operator()(const UpsertPoints& operation) const {
    format::PutRows out;
    out.rows.reserve(operation.points.size());
    for (const PointData& point : operation.points) {
      if (operation.mode != UpsertMode::kUpsert) {
        const bool exists = collection.find_live(point.id).has_value();
        if (exists == (operation.mode == UpsertMode::kInsertOnly)) continue;
      }
      out.rows.push_back({.id = point.id,
                          .vectors = logged(point.vectors, *definition),
                          .payload = point.payload});
    }
    VZ_TRY(check_rows(out.rows.size()));
    if (out.rows.empty()) return std::nullopt;
    return out;
  }
  Resolved operator()(const DeletePoints& operation) const {
    VZ_TRY_ASSIGN(auto ids, living(operation.points));
    if (ids.empty()) return std::nullopt;
    return format::DeleteRows{std::move(ids)};
  }
  Resolved operator()(const SetPayload& operation) const {
    VZ_TRY_ASSIGN(auto ids, existing(operation.points));
    if (ids.empty()) return std::nullopt;
    return format::SetPayload{.ids = std::move(ids),
                              .has_key = operation.key.has_value(),
                              .key = operation.key ? std::string_view(*operation.key) : "",
                              .patch = operation.payload};
  }
  Resolved operator()(const OverwritePayload& operation) const {
    return replace(operation.points, operation.payload);
  }
  Resolved operator()(const ClearPayload& operation) const {
    return replace(operation.points, "{}");
  }
  Resolved operator()(const DeletePayload& operation) const {
    VZ_TRY_ASSIGN(auto ids, existing(operation.points));
    if (ids.empty()) return std::nullopt;
    return format::DeleteKeys{.ids = std::move(ids),
                              .keys = {operation.keys.begin(), operation.keys.end()}};
  }
  Resolved operator()(const UpdateVectors& operation) const {
    format::PutVectors out;
    for (const PointData& point : operation.points) {
      if (!collection.find_live(point.id)) return missing(point.id);
      out.rows.push_back({.id = point.id, .vectors = logged(point.vectors, *definition)});
    }
    VZ_TRY(check_rows(out.rows.size()));
    if (out.rows.empty()) return std::nullopt;
    return out;
  }
  Resolved operator()(const DeleteVectors& operation) const {
    VZ_TRY_ASSIGN(auto ids, existing(operation.points));
    if (ids.empty()) return std::nullopt;
    format::DeleteVectors out{.ids = std::move(ids)};
    for (const std::size_t column : operation.columns)
      out.columns.push_back(static_cast<std::uint16_t>(column));
    return out;
  }

 private:
  static tl::unexpected<Error> missing(const PointId& id) {
    return fail(ErrorCode::kNotFound, "No point with id " + id.to_string() + " found");
  }
  [[nodiscard]] Status check_rows(std::size_t rows) const {
    const std::size_t rows_max = collection.active().row_room();
    if (rows <= rows_max) return {};
    return fail(ErrorCode::kTooLarge, "the write changes " + std::to_string(rows) +
                                          " points or more; one write may change " +
                                          std::to_string(rows_max) +
                                          ": split it, by id ranges for example");
  }
  Result<std::vector<PointId>> matching(const payload::Filter& filter) const {
    VZ_TRY_ASSIGN(auto ids, collection.find_matching(filter, collection.active().row_room()));
    VZ_TRY(check_rows(ids.size()));
    return ids;
  }
  /// The selected ids that live; ids that do not are passed over.
  Result<std::vector<PointId>> living(const PointSelector& selector) const {
    if (const auto* filter = std::get_if<payload::Filter>(&selector)) return matching(*filter);
    std::vector<PointId> ids;
    for (const PointId& id : std::get<std::vector<PointId>>(selector))
      if (collection.find_live(id)) ids.push_back(id);
    return ids;
  }
  /// The selected ids; each that was named must live.
  Result<std::vector<PointId>> existing(const PointSelector& selector) const {
    if (const auto* filter = std::get_if<payload::Filter>(&selector)) return matching(*filter);
    const auto& ids = std::get<std::vector<PointId>>(selector);
    VZ_TRY(check_rows(ids.size()));
    for (const PointId& id : ids)
      if (!collection.find_live(id)) return missing(id);
    return ids;
  }
  Resolved replace(const PointSelector& selector, std::string_view payload) const {
    VZ_TRY_ASSIGN(auto ids, existing(selector));
    if (ids.empty()) return std::nullopt;
    return format::ReplacePayload{.ids = std::move(ids), .payload = payload};
  }
};

}  // namespace

Resolved resolve(const PointOperation& operation, const LiveCollection& collection) {
  return std::visit(Resolver{collection}, operation);
}

}  // namespace vz::log
