#include "engine/api/codec_writes.h"

#include <array>

#include "engine/api/codec_vectors.h"
#include "engine/payload/filter.h"
#include "engine/payload/payload.h"

namespace vz::api {
namespace {

using body::each_element;
using body::each_field;
using body::od::value;
using collection::CollectionDefinition;

tl::unexpected<Error> failed(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

Result<std::string> read_payload(value field) {
  VZ_TRY_ASSIGN(const std::string_view source, body::object_source(field));
  auto canonical = payload::canonical(source);
  if (!canonical) return failed(adopted(std::move(canonical).error()));
  return *std::move(canonical);
}

Result<payload::Filter> read_filter(value field) {
  VZ_TRY_ASSIGN(const std::string_view source, body::object_source(field));
  auto filter = payload::parse_filter(source);
  if (!filter) return failed(adopted(std::move(filter).error()));
  return *std::move(filter);
}

/// Fields that would change what a write means, and that are not built yet.
Status other_field(std::string_view key, value field) {
  if (key == "shard_key" || key == "update_filter")
    return failed(unsupported("`" + std::string(key) + "`"));
  return body::skip(field);
}

Status too_many_points() {
  return failed(
      within(range_error("more", "must be at most " + std::to_string(limits::kPointsPerWriteMax)),
             "number of points"));
}

// ---- points --------------------------------------------------------------------------------

Result<log::PointData> read_point(value from, const CollectionDefinition& definition) {
  log::PointData point;
  bool has_id = false;
  bool has_vector = false;
  point.payload = "{}";
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "id") {
      VZ_TRY_ASSIGN(point.id, body::point_id(field));
      has_id = true;
      return {};
    }
    if (key == "vector") {
      VZ_TRY_ASSIGN(point.vectors, body::point_vectors(field, definition));
      has_vector = true;
      return {};
    }
    if (key == "payload") {
      VZ_TRY_ASSIGN(point.payload, read_payload(field));
      return {};
    }
    return other_field(key, field);
  }));
  if (!has_id) return failed(missing_field("id"));
  if (!has_vector) return failed(missing_field("vector"));
  return point;
}

Result<std::vector<log::PointData>> read_points(value from,
                                                const CollectionDefinition& definition) {
  std::vector<log::PointData> points;
  VZ_TRY(each_element(from, [&](value element, std::size_t) -> Status {
    if (points.size() == limits::kPointsPerWriteMax) return too_many_points();
    VZ_TRY_ASSIGN(log::PointData point, read_point(element, definition));
    points.push_back(std::move(point));
    return {};
  }));
  return points;
}

/// The column form of an upsert: ids, vectors and payloads side by side.
struct Batch {
  std::vector<PointId> ids;
  std::vector<std::vector<log::PointVector>> vectors;
  std::vector<std::string> payloads;
  bool has_ids = false;
  bool has_vectors = false;
  bool has_payloads = false;
};

tl::unexpected<Error> uneven(std::size_t ids, std::size_t found, std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "batch has " + std::to_string(ids) + " ids and " +
                                               std::to_string(found) + " " + std::string(what));
}

Status read_batch_vectors(value from, const CollectionDefinition& definition, Batch& batch) {
  batch.vectors.clear();
  VZ_TRY_ASSIGN(const body::od::json_type type, body::type_of(from));
  const auto slot = [&](std::size_t index) -> std::vector<log::PointVector>& {
    if (batch.vectors.size() <= index) batch.vectors.resize(index + 1);
    return batch.vectors[index];
  };
  const auto read_list = [&](value list, std::string_view name) {
    return each_element(list, [&](value element, std::size_t index) -> Status {
      if (index == limits::kPointsPerWriteMax) return too_many_points();
      VZ_TRY_ASSIGN(log::PointVector one, body::named_vector(element, name, definition));
      for (const log::PointVector& other : slot(index))
        if (other.column == one.column) return failed(format_error("vector name given twice"));
      auto& row = slot(index);
      auto at = row.begin();
      while (at != row.end() && at->column < one.column) ++at;
      row.insert(at, std::move(one));
      return {};
    });
  };
  if (type != body::od::json_type::object) return read_list(from, "");
  std::optional<std::size_t> rows;
  return each_field(from, [&](std::string_view name, value list) -> Status {
    std::size_t count = 0;
    if (list.count_elements().get(count)) return body::expected("an array of vectors");
    if (rows && *rows != count)
      return fail(ErrorCode::kInvalidArgument, "batch has " + std::to_string(*rows) + " and " +
                                                   std::to_string(count) +
                                                   " vectors of different names");
    rows = count;
    return read_list(list, name);
  });
}

