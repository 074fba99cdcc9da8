#include "tests/fault/kill_loop/workload.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

namespace vz::kill_loop {
namespace {

using nlohmann::json;

constexpr int kOwnCollections = 2;  ///< per client
constexpr long kTimeoutMs = 20'000;
constexpr int kUnavailableStatus = 503;

struct Shape {
  int dimension;
  int numbers;  ///< ids per client that are numbers
  int uuids;    ///< ids per client that are UUIDs
  const char* distance;
};

Shape shape_of(std::string_view collection) {
  if (collection == kSharedDot) return {16, 360, 40, "Dot"};
  if (collection == kSharedCosine) return {8, 120, 10, "Cosine"};
  return {4, 100, 10, "Euclid"};
}

std::string own_name(int client, int index) {
  return "own-" + std::to_string(client) + "-" + std::to_string(index);
}

Operation create(const std::string& name) {
  const Shape shape = shape_of(name);
  const json body = {{"vectors", {{"size", shape.dimension}, {"distance", shape.distance}}}};
  return {.kind = Operation::Kind::kCreate, .collection = name, .body = body.dump()};
}

json to_json_ids(const std::vector<std::string>& ids) {
  json array = json::array();
  for (const auto& id : ids) array.push_back(json::parse(id));
  return array;
}

/// The record's lsn, from `result.operation_id`; a batch answers an array of equal ones.
Lsn lsn_of(const std::string& body) {
  const json answer = json::parse(body, nullptr, false);
  if (answer.is_discarded() || !answer.contains("result")) return 0;
  json result = answer["result"];
  if (result.is_array() && !result.empty()) result = result.back();
  if (!result.is_object() || !result.contains("operation_id")) return 0;
  const json& id = result["operation_id"];
  return id.is_number_unsigned() ? id.get<Lsn>() : 0;
}

}  // namespace

int collection_owner_of(const std::string& name) {
  if (name == kSharedDot || name == kSharedCosine) return kShared;
  int client = kNobody;
  int index = 0;
  if (std::sscanf(name.c_str(), "own-%d-%d", &client, &index) != 2) return kNobody;
  return index >= 0 && index < kOwnCollections ? client : kNobody;
}

std::vector<Operation> shared_collections() {
  const auto index = [](std::string_view field, std::string_view type) {
    return Operation{.kind = Operation::Kind::kIndex,
                     .collection = std::string(kSharedDot),
                     .body = json{{"field_name", field}, {"field_schema", type}}.dump()};
  };
  return {create(std::string(kSharedDot)), create(std::string(kSharedCosine)),
          index("owner", "integer"), index("tag", "keyword")};
}

std::vector<std::string> ids_of(int client, std::string_view collection) {
  const Shape shape = shape_of(collection);
  std::vector<std::string> ids;
  for (int index = 0; index < shape.numbers; ++index) ids.push_back(number_id(client, index));
  for (int index = 0; index < shape.uuids; ++index) ids.push_back(uuid_id(client, index));
  return ids;
}

int Generator::below(int bound) {
  return static_cast<int>(random_() % static_cast<std::uint64_t>(bound));
}

std::vector<float> Generator::new_vector(std::string_view collection) {
  const Shape shape = shape_of(collection);
  std::uniform_real_distribution<float> coordinate(-1.0F, 1.0F);
  std::vector<float> vector(static_cast<std::size_t>(shape.dimension));
  double squares = 0;
  for (auto& value : vector) {
    value = coordinate(random_);
    squares += static_cast<double>(value) * value;
  }
  if (collection != kSharedCosine) return vector;
  // Of length 1 already, which a node leaves alone: so the bytes can be compared here too.
  const double scale = 1.0 / std::sqrt(squares);
  for (auto& value : vector) value = static_cast<float>(value * scale);
  return vector;
}

std::string Generator::new_payload() {
  json payload = {
      {"owner", client_},
      {"tag", "t" + std::to_string(below(10))},
      {"weight", below(1000)},
      {"n", ++counter_},
      {"text", std::string(static_cast<std::size_t>(below(200)), 'x') + "\u00e4\"\\\n"}};
  if (chance(20))
    payload["large"] = 18'446'744'073'709'551'000ULL + static_cast<unsigned>(below(600));
  if (chance(20))
    payload["nested"] = {{"list", {1, 2.5, "three", nullptr, true}}, {"empty", json::object()}};
  return payload.dump();
}

std::string Generator::filter() {
  json must = json::array();
  must.push_back({{"key", "owner"}, {"match", {{"value", client_}}}});
  if (chance(50)) {
    must.push_back({{"key", "tag"}, {"match", {{"value", "t" + std::to_string(below(10))}}}});
  } else {
    const int from = below(900);
    must.push_back({{"key", "weight"}, {"range", {{"gte", from}, {"lt", from + 100}}}});
  }
  return json{{"must", must}}.dump();
}

std::vector<std::string> Generator::some_ids(std::string_view collection, int count_max) {
  auto ids = ids_of(client_, collection);
  std::shuffle(ids.begin(), ids.end(), random_);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(1 + below(count_max))));
  return ids;
}

std::vector<std::string> Generator::some_existing(const Points& points, int count_max,
                                                  std::string_view with_key) {
  std::vector<std::string> ids;
  for (const auto& [id, point] : points) {
    if (with_key.empty() || json::parse(point.payload).contains(with_key)) ids.push_back(id);
  }
  std::shuffle(ids.begin(), ids.end(), random_);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(1 + below(count_max))));
  return ids;
}

