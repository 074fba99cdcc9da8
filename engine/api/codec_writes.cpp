#include "engine/api/codec_writes.h"

#include <array>

#include "engine/api/codec_shared.h"
#include "engine/api/codec_upsert.h"
#include "engine/api/codec_vectors.h"
#include "engine/payload/filter.h"
#include "engine/payload/payload.h"

namespace vz::api {
namespace {

using body::each_element;
using body::each_field;
using body::failed;
using body::od::value;
using collection::CollectionDefinition;

// ---- operations on selected points -----------------------------------------------------------

/// What the bodies of all other writes are made of; each uses its part.
struct Selected {
  std::optional<log::PointSelector> points;
  std::optional<std::string> payload;
  std::optional<std::string> key;
  std::optional<std::vector<std::string>> keys;
  std::optional<std::vector<std::size_t>> columns;
};

Status read_selector(std::string_view key, value field, Selected& selected) {
  if (selected.points) return failed(format_error("expected either `points` or `filter`, once"));
  if (key == "points") {
    VZ_TRY_ASSIGN(selected.points, body::point_ids(field, limits::kPointsPerWriteMax));
  } else {
    VZ_TRY_ASSIGN(selected.points, body::filter(field));
  }
  return {};
}

Result<std::vector<std::string>> read_key_paths(value field) {
  VZ_TRY_ASSIGN(std::vector<std::string> keys, body::texts(field));
  for (const std::string& key : keys)
    if (Status path = payload::check_key_path(key); !path)
      return failed(adopted(std::move(path).error()));
  return keys;
}

Result<Selected> read_selected(value from, const CollectionDefinition& definition) {
  Selected selected;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "points" || key == "filter") return read_selector(key, field, selected);
    if (key == "payload") {
      VZ_TRY_ASSIGN(selected.payload, body::payload_text(field));
      return {};
    }
    if (key == "key") {
      VZ_TRY_ASSIGN(const std::string_view path, body::text(field));
      if (Status valid = payload::check_key_path(path); !valid)
        return failed(adopted(std::move(valid).error()));
      selected.key = std::string(path);
      return {};
    }
    if (key == "keys") {
      VZ_TRY_ASSIGN(selected.keys, read_key_paths(field));
      return {};
    }
    if (key == "vector") {
      VZ_TRY_ASSIGN(selected.columns, body::columns(field, definition));
      return {};
    }
    return body::other_write_field(key, field);
  }));
  if (!selected.points)
    return failed(format_error("expected `points`, a list of ids, or `filter`"));
  return selected;
}

Result<log::PointOperation> read_selected_write(PointWriteKind kind, value from,
                                                const CollectionDefinition& definition) {
  VZ_TRY_ASSIGN(Selected selected, read_selected(from, definition));
  log::PointSelector points = *std::move(selected.points);
  switch (kind) {
    case PointWriteKind::kDelete:
      return log::DeletePoints{std::move(points)};
    case PointWriteKind::kSetPayload:
      if (!selected.payload) return failed(missing_field("payload"));
      return log::SetPayload{std::move(points), *std::move(selected.payload),
                             std::move(selected.key)};
    case PointWriteKind::kOverwritePayload:
      if (!selected.payload) return failed(missing_field("payload"));
      if (selected.key) return failed(unsupported("`key` when a payload is overwritten"));
      return log::OverwritePayload{std::move(points), *std::move(selected.payload)};
    case PointWriteKind::kDeletePayload:
      if (!selected.keys) return failed(missing_field("keys"));
      return log::DeletePayload{std::move(points), *std::move(selected.keys)};
    case PointWriteKind::kClearPayload:
      return log::ClearPayload{std::move(points)};
    case PointWriteKind::kDeleteVectors:
      if (!selected.columns) return failed(missing_field("vector"));
      return log::DeleteVectors{std::move(points), *std::move(selected.columns)};
    case PointWriteKind::kUpsert:
    case PointWriteKind::kUpdateVectors:
      break;
  }
  return fail(ErrorCode::kInternal, "a write that selects no points");
}

