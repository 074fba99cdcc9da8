#include "tests/fault/kill_loop/observe.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "tests/fault/kill_loop/workload.h"

namespace vz::kill_loop {
namespace {

using drive::HttpClient;
using nlohmann::json;

constexpr int kPageRows = 500;

/// The JSON of a 200 answer.
Result<json> call(HttpClient& http, std::string_view method, const std::string& path,
                  const std::string& body) {
  VZ_TRY_ASSIGN(const auto answer, http.request(method, path, body));
  json parsed = json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || parsed.is_discarded()) {
    return fail(ErrorCode::kInternal, std::string(method) + " " + path + " answered " +
                                          std::to_string(answer.status) + " " + answer.body);
  }
  return parsed;
}

std::pair<std::string, PointState> to_point(const json& record, Lsn version) {
  const json payload = record.value("payload", json());
  return {record.at("id").dump(),
          {.version = version,
           .vector = record.at("vector").get<std::vector<float>>(),
           .payload = payload.is_null() ? "{}" : payload.dump()}};
}

/// Records carry no version in the answers of scroll; a search's points do.
Result<std::map<std::string, Lsn>> versions(HttpClient& http, const std::string& collection,
                                            const Points& points) {
  std::map<std::string, Lsn> found;
  if (points.empty()) return found;
  const json body = {{"vector", points.begin()->second.vector},
                     {"limit", 10'000},
                     {"params", {{"exact", true}}},
                     {"with_payload", false}};
  VZ_TRY_ASSIGN(const json answer,
                call(http, "POST", "/collections/" + collection + "/points/search", body.dump()));
  for (const auto& point : answer.at("result")) {
    if (!found.emplace(point.at("id").dump(), point.at("version").get<Lsn>()).second) {
      return fail(ErrorCode::kInternal,
                  collection + ": search returned " + point.at("id").dump() + " twice");
    }
  }
  return found;
}

Result<Points> scroll(HttpClient& http, const std::string& collection, const json& filter) {
  Points points;
  json offset;
  do {
    json body = {{"limit", kPageRows}, {"with_payload", true}, {"with_vector", true}};
    if (!filter.is_null()) body["filter"] = filter;
    if (!offset.is_null()) body["offset"] = offset;
    VZ_TRY_ASSIGN(const json answer,
                  call(http, "POST", "/collections/" + collection + "/points/scroll", body.dump()));
    const json& result = answer.at("result");
    for (const auto& record : result.at("points")) {
      if (!points.insert(to_point(record, 0)).second) {
        return fail(ErrorCode::kInternal,
                    collection + ": scroll returned point " + record.at("id").dump() + " twice");
      }
    }
    offset = result.value("next_page_offset", json());
  } while (!offset.is_null());
  return points;
}

Result<Points> read_collection(HttpClient& http, const std::string& collection) {
  VZ_TRY_ASSIGN(Points points, scroll(http, collection, json()));
  VZ_TRY_ASSIGN(const auto by_id, versions(http, collection, points));
  if (by_id.size() != points.size()) {
    return fail(ErrorCode::kInternal, collection + ": scroll found " +
                                          std::to_string(points.size()) + " points, exact search " +
                                          std::to_string(by_id.size()));
  }
  for (auto& [id, point] : points) {
    const auto version = by_id.find(id);
    if (version == by_id.end()) {
      return fail(ErrorCode::kInternal, collection + ": exact search did not find point " + id);
    }
    point.version = version->second;
  }
  return points;
}

Status check_by_id(HttpClient& http, const std::string& collection, const Points& expected,
                   const std::vector<std::string>& absent) {
  json ids = json::array();
  for (const auto& [id, point] : expected) ids.push_back(json::parse(id));
  for (const auto& id : absent) ids.push_back(json::parse(id));
  if (ids.empty()) return {};
  const json body = {{"ids", ids}, {"with_payload", true}, {"with_vector", true}};
  VZ_TRY_ASSIGN(const json answer,
                call(http, "POST", "/collections/" + collection + "/points", body.dump()));
  std::size_t found = 0;
  for (const auto& record : answer.at("result")) {
    const auto [id, point] = to_point(record, 0);
    const auto wanted = expected.find(id);
    if (wanted == expected.end()) {
      return fail(ErrorCode::kInternal, collection + ": get by id found deleted point " + id);
    }
    if (wanted->second.vector != point.vector || wanted->second.payload != point.payload) {
      return fail(ErrorCode::kInternal,
                  collection + ": get by id and scroll differ at point " + id);
    }
    ++found;
  }
  if (found == expected.size()) return {};
  return fail(ErrorCode::kInternal, collection + ": get by id found " + std::to_string(found) +
                                        " of " + std::to_string(expected.size()) + " points");
}

Status check_count(HttpClient& http, const std::string& collection, const json& body,
                   std::size_t expected) {
  VZ_TRY_ASSIGN(const json answer,
                call(http, "POST", "/collections/" + collection + "/points/count", body.dump()));
  const auto count = answer.at("result").at("count").get<std::size_t>();
  if (count == expected) return {};
  return fail(ErrorCode::kInternal, collection + ": count " + body.dump() + " is " +
                                        std::to_string(count) + ", expected " +
                                        std::to_string(expected));
}

Status check_filter(HttpClient& http, const std::string& collection, const json& filter,
                    const Points& expected) {
  Points passing;
  for (const auto& [id, point] : expected) {
    if (passes(filter.dump(), point.payload)) passing.emplace(id, point);
  }
  VZ_TRY_ASSIGN(const Points found, scroll(http, collection, filter));
  for (const auto& [id, point] : passing) {
    if (!found.contains(id)) {
      return fail(ErrorCode::kInternal,
                  collection + ": filter " + filter.dump() + " misses point " + id);
    }
  }
  for (const auto& [id, point] : found) {
    if (!passing.contains(id)) {
      return fail(ErrorCode::kInternal, collection + ": filter " + filter.dump() + " finds point " +
                                            id + " with payload " + point.payload);
    }
  }
  return check_count(http, collection, {{"filter", filter}, {"exact", true}}, passing.size());
}

}  // namespace

Result<Collections> observe(HttpClient& http) {
  VZ_TRY_ASSIGN(const json list, call(http, "GET", "/qdrant/collections", ""));
  Collections all;
  for (const auto& collection : list.at("result").at("collections")) {
    const auto name = collection.at("name").get<std::string>();
    VZ_TRY_ASSIGN(all[name], read_collection(http, name));
  }
  return all;
}

Result<std::vector<Collections>> split_by_client(const Collections& all, int clients) {
  std::vector<Collections> slices(static_cast<std::size_t>(clients));
  for (const auto& [name, points] : all) {
    const int collection_owner = collection_owner_of(name);
    for (int client = 0; client < clients; ++client) {
      if (collection_owner == kShared || collection_owner == client) {
        slices[static_cast<std::size_t>(client)].try_emplace(name);
      }
    }
    if (collection_owner != kShared && (collection_owner < 0 || collection_owner >= clients)) {
      return fail(ErrorCode::kInternal, "nobody created collection " + name);
    }
    for (const auto& [id, point] : points) {
      const int owner = owner_of(id);
      if (owner < 0 || owner >= clients ||
          (collection_owner != kShared && collection_owner != owner)) {
        return fail(ErrorCode::kInternal, "nobody wrote point " + id + " of collection " + name);
      }
      slices[static_cast<std::size_t>(owner)][name].emplace(id, point);
    }
  }
  return slices;
}

Status cross_check(HttpClient& http, const std::string& collection, const Points& expected,
                   const std::vector<std::string>& absent) {
  VZ_TRY(check_count(http, collection, {{"exact", true}}, expected.size()));
  VZ_TRY(check_by_id(http, collection, expected, absent));
  static const json kOwnerAndTag = json::parse(
      R"({"must":[{"key":"owner","match":{"value":1}},{"key":"tag","match":{"value":"t3"}}]})");
  static const json kWeights =
      json::parse(R"({"must":[{"key":"weight","range":{"gte":250,"lt":500}}]})");
  VZ_TRY(check_filter(http, collection, kOwnerAndTag, expected));
  return check_filter(http, collection, kWeights, expected);
}

}  // namespace vz::kill_loop