std::string Generator::upsert(std::string_view collection, const std::vector<std::string>& ids) {
  json points = json::array();
  for (const auto& id : ids) {
    points.push_back({{"id", json::parse(id)},
                      {"vector", new_vector(collection)},
                      {"payload", json::parse(new_payload())}});
  }
  return json{{"upsert", {{"points", points}}}}.dump();
}

std::string Generator::update_vectors(std::string_view collection,
                                      const std::vector<std::string>& ids) {
  json points = json::array();
  for (const auto& id : ids) {
    points.push_back({{"id", json::parse(id)}, {"vector", new_vector(collection)}});
  }
  return json{{"update_vectors", {{"points", points}}}}.dump();
}

std::string Generator::delete_points(std::string_view collection) {
  if (chance(40)) return json{{"delete", {{"filter", json::parse(filter())}}}}.dump();
  return json{{"delete", {{"points", to_json_ids(some_ids(collection, 20))}}}}.dump();
}

/// Edits only where they change something, so that each gives its points a new version.
std::string Generator::edit_payload(const Points& points) {
  const int kind = below(4);
  const std::string_view needed_key = kind == 2 ? "text" : kind == 3 ? "n" : "";
  json body;
  if (kind < 2 && chance(40)) {
    body["filter"] = json::parse(filter());
  } else {
    const auto ids = some_existing(points, 15, needed_key);
    if (ids.empty()) return "";
    body["points"] = to_json_ids(ids);
  }
  switch (kind) {
    case 0:
      body["payload"] = {{"n", ++counter_}, {"edited", {below(9), "ja"}}};
      break;
    case 1:
      body["payload"] = json::parse(new_payload());
      break;
    case 2:
      body["keys"] = {"text", "nested"};
      break;
    default:
      break;
  }
  static constexpr const char* kNames[] = {"set_payload", "overwrite_payload", "delete_payload",
                                           "clear_payload"};
  return json{{kNames[kind], body}}.dump();
}

/// Three operations that stand or fall together.
std::string Generator::several(std::string_view collection) {
  const auto ids = some_ids(collection, 12);
  const json edit = {{"points", to_json_ids(ids)}, {"payload", {{"n", ++counter_}, {"tag", "t3"}}}};
  json operations = json::array();
  operations.push_back(json::parse(upsert(collection, ids)));
  operations.push_back({{"set_payload", edit}});
  operations.push_back(json::parse(delete_points(collection)));
  return operations.dump();
}

Operation Generator::points_operation(std::string_view collection, const Points& points) {
  const int draw = below(100);
  std::string one;
  if (draw < 10) {
    return {.collection = std::string(collection), .body = several(collection)};
  } else if (draw < 25) {
    one = delete_points(collection);
  } else if (draw < 42) {
    one = edit_payload(points);
  } else if (draw < 50 && !points.empty()) {
    one = update_vectors(collection, some_existing(points, 15, ""));
  }
  if (one.empty()) one = upsert(collection, some_ids(collection, 40));
  return {.collection = std::string(collection), .body = "[" + one + "]"};
}

Operation Generator::own_collection(const Collections& state) {
  const std::string name = own_name(client_, below(kOwnCollections));
  const auto found = state.find(name);
  if (found == state.end()) return create(name);
  if (chance(15)) return {.kind = Operation::Kind::kDrop, .collection = name, .body = ""};
  return points_operation(name, found->second);
}

Operation Generator::next(const Collections& state) {
  const int draw = below(100);
  if (draw < 20) return own_collection(state);
  const std::string_view name = draw < 40 ? kSharedCosine : kSharedDot;
  return points_operation(name, state.at(std::string(name)));
}

Result<bool> carry_out(drive::HttpClient& http, const Operation& operation, Wait wait,
                       ClientOracle& oracle) {
  const HttpCall call = to_http(operation, wait);
  VZ_TRY(oracle.begin(operation));
  const auto answer = http.request(call.method, call.path, call.body);
  if (!answer) return false;
  if (answer->status != 200) {
    const bool refused = answer->status == kUnavailableStatus;
    return fail(refused ? ErrorCode::kUnavailable : ErrorCode::kInternal,
                call.method + " " + call.path + " answered " + std::to_string(answer->status) +
                    " " + answer->body + "\n    to " + call.body);
  }
  const Lsn lsn = lsn_of(answer->body);
  if (operation.kind == Operation::Kind::kPoints &&
      answer->body.find("operation_id") == std::string::npos) {
    return fail(ErrorCode::kInternal, call.path + ": no operation_id in " + answer->body);
  }
  VZ_TRY(oracle.acknowledge(lsn));
  return true;
}

ClientResult run_client(const std::string& base_url, Generator& generator, ClientOracle& oracle,
                        const std::atomic<bool>& killed) {
  drive::HttpClient http(base_url, kTimeoutMs);
  ClientResult result;
  for (;;) {
    const Operation operation = generator.next(oracle.state.acknowledged);
    const Wait wait = generator.chance(50) ? Wait::kVisible : Wait::kDurable;
    const auto answered = carry_out(http, operation, wait, oracle);
    // A node whose disk is gone says that it has no log: as good as no answer.
    const bool powerless =
        !answered && answered.error().code == ErrorCode::kUnavailable && killed.load();
    if (powerless) return result;
    if (!answered) {
      result.failure = answered.error().message;
      return result;
    }
    if (!*answered) {
      if (!killed.load()) result.failure = "no answer, though the node was not killed yet";
      return result;
    }
    ++result.acknowledged;
  }
}

}  // namespace vz::kill_loop