Status read_batch_payloads(value from, Batch& batch) {
  batch.payloads.clear();
  return each_element(from, [&](value element, std::size_t) -> Status {
    bool absent = false;
    if (element.is_null().get(absent)) return body::expected("an object");
    if (absent) {
      batch.payloads.emplace_back("{}");
      return {};
    }
    VZ_TRY_ASSIGN(std::string payload, read_payload(element));
    batch.payloads.push_back(std::move(payload));
    return {};
  });
}

Result<std::vector<log::PointData>> read_batch(value from, const CollectionDefinition& definition) {
  Batch batch;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "ids") {
      VZ_TRY_ASSIGN(batch.ids, body::point_ids(field, limits::kPointsPerWriteMax));
      batch.has_ids = true;
      return {};
    }
    if (key == "vectors") {
      batch.has_vectors = true;
      return read_batch_vectors(field, definition, batch);
    }
    if (key == "payloads") {
      batch.has_payloads = true;
      return read_batch_payloads(field, batch);
    }
    return other_field(key, field);
  }));
  const std::size_t count = batch.ids.size();
  if (!batch.has_ids) return failed(missing_field("ids"));
  if (!batch.has_vectors) return failed(missing_field("vectors"));
  if (batch.vectors.size() != count) return uneven(count, batch.vectors.size(), "vectors");
  if (batch.has_payloads && batch.payloads.size() != count)
    return uneven(count, batch.payloads.size(), "payloads");
  std::vector<log::PointData> points(count);
  for (std::size_t i = 0; i < count; ++i) {
    points[i] = {.id = batch.ids[i],
                 .vectors = std::move(batch.vectors[i]),
                 .payload = batch.has_payloads ? std::move(batch.payloads[i]) : "{}"};
  }
  return points;
}

Result<log::UpsertMode> read_mode(value field) {
  VZ_TRY_ASSIGN(const std::string_view mode, body::text(field));
  if (mode == "upsert") return log::UpsertMode::kUpsert;
  if (mode == "insert_only") return log::UpsertMode::kInsertOnly;
  if (mode == "update_only") return log::UpsertMode::kUpdateOnly;
  return failed(format_error("expected upsert, insert_only or update_only"));
}

Result<log::PointOperation> read_upsert(value from, const CollectionDefinition& definition) {
  log::UpsertPoints upsert;
  bool given = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "points" || key == "batch") {
      if (given) return failed(format_error("expected either `points` or `batch`, once"));
      given = true;
      VZ_TRY_ASSIGN(upsert.points, key == "points" ? read_points(field, definition)
                                                   : read_batch(field, definition));
      return {};
    }
    if (key == "update_mode") {
      VZ_TRY_ASSIGN(upsert.mode, read_mode(field));
      return {};
    }
    return other_field(key, field);
  }));
  if (!given) return failed(missing_field("points"));
  return upsert;
}

Result<log::PointOperation> read_update_vectors(value from,
                                                const CollectionDefinition& definition) {
  log::UpdateVectors update;
  bool given = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key != "points") return other_field(key, field);
    given = true;
    VZ_TRY_ASSIGN(update.points, read_points(field, definition));
    return {};
  }));
  if (!given) return failed(missing_field("points"));
  return update;
}

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
    VZ_TRY_ASSIGN(selected.points, read_filter(field));
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
      VZ_TRY_ASSIGN(selected.payload, read_payload(field));
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
    return other_field(key, field);
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
  if (kind == PointWriteKind::kUpsert) return read_upsert(from, definition);
  if (kind == PointWriteKind::kUpdateVectors) return read_update_vectors(from, definition);
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
      if (key != "operations") return other_field(key, field);
      given = true;
      operations.clear();
      return each_element(field, [&](value element, std::size_t) -> Status {
        VZ_TRY_ASSIGN(log::PointOperation operation, read_operation(element, definition));
        points += points_of(operation) + 1;
        if (points > limits::kPointsPerWriteMax) return too_many_points();
        operations.push_back(std::move(operation));
        return {};
      });
    });
  }));
  if (!given) return failed(finished(missing_field("operations")));
  return operations;
}

}  // namespace vz::api
