#include "engine/api/answer_json.h"

#include "engine/api/json_text.h"

namespace vz::api {
namespace {

using collection::PointSelection;
using collection::VectorValue;

/// Longest shortest-form float32 is 15 characters, with its comma 16; most are shorter.
constexpr std::size_t kFloatTextBytes = 12;

void append_floats(std::string& out, std::span<const float> values) {
  out.reserve(out.size() + values.size() * kFloatTextBytes);
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, values[i]);
  }
  out += ']';
}

void append_vector(std::string& out, const VectorValue& vector) {
  switch (vector.kind) {
    case segment::VectorKind::kDense:
      append_floats(out, vector.values);
      return;
    case segment::VectorKind::kSparse:
      out += "{\"indices\":[";
      for (std::size_t i = 0; i < vector.indices.size(); ++i) {
        if (i > 0) out += ',';
        append_number(out, vector.indices[i]);
      }
      out += "],\"values\":";
      append_floats(out, vector.values);
      out += '}';
      return;
    case segment::VectorKind::kMulti: {
      out += '[';
      const std::span<const float> values = vector.values;
      const std::size_t width = vector.dimension;
      for (std::size_t at = 0; width > 0 && at + width <= values.size(); at += width) {
        if (at > 0) out += ',';
        append_floats(out, values.subspan(at, width));
      }
      out += ']';
      return;
    }
  }
}

/// The default vector alone stands without a name, as in Qdrant.
void append_vectors(std::string& out, std::span<const VectorValue> vectors) {
  out += ",\"vector\":";
  if (vectors.size() == 1 && vectors[0].name.empty()) {
    append_vector(out, vectors[0]);
    return;
  }
  out += '{';
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) out += ',';
    append_string(out, vectors[i].name);
    out += ':';
    append_vector(out, vectors[i]);
  }
  out += '}';
}

void append_selected(std::string& out, const collection::Record& record,
                     const PointSelection& selection) {
  if (selection.payload.mode != payload::Selection::Mode::kNone) {
    out += ",\"payload\":";
    out += record.payload.empty() ? std::string_view("{}") : std::string_view(record.payload);
  }
  if (selection.vectors.mode != collection::VectorSelection::Mode::kNone)
    append_vectors(out, record.vectors);
  out += '}';
}

}  // namespace

void append_record(std::string& out, const collection::Record& record,
                   const PointSelection& selection) {
  out += "{\"id\":";
  append_id(out, record.id);
  append_selected(out, record, selection);
}

void append_scored(std::string& out, const collection::ScoredPoint& point,
                   const PointSelection& selection) {
  out += "{\"id\":";
  append_id(out, point.record.id);
  out += ",\"version\":";
  append_number(out, point.record.version);
  out += ",\"score\":";
  append_number(out, point.score);
  append_selected(out, point.record, selection);
}

void append_records(std::string& out, std::span<const collection::Record> records,
                    const PointSelection& selection) {
  out += '[';
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) out += ',';
    append_record(out, records[i], selection);
  }
  out += ']';
}

void append_scored_points(std::string& out, std::span<const collection::ScoredPoint> points,
                          const PointSelection& selection) {
  out += '[';
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0) out += ',';
    append_scored(out, points[i], selection);
  }
  out += ']';
}

void append_update_result(std::string& out, Lsn lsn, std::string_view status) {
  out += "{\"operation_id\":";
  append_number(out, lsn);
  out += ",\"status\":";
  append_string(out, status);
  out += '}';
}

}  // namespace vz::api
