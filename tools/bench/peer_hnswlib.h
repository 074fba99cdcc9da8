// hnswlib over float32, as its users run it.
#pragma once

#include <memory>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/bench/subject.h"

namespace vz::bench {

struct PeerOptions {
  std::size_t m = 16;
  std::size_t ef_construct = 200;
  unsigned threads = 2;
};

/// Builds it; `data` must outlive the result. Errors: kUnsupported (Manhattan), kInternal.
Result<std::unique_ptr<Subject>> make_hnswlib(const DataSet& data, const PeerOptions& options);

}  // namespace vz::bench
