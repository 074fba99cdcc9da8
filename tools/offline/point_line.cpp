#include "tools/offline/point_line.h"

#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vz::offline {
namespace {

template <typename T>
void append_array(std::string& out, std::span<const T> values) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", values[i]);
  }
  out += ']';
}

void append_vector(std::string& out, const segment::VectorColumn& column,
                   const segment::VectorRef& vector) {
  switch (column.kind) {
    case segment::VectorKind::kDense:
      return append_array(out, vector.values);
    case segment::VectorKind::kSparse:
      out += "{\"indices\":";
      append_array(out, vector.indices);
      out += ",\"values\":";
      append_array(out, vector.values);
      out += '}';
      return;
    case segment::VectorKind::kMulti:
      out += '[';
      for (std::size_t at = 0;
           column.dimension > 0 && at + column.dimension <= vector.values.size();
           at += column.dimension) {
        if (at > 0) out += ',';
        append_array(out, vector.values.subspan(at, column.dimension));
      }
      out += ']';
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string line_of(const PointLine& point) {
  std::string out = "{\"collection\":" + json_string(point.collection) + ",\"id\":";
  const std::string id = point.id.to_string();
  out += point.id.is_number() ? id : "\"" + id + "\"";
  bool named = false;
  for (const collection::ColumnVector& vector : point.vectors) {
    if (vector.column >= point.columns.size()) continue;
    const segment::VectorColumn& column = point.columns[vector.column];
    if (column.name.empty()) {
      out += ",\"vector\":";
    } else {
      out += (named ? "," : ",\"vectors\":{") + json_string(column.name) + ":";
      named = true;
    }
    append_vector(out, column, vector.value);
  }
  if (named) out += '}';
  out += ",\"payload\":";
  out += point.payload.empty() ? "{}" : point.payload;
  out += ",\"version\":" + std::to_string(point.version) + "}";
  return out;
}

}  // namespace vz::offline
