// What a node must hold: collections and points as a client's operations left them. Written
// independently of the engine: it knows the HTTP bodies, and nothing of how a node works.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"

namespace vz::kill_loop {

/// Version of a point whose last write was never answered: one lsn, but not known which.
inline constexpr Lsn kLsnUnknown = kLsnMax;

struct PointState {
  Lsn version = 0;            ///< lsn of the write that made it what it is
  std::vector<float> vector;  ///< compared bit for bit
  std::string payload;        ///< JSON with sorted keys
};
/// By id as it stands in JSON: 17 or "00000000-0000-4000-8000-000000000007" with its quotes.
using Points = std::map<std::string, PointState>;
/// By name. A client's slice of a shared collection holds that client's points only.
using Collections = std::map<std::string, Points>;

/// One write request: what is wholly there or wholly absent after a crash.
struct Operation {
  enum class Kind : std::uint8_t { kCreate, kDrop, kIndex, kPoints };
  Kind kind = Kind::kPoints;
  std::string collection;
  /// JSON. kCreate, kIndex: the body. kPoints: an array of operations as /points/batch takes them.
  std::string body;
};

struct HttpCall {
  std::string method;
  std::string path;
  std::string body;
};

enum class Wait : std::uint8_t { kDurable, kVisible };

/// The request that carries `operation` out. A single point operation goes to its own route,
/// several go to /points/batch.
HttpCall to_http(const Operation& operation, Wait wait);

/// What `operation` does to `state` when the node carries it out as log record `lsn`.
/// Filters: `must` of `match.value` and `range` conditions on top-level keys.
void apply(const Operation& operation, Lsn lsn, Collections& state);

/// True if every condition of `filter` (JSON) holds for `payload` (JSON).
bool passes(std::string_view filter, std::string_view payload);

/// One line of JSON, and back.
std::string to_line(const Operation& operation);
Operation operation_from_line(std::string_view line);
std::string to_json(const Collections& state);
Collections collections_from_json(std::string_view text);

/// The client that owns a point, by its id; -1 if no client ever made such an id.
int owner_of(const std::string& id);
/// Id number `index` of client `client`; UUIDs have a number space of their own.
std::string number_id(int client, int index);
std::string uuid_id(int client, int index);

}  // namespace vz::kill_loop