Result<log::PointOperation> read_write(PointWriteKind kind, value from,
                                       const CollectionDefinition& definition) {
  if (kind == PointWriteKind::kUpsert) return body::upsert(from, definition);
  if (kind == PointWriteKind::kUpdateVectors) return body::update_vectors(from, definition);
  return read_selected_write(kind, from, definition);
}

struct NamedKind {
  std::string_view name;
  PointWriteKind kind;
};
constexpr std::array kOperationNames{
    NamedKind{"upsert", PointWriteKind::kUpsert},
    NamedKind{"delete", PointWriteKind::kDelete},
    NamedKind{"set_payload", PointWriteKind::kSetPayload},
    NamedKind{"overwrite_payload", PointWriteKind::kOverwritePayload},
    NamedKind{"delete_payload", PointWriteKind::kDeletePayload},
    NamedKind{"clear_payload", PointWriteKind::kClearPayload},
    NamedKind{"update_vectors", PointWriteKind::kUpdateVectors},
    NamedKind{"delete_vectors", PointWriteKind::kDeleteVectors},
};

Result<log::PointOperation> read_operation(value from, const CollectionDefinition& definition) {
  std::optional<log::PointOperation> operation;
  VZ_TRY(each_field(from, [&](std::string_view name, value field) -> Status {
    if (operation) return failed(format_error("expected one operation in each object"));
    for (const NamedKind& named : kOperationNames) {
      if (named.name != name) continue;
      VZ_TRY_ASSIGN(operation, read_write(named.kind, field, definition));
      return {};
    }
    return failed(format_error("unknown operation"));
  }));
  if (!operation) return failed(format_error("expected an operation, such as {\"upsert\":{..}}"));
  return *std::move(operation);
}

std::size_t points_of(const log::PointOperation& operation) {
  struct Count {
    std::size_t operator()(const log::UpsertPoints& o) const { return o.points.size(); }
    std::size_t operator()(const log::UpdateVectors& o) const { return o.points.size(); }
    std::size_t operator()(const log::DeletePoints& o) const { return ids(o.points); }
    std::size_t operator()(const log::SetPayload& o) const { return ids(o.points); }
    std::size_t operator()(const log::OverwritePayload& o) const { return ids(o.points); }
    std::size_t operator()(const log::DeletePayload& o) const { return ids(o.points); }
    std::size_t operator()(const log::ClearPayload& o) const { return ids(o.points); }
    std::size_t operator()(const log::DeleteVectors& o) const { return ids(o.points); }
    static std::size_t ids(const log::PointSelector& selector) {
      const auto* list = std::get_if<std::vector<PointId>>(&selector);
      return list == nullptr ? 1 : list->size();
    }
  };
  return std::visit(Count{}, operation);
}

}  // namespace

Result<log::PointOperation> decode_write(PointWriteKind kind, std::string& body_text,
                                         const CollectionDefinition& definition) {
  std::optional<log::PointOperation> operation;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    VZ_TRY_ASSIGN(operation, read_write(kind, root, definition));
    return {};
  }));
  return *std::move(operation);
}

Result<std::vector<log::PointOperation>> decode_operations(std::string& body_text,
                                                           const CollectionDefinition& definition) {
  std::vector<log::PointOperation> operations;
  bool given = false;
  std::size_t points = 0;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    return each_field(root, [&](std::string_view key, value field) -> Status {
      if (key != "operations") return body::other_write_field(key, field);
      given = true;
      operations.clear();
      return each_element(field, [&](value element, std::size_t) -> Status {
        VZ_TRY_ASSIGN(log::PointOperation operation, read_operation(element, definition));
        points += points_of(operation) + 1;
        if (points > limits::kPointsPerWriteMax) return body::too_many_points();
        operations.push_back(std::move(operation));
        return {};
      });
    });
  }));
  if (!given) return failed(finished(missing_field("operations")));
  return operations;
}

}  // namespace vz::api