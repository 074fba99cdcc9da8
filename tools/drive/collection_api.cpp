#include "tools/drive/collection_api.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/drive/answer.h"
#include "tools/drive/url.h"

namespace vz::drive {
namespace {

using nlohmann::json;

constexpr std::size_t kPageValuesMax = 1u << 20;  ///< of a scroll: some 10 MB of JSON

/// Appends the default vector of a scrolled point, if it has one.
void append_vector(const json& point, std::size_t dimension, std::vector<float>& out) {
  const auto vector = point.find("vector");
  if (vector == point.end() || !vector->is_array() || vector->size() != dimension) return;
  if (!std::all_of(vector->begin(), vector->end(), [](const json& v) { return v.is_number(); }))
    return;
  for (const json& value : *vector) out.push_back(value.get<float>());
}

}  // namespace

std::string collection_path(std::string_view collection) {
  return "/collections/" + path_part(collection);
}

Result<CollectionShape> collection_shape(HttpClient& http, const std::string& collection) {
  VZ_TRY_ASSIGN(const json info, call_json(http, "GET", collection_path(collection), ""));
  const json::json_pointer vectors("/result/config/params/vectors");
  const json vector = info.contains(vectors) ? info[vectors] : json::object();
  if (!vector.contains("size") || !vector["size"].is_number()) {
    return fail(ErrorCode::kUnsupported,
                "collection '" + collection + "' has no vector without a name");
  }
  return CollectionShape{
      .points = info["result"].value("points_count", std::uint64_t{0}),
      .indexed_points = info["result"].value("indexed_vectors_count", std::uint64_t{0}),
      .dimension = vector["size"].get<std::uint32_t>(),
      .distance = vector.value("distance", "")};
}

Result<std::vector<std::string>> collection_names(HttpClient& http) {
  VZ_TRY_ASSIGN(const json stats, call_json(http, "GET", "/stats", ""));
  std::vector<std::string> names;
  for (const auto& one : stats.value("collections", json::array()))
    names.push_back(one.value("name", ""));
  return names;
}

Status create_collection(HttpClient& http, const std::string& collection, std::size_t dimension,
                         std::string_view distance) {
  const json body = {{"vectors", {{"size", dimension}, {"distance", distance}}}};
  VZ_TRY(call_json(http, "PUT", collection_path(collection), body.dump()));
  return {};
}

Status drop_collection(HttpClient& http, const std::string& collection) {
  VZ_TRY(call_json(http, "DELETE", collection_path(collection), ""));
  return {};
}

Result<std::vector<float>> first_vectors(HttpClient& http, const std::string& collection,
                                         std::size_t count, std::size_t dimension) {
  std::vector<float> values;
  const std::size_t page_rows = std::max<std::size_t>(1, kPageValuesMax / dimension);
  json body = {{"with_vector", true}, {"with_payload", false}};
  while (values.size() < count * dimension) {
    body["limit"] = std::min(page_rows, count - values.size() / dimension);
    VZ_TRY_ASSIGN(
        const json page,
        call_json(http, "POST", collection_path(collection) + "/points/scroll", body.dump()));
    const json& result = page["result"];
    for (const auto& point : result.value("points", json::array()))
      append_vector(point, dimension, values);
    if (!result.contains("next_page_offset") || result["next_page_offset"].is_null()) break;
    body["offset"] = result["next_page_offset"];
  }
  return values;
}

}  // namespace vz::drive
