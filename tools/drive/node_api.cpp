#include "tools/drive/node_api.h"

#include <charconv>

#include <nlohmann/json.hpp>

namespace vz::drive {
namespace {

using nlohmann::json;

constexpr std::size_t kQuotedBytesMax = 500;  ///< of an unexpected answer

tl::unexpected<Error> unexpected(const std::string& call, const HttpAnswer& answer) {
  return fail(ErrorCode::kInternal, call + " answered " + std::to_string(answer.status) + " " +
                                        answer.body.substr(0, kQuotedBytesMax));
}

Result<json> call(HttpClient& http, const std::string& method, const std::string& path,
                  const std::string& body) {
  VZ_TRY_ASSIGN(const auto answer, http.request(method, path, body));
  json parsed = json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || parsed.is_discarded()) return unexpected(method + " " + path, answer);
  return parsed;
}

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
  VZ_TRY_ASSIGN(const json stats, call(http, "GET", "/stats", ""));
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

Status create_collection(HttpClient& http, const std::string& collection, std::size_t dimension,
                         std::string_view distance) {
  const json body = {{"vectors", {{"size", dimension}, {"distance", distance}}}};
  VZ_TRY(call(http, "PUT", "/collections/" + collection, body.dump()));
  return {};
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
  VZ_TRY(call(http, "PUT", "/collections/" + collection + "/points", body));
  return {};
}

std::string search_body(std::span<const float> query, const std::string& filter, std::size_t limit,
                        Accuracy accuracy) {
  std::string body = R"({"query":)";
  append_vector(query, body);
  body += R"(,"limit":)" + std::to_string(limit);
  if (!filter.empty()) body += R"(,"filter":)" + filter;
  if (accuracy == Accuracy::kExact) body += R"(,"params":{"exact":true})";
  return body + "}";
}

Result<std::vector<std::int64_t>> ids_of_answer(const HttpAnswer& answer) {
  const json parsed = json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || parsed.is_discarded()) return unexpected("search", answer);
  std::vector<std::int64_t> ids;
  for (const auto& point : parsed["result"]["points"]) {
    ids.push_back(point.value("id", std::int64_t{-1}));
  }
  return ids;
}

}  // namespace vz::drive
