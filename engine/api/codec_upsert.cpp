#include "engine/api/codec_upsert.h"

#include "engine/api/codec_shared.h"
#include "engine/api/codec_vectors.h"

namespace vz::api::body {
namespace {

using collection::CollectionDefinition;
using od::value;

Result<log::PointData> read_point(value from, const CollectionDefinition& definition) {
  log::PointData point;
  bool has_id = false;
  bool has_vector = false;
  point.payload = "{}";
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "id") {
      VZ_TRY_ASSIGN(point.id, point_id(field));
      has_id = true;
      return {};
    }
    if (key == "vector") {
      VZ_TRY_ASSIGN(point.vectors, point_vectors(field, definition));
      has_vector = true;
      return {};
    }
    if (key == "payload") {
      VZ_TRY_ASSIGN(point.payload, payload_text(field));
      return {};
    }
    return other_write_field(key, field);
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
  VZ_TRY_ASSIGN(const od::json_type type, type_of(from));
  const auto slot = [&](std::size_t index) -> std::vector<log::PointVector>& {
    if (batch.vectors.size() <= index) batch.vectors.resize(index + 1);
    return batch.vectors[index];
  };
  const auto read_list = [&](value list, std::string_view name) {
    return each_element(list, [&](value element, std::size_t index) -> Status {
      if (index == limits::kPointsPerWriteMax) return too_many_points();
      VZ_TRY_ASSIGN(log::PointVector one, named_vector(element, name, definition));
      for (const log::PointVector& other : slot(index))
        if (other.column == one.column) return failed(format_error("vector name given twice"));
      auto& row = slot(index);
      auto at = row.begin();
      while (at != row.end() && at->column < one.column) ++at;
      row.insert(at, std::move(one));
      return {};
    });
  };
  if (type != od::json_type::object) return read_list(from, "");
  std::optional<std::size_t> rows;
  return each_field(from, [&](std::string_view name, value list) -> Status {
    std::size_t count = 0;
    if (list.count_elements().get(count)) return expected("an array of vectors");
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
    if (element.is_null().get(absent)) return expected("an object");
    if (absent) {
      batch.payloads.emplace_back("{}");
      return {};
    }
    VZ_TRY_ASSIGN(std::string payload, payload_text(element));
    batch.payloads.push_back(std::move(payload));
    return {};
  });
}

Result<std::vector<log::PointData>> read_batch(value from, const CollectionDefinition& definition) {
  Batch batch;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "ids") {
      VZ_TRY_ASSIGN(batch.ids, point_ids(field, limits::kPointsPerWriteMax));
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
    return other_write_field(key, field);
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
  VZ_TRY_ASSIGN(const std::string_view mode, text(field));
  if (mode == "upsert") return log::UpsertMode::kUpsert;
  if (mode == "insert_only") return log::UpsertMode::kInsertOnly;
  if (mode == "update_only") return log::UpsertMode::kUpdateOnly;
  return failed(format_error("expected upsert, insert_only or update_only"));
}

}  // namespace

Result<log::PointOperation> upsert(od::value from, const CollectionDefinition& definition) {
  log::UpsertPoints out;
  bool given = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "points" || key == "batch") {
      if (given) return failed(format_error("expected either `points` or `batch`, once"));
      given = true;
      VZ_TRY_ASSIGN(out.points, key == "points" ? read_points(field, definition)
                                                : read_batch(field, definition));
      return {};
    }
    if (key == "update_mode") {
      VZ_TRY_ASSIGN(out.mode, read_mode(field));
      return {};
    }
    return other_write_field(key, field);
  }));
  if (!given) return failed(missing_field("points"));
  return out;
}

Result<log::PointOperation> update_vectors(od::value from, const CollectionDefinition& definition) {
  log::UpdateVectors update;
  bool given = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key != "points") return other_write_field(key, field);
    given = true;
    VZ_TRY_ASSIGN(update.points, read_points(field, definition));
    return {};
  }));
  if (!given) return failed(missing_field("points"));
  return update;
}

}  // namespace vz::api::body
