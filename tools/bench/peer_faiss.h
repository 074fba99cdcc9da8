// Faiss's HNSW over 8-bit scalar-quantized vectors: the nearest to what our index does.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/bench/peer_hnswlib.h"
#include "tools/bench/subject.h"

namespace vz::bench {

/// Builds it with so many threads; searches take one. Errors: kUnsupported (Manhattan, or this
/// program was built where Faiss was not), kInternal.
Result<std::unique_ptr<Subject>> make_faiss(const DataSet& data, const PeerOptions& options);

}  // namespace vz::bench
