// Where a benchmark's vectors come from: the options that every command of vz_bench shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"

namespace CLI {
class App;
}

namespace vz::bench {

struct DataOptions {
  std::string base, queries, truth, generate, distance = "Cosine";
  std::uint32_t query_count = 500;
};

/// `options` must outlive `command`.
void add_data_options(CLI::App& command, DataOptions& options);

/// Reads or generates the vectors, prepares them for their distance, and reads or computes the
/// exact top `k` of each query.
/// Errors: kInvalidArgument (neither --generate nor --base and --queries, sizes that do not fit),
/// and those of the files.
Result<DataSet> load_data(const DataOptions& options, std::size_t k, unsigned threads);

}  // namespace vz::bench
