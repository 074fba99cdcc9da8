#include "engine/api/codec_vectors.h"

#include <algorithm>
#include <numeric>

#include "engine/vector/distance.h"

namespace vz::api::body {
namespace {

using collection::CollectionDefinition;
using collection::VectorDefinition;

tl::unexpected<Error> unknown_name(std::string_view name) {
  return fail(ErrorCode::kInvalidArgument, "Not existing vector name error: " + std::string(name));
}

Status check_dimension(const VectorDefinition& definition, std::size_t found) {
  if (found == definition.size) return {};
  return fail(ErrorCode::kInvalidArgument,
              "Vector dimension error: expected dim: " + std::to_string(definition.size) +
                  ", got " + std::to_string(found));
}

Status read_dense(od::value value, const VectorDefinition& definition, std::vector<float>& out) {
  const std::size_t first = out.size();
  out.reserve(first + definition.size);
  VZ_TRY(floats(value, out));
  VZ_TRY(check_dimension(definition, out.size() - first));
  if (definition.distance == vector::Distance::kCosine)
    vector::normalize(std::span(out).subspan(first));
  return {};
}

/// Rows of a multi-vector, or one row without its brackets.
Status read_multi(od::value value, const VectorDefinition& definition, std::vector<float>& out) {
  std::vector<float> bare;
  VZ_TRY(each_element(value, [&](od::value element, std::size_t) -> Status {
    VZ_TRY_ASSIGN(const od::json_type type, type_of(element));
    if (type == od::json_type::array) return read_dense(element, definition, out);
    VZ_TRY_ASSIGN(const double one, number(element));
    if (!std::isfinite(static_cast<float>(one))) return expected("a finite 32-bit number");
    bare.push_back(static_cast<float>(one));
    return {};
  }));
  if (!bare.empty() && !out.empty()) return expected("rows of numbers, or numbers, not both");
  if (out.empty()) {
    VZ_TRY(check_dimension(definition, bare.size()));
    if (definition.distance == vector::Distance::kCosine) vector::normalize(bare);
    out = std::move(bare);
  }
  return {};
}

/// Sorts a sparse vector by index, as the log and the segments hold it.
Status sort_sparse(log::PointVector& sparse) {
  if (sparse.indices.size() != sparse.values.size())
    return tl::unexpected<Error>(within(
        range_error(std::to_string(sparse.values.size()) + " values",
                    "must be as many as the " + std::to_string(sparse.indices.size()) + " indices"),
        "values"));
  std::vector<std::size_t> order(sparse.indices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return sparse.indices[a] < sparse.indices[b]; });
  log::PointVector sorted{.column = sparse.column, .values = {}, .indices = {}};
  sorted.values.reserve(order.size());
  sorted.indices.reserve(order.size());
  for (const std::size_t at : order) {
    if (!sorted.indices.empty() && sorted.indices.back() == sparse.indices[at])
      return tl::unexpected<Error>(
          within(range_error(std::to_string(sparse.indices[at]), "must be unique"), "indices"));
    sorted.indices.push_back(sparse.indices[at]);
    sorted.values.push_back(sparse.values[at]);
  }
  sparse = std::move(sorted);
  return {};
}

Status read_sparse(od::value value, log::PointVector& out) {
  VZ_TRY(each_field(value, [&](std::string_view key, od::value field) -> Status {
    if (key == "values") {
      out.values.clear();
      return floats(field, out.values);
    }
    if (key == "indices") {
      VZ_TRY_ASSIGN(out.indices, indices(field));
      return {};
    }
    return tl::unexpected<Error>(format_error("expected indices and values of a sparse vector"));
  }));
  return sort_sparse(out);
}

Result<log::PointVector> read_column(od::value value, std::size_t column,
                                     const CollectionDefinition& definition) {
  const VectorDefinition& wanted = definition.vectors[column];
  log::PointVector read{.column = column, .values = {}, .indices = {}};
  VZ_TRY_ASSIGN(const od::json_type type, type_of(value));
  const bool is_object = type == od::json_type::object;
  if (is_object != (wanted.kind == segment::VectorKind::kSparse)) {
    if (is_object)
      return tl::unexpected<Error>(unsupported(
          "a sparse vector or an inference object for the dense vector '" + wanted.name + "'"));
    return expected("{indices, values} for the sparse vector '" + wanted.name + "'");
  }
  if (is_object) {
    VZ_TRY(read_sparse(value, read));
  } else if (wanted.kind == segment::VectorKind::kMulti) {
    VZ_TRY(read_multi(value, wanted, read.values));
  } else {
    VZ_TRY(read_dense(value, wanted, read.values));
  }
  return read;
}

}  // namespace

Result<log::PointVector> named_vector(od::value value, std::string_view name,
                                      const CollectionDefinition& definition) {
  const auto column = definition.column(name);
  if (!column) return unknown_name(name);
  return read_column(value, *column, definition);
}

Result<std::vector<log::PointVector>> point_vectors(od::value value,
                                                    const CollectionDefinition& definition) {
  std::vector<log::PointVector> vectors;
  VZ_TRY_ASSIGN(const od::json_type type, type_of(value));
  if (type != od::json_type::object) {
    VZ_TRY_ASSIGN(log::PointVector only, named_vector(value, "", definition));
    vectors.push_back(std::move(only));
    return vectors;
  }
  VZ_TRY(each_field(value, [&](std::string_view name, od::value field) -> Status {
    VZ_TRY_ASSIGN(log::PointVector one, named_vector(field, name, definition));
    const auto same = [&](const log::PointVector& other) { return other.column == one.column; };
    if (std::any_of(vectors.begin(), vectors.end(), same))
      return tl::unexpected<Error>(format_error("vector name given twice"));
    vectors.push_back(std::move(one));
    return {};
  }));
  std::sort(vectors.begin(), vectors.end(),
            [](const auto& a, const auto& b) { return a.column < b.column; });
  return vectors;
}

Result<std::vector<std::size_t>> columns(od::value value, const CollectionDefinition& definition) {
  std::vector<std::size_t> found;
  VZ_TRY_ASSIGN(const std::vector<std::string> names, texts(value));
  if (names.empty()) return tl::unexpected<Error>(range_error("[]", "must have at least one name"));
  for (const std::string& name : names) {
    const auto column = definition.column(name);
    if (!column) return unknown_name(name);
    found.push_back(*column);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace vz::api::body
