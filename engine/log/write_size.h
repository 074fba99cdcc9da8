// What can be told of a write before it is resolved.
#pragma once

#include <cstdint>

#include "engine/log/write_request.h"

namespace vz::log {

/// About what a request holds in memory and will take in the log.
std::uint64_t bytes_of(const WriteRequest& request);

/// Whether it goes before all others and past a full queue: few and small, they may be what ends
/// the flood, and threads that the node's end waits for wait for them.
bool is_urgent(const WriteRequest& request);

/// Whether it upserts points.
bool upserts(const WriteRequest& request);

/// Whether it leaves more behind than a record in the log: all but deletes of points, collections,
/// fields and aliases. A payload edit grows the data, too, even one that deletes: it writes the row
/// anew.
bool grows_data(const WriteRequest& request);

}  // namespace vz::log
