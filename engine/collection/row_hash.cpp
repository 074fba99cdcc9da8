#include "engine/collection/row_hash.h"

#include <memory>

#include <xxhash.h>

namespace vz::collection {
namespace {

struct StateDeleter {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

}  // namespace

std::uint64_t row_hash(const PointId& id, std::span<const ColumnVector> vectors,
                       std::string_view payload) {
  thread_local const std::unique_ptr<XXH3_state_t, StateDeleter> kState{XXH3_createState()};
  XXH3_state_t* state = kState.get();
  XXH3_64bits_reset(state);
  const std::uint64_t head[3] = {static_cast<std::uint64_t>(id.kind), id.high, id.low};
  XXH3_64bits_update(state, head, sizeof head);
  for (const ColumnVector& vector : vectors) {
    const std::uint64_t sizes[3] = {vector.column, vector.value.values.size(),
                                    vector.value.indices.size()};
    XXH3_64bits_update(state, sizes, sizeof sizes);
    XXH3_64bits_update(state, vector.value.values.data(), vector.value.values.size_bytes());
    XXH3_64bits_update(state, vector.value.indices.data(), vector.value.indices.size_bytes());
  }
  XXH3_64bits_update(state, payload.data(), payload.size());
  return XXH3_64bits_digest(state);
}

}  // namespace vz::collection
