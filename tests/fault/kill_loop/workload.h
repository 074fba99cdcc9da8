// What the clients do: random writes of every kind, each on ids and collections of its own, several
// of them in the same shared collections.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/kill_loop/model.h"
#include "tests/fault/kill_loop/oracle.h"
#include "tools/drive/http_client.h"

namespace vz::kill_loop {

inline constexpr int kShared = -1;
inline constexpr int kNobody = -2;
inline constexpr int kClientsMax = 64;

inline constexpr std::string_view kSharedDot = "shared-dot";
inline constexpr std::string_view kSharedCosine = "shared-cosine";

/// kShared, kNobody, or the client whose collection it is.
int collection_owner_of(const std::string& name);
/// The requests that make the shared collections and declare their fields.
std::vector<Operation> shared_collections();
/// Every id that `client` ever uses in `collection`.
std::vector<std::string> ids_of(int client, std::string_view collection);

/// Draws one client's next operation. Not thread-safe.
class Generator {
 public:
  Generator(int client, std::uint64_t seed) : client_(client), random_(seed) {}

  /// An operation that a node must accept in state `state` (this client's slice).
  Operation next(const Collections& state);
  /// True with probability `percent` / 100.
  bool chance(int percent) { return below(100) < percent; }

 private:
  int client_;
  std::mt19937_64 random_;
  std::uint64_t counter_ = 0;  ///< in payloads: no two writes are alike

  int below(int bound);
  Operation own_collection(const Collections& state);
  Operation points_operation(std::string_view collection, const Points& points);

  // The members below make JSON: one operation each, as it stands in a batch.
  std::string upsert(std::string_view collection, const std::vector<std::string>& ids);
  std::string update_vectors(std::string_view collection, const std::vector<std::string>& ids);
  std::string delete_points(std::string_view collection);
  std::string edit_payload(const Points& points);
  std::string several(std::string_view collection);

  std::string new_payload();
  std::vector<float> new_vector(std::string_view collection);
  std::string filter();
  std::vector<std::string> some_ids(std::string_view collection, int count_max);
  std::vector<std::string> some_existing(const Points& points, int count_max,
                                         std::string_view with_key);
};

struct ClientResult {
  std::uint64_t acknowledged = 0;
  std::string failure;  ///< an answer that no correct node gives; empty if there was none
};

/// Works until there is no answer any more, which is how the node's death shows.
/// `killed` is set just before the kill: silence before that is a failure.
ClientResult run_client(const std::string& base_url, Generator& generator, ClientOracle& oracle,
                        const std::atomic<bool>& killed);

/// Sends one operation and keeps the oracle up to date. True if it was answered.
/// Errors: kUnavailable (answered 503), kInternal (another answer than 200), kIoError.
Result<bool> carry_out(drive::HttpClient& http, const Operation& operation, Wait wait,
                       ClientOracle& oracle);

}  // namespace vz::kill_loop
