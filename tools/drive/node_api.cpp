#include "tools/drive/node_api.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "tools/drive/answer.h"
#include "tools/drive/collection_api.h"

namespace vz::drive {
namespace {

using nlohmann::json;

std::uint64_t number(const json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_number() ? value->get<std::uint64_t>() : 0;
}

/// Shortest text that reads back as the same float: a quarter of the bytes that a double takes.
void append_vector(std::span<const float> values, std::string& out) {
  out += '[';
  for (std::size_t index = 0; index < values.size(); ++index) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, values[index]).ptr;
    if (index > 0) out += ',';
    out.append(text, end);
  }
  out += ']';
}

}  // namespace

Result<CollectionNumbers> collection_numbers(HttpClient& http, const std::string& collection) {
  VZ_TRY_ASSIGN(const json stats, call_json(http, "GET", "/stats", ""));
  CollectionNumbers numbers;
  for (const auto& one : stats.value("collections", json::array())) {
    if (one.value("name", "") != collection) continue;
    numbers = {.exists = true,
               .vectors = number(one, "vectors"),
               .indexed_vectors = number(one, "indexed_vectors"),
               .segments = number(one, "segments"),
               .size_bytes = number(one, "size_bytes"),
               .searches = number(one, "searches"),
               .distance_evaluations = number(one, "distance_evaluations")};
  }
  return numbers;
}

std::string upsert_body(std::span<const float> values, std::size_t dimension,
                        std::span<const std::string> payloads, std::size_t first) {
  std::string body = R"({"points":[)";
  for (std::size_t row = 0; row < payloads.size(); ++row) {
    if (row > 0) body += ',';
    body += R"({"id":)" + std::to_string(first + row) + R"(,"vector":)";
    append_vector(values.subspan(row * dimension, dimension), body);
    body += R"(,"payload":)" + payloads[row] + "}";
  }
  return body + "]}";
}

Status upsert(HttpClient& http, const std::string& collection, const std::string& body) {
  VZ_TRY(call_json(http, "PUT", collection_path(collection) + "/points", body));
  return {};
}

std::string search_body(std::span<const float> query, const std::string& filter, std::size_t limit,
                        Accuracy accuracy, std::size_t ef) {
  std::string body = R"({"query":)";
  append_vector(query, body);
  body += R"(,"limit":)" + std::to_string(limit);
  if (!filter.empty()) body += R"(,"filter":)" + filter;
  if (accuracy == Accuracy::kExact) body += R"(,"params":{"exact":true})";
  if (accuracy == Accuracy::kDefault && ef > 0)
    body += R"(,"params":{"hnsw_ef":)" + std::to_string(ef) + "}";
  return body + "}";
}

Result<std::vector<std::int64_t>> ids_of_answer(const HttpAnswer& answer) {
  VZ_TRY_ASSIGN(json parsed, json_of("search", answer));
  std::vector<std::int64_t> ids;
  for (const auto& point : parsed["result"]["points"]) {
    ids.push_back(point.value("id", std::int64_t{-1}));
  }
  return ids;
}

Result<std::vector<Scored>> scored_of_answer(const HttpAnswer& answer) {
  VZ_TRY_ASSIGN(json parsed, json_of("search", answer));
  std::vector<Scored> scored;
  for (const auto& point : parsed["result"]["points"]) {
    scored.push_back({.id = point.value("id", json()).dump(), .score = point.value("score", 0.0)});
  }
  return scored;
}

}  // namespace vz::drive
