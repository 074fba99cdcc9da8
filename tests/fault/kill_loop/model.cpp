#include "tests/fault/kill_loop/model.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

namespace vz::kill_loop {
namespace {

using nlohmann::json;

constexpr int kIdsPerClient = 1'000'000;

/// Method and route of a single operation, by its name in a batch.
const std::map<std::string, std::pair<std::string, std::string>>& routes() {
  static const std::map<std::string, std::pair<std::string, std::string>> kRoutes = {
      {"upsert", {"PUT", ""}},
      {"delete", {"POST", "/delete"}},
      {"set_payload", {"POST", "/payload"}},
      {"overwrite_payload", {"PUT", "/payload"}},
      {"delete_payload", {"POST", "/payload/delete"}},
      {"clear_payload", {"POST", "/payload/clear"}},
      {"update_vectors", {"PUT", "/vectors"}},
  };
  return kRoutes;
}

bool holds(const json& condition, const json& payload) {
  const auto value = payload.find(condition.at("key").get<std::string>());
  if (value == payload.end()) return false;
  if (const auto match = condition.find("match"); match != condition.end()) {
    return *value == match->at("value");
  }
  const json& range = condition.at("range");
  if (!value->is_number()) return false;
  const double number = value->get<double>();
  return (!range.contains("lt") || number < range["lt"].get<double>()) &&
         (!range.contains("gte") || number >= range["gte"].get<double>());
}

bool passes(const json& filter, const json& payload) {
  for (const auto& condition : filter.at("must")) {
    if (!holds(condition, payload)) return false;
  }
  return true;
}

/// Ids of the points that `body` selects, by "points" or by "filter".
std::vector<std::string> selected(const json& body, const Points& points) {
  std::vector<std::string> ids;
  if (const auto listed = body.find("points"); listed != body.end()) {
    for (const auto& id : *listed) {
      if (points.contains(id.dump())) ids.push_back(id.dump());
    }
    return ids;
  }
  for (const auto& [id, point] : points) {
    if (passes(body.at("filter"), json::parse(point.payload))) ids.push_back(id);
  }
  return ids;
}

void upsert(const json& body, Lsn lsn, Points& points) {
  for (const auto& point : body.at("points")) {
    points[point.at("id").dump()] = {.version = lsn,
                                     .vector = point.at("vector").get<std::vector<float>>(),
                                     .payload = point.value("payload", json::object()).dump()};
  }
}

void update_vectors(const json& body, Lsn lsn, Points& points) {
  for (const auto& point : body.at("points")) {
    PointState& state = points.at(point.at("id").dump());
    state.vector = point.at("vector").get<std::vector<float>>();
    state.version = lsn;
  }
}

void edit_payload(const std::string& name, const json& body, Lsn lsn, Points& points) {
  for (const auto& id : selected(body, points)) {
    PointState& state = points.at(id);
    json payload = json::parse(state.payload);
    if (name == "set_payload") {
      payload.update(body.at("payload"));
    } else if (name == "overwrite_payload") {
      payload = body.at("payload");
    } else if (name == "clear_payload") {
      payload = json::object();
    } else {
      for (const auto& key : body.at("keys")) payload.erase(key.get<std::string>());
    }
    state.payload = payload.dump();
    state.version = lsn;
  }
}

void apply_to_points(const std::string& name, const json& body, Lsn lsn, Points& points) {
  if (name == "upsert") return upsert(body, lsn, points);
  if (name == "update_vectors") return update_vectors(body, lsn, points);
  if (name == "delete") {
    for (const auto& id : selected(body, points)) points.erase(id);
    return;
  }
  edit_payload(name, body, lsn, points);
}

}  // namespace

HttpCall to_http(const Operation& operation, Wait wait) {
  const std::string base = "/collections/" + operation.collection;
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      return {"PUT", base, operation.body};
    case Operation::Kind::kDrop:
      return {"DELETE", base, ""};
    case Operation::Kind::kIndex:
      return {"PUT", base + "/index?wait=true", operation.body};
    case Operation::Kind::kPoints:
      break;
  }
  const std::string query = wait == Wait::kVisible ? "?wait=true" : "";
  const json operations = json::parse(operation.body);
  if (operations.size() != 1) {
    return {"POST", base + "/points/batch" + query, json{{"operations", operations}}.dump()};
  }
  const auto only = operations[0].items().begin();
  const auto& [method, suffix] = routes().at(only.key());
  return {method, base + "/points" + suffix + query, only.value().dump()};
}

void apply(const Operation& operation, Lsn lsn, Collections& state) {
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      state[operation.collection] = {};
      return;
    case Operation::Kind::kDrop:
      state.erase(operation.collection);
      return;
    case Operation::Kind::kIndex:
      return;
    case Operation::Kind::kPoints:
      break;
  }
  Points& points = state.at(operation.collection);
  for (const auto& one : json::parse(operation.body)) {
    for (const auto& [name, body] : one.items()) apply_to_points(name, body, lsn, points);
  }
}

bool passes(std::string_view filter, std::string_view payload) {
  return passes(json::parse(filter), json::parse(payload));
}

std::string to_line(const Operation& operation) {
  return json{{"kind", static_cast<int>(operation.kind)},
              {"collection", operation.collection},
              {"body", operation.body}}
      .dump();
}

Operation operation_from_line(std::string_view line) {
  const json object = json::parse(line);
  return {.kind = static_cast<Operation::Kind>(object.at("kind").get<int>()),
          .collection = object.at("collection").get<std::string>(),
          .body = object.at("body").get<std::string>()};
}

std::string to_json(const Collections& state) {
  json object = json::object();
  for (const auto& [name, points] : state) {
    json& collection = object[name] = json::object();
    for (const auto& [id, point] : points) {
      collection[id] = {
          {"version", point.version}, {"vector", point.vector}, {"payload", point.payload}};
    }
  }
  return object.dump();
}

Collections collections_from_json(std::string_view text) {
  const json object = json::parse(text);  // Named: items() refers to it.
  Collections state;
  for (const auto& [name, collection] : object.items()) {
    Points& points = state[name];
    for (const auto& [id, point] : collection.items()) {
      points[id] = {.version = point.at("version").get<Lsn>(),
                    .vector = point.at("vector").get<std::vector<float>>(),
                    .payload = point.at("payload").get<std::string>()};
    }
  }
  return state;
}

int owner_of(const std::string& id) {
  int client = -1;
  int index = 0;
  if (std::sscanf(id.c_str(), "\"00000000-0000-4000-8000-%06x%06x\"", &client, &index) == 2) {
    return client;
  }
  if (id.empty() || id.find_first_not_of("0123456789") != std::string::npos) return -1;
  return static_cast<int>(std::strtoull(id.c_str(), nullptr, 10) / kIdsPerClient);
}

std::string number_id(int client, int index) {
  return std::to_string(static_cast<std::int64_t>(client) * kIdsPerClient + index);
}

std::string uuid_id(int client, int index) {
  char text[64];
  std::snprintf(text, sizeof text, "\"00000000-0000-4000-8000-%06x%06x\"",
                static_cast<unsigned>(client), static_cast<unsigned>(index));
  return text;
}

}  // namespace vz::kill_loop
