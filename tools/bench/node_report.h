// Results of vz_bench node as a table and as JSON, each beside its peer and its goal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/ingest.h"
#include "tools/bench/log_floor.h"
#include "tools/bench/process_memory.h"
#include "tools/bench/search_load.h"

namespace vz::bench {

struct NodeReport {
  std::string data;
  std::string distance;
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  std::uint32_t queries = 0;
  unsigned connections = 0;
  std::uint32_t batch = 0;
  double load_average = 0;    ///< of the last minute, before the first start: others' work
  double empty_start_ms = 0;  ///< process start to ready; median
  ProcessMemory empty_memory{};
  LogFloor log_floor{};
  Ingest ingest{};
  double indexed_seconds = 0;  ///< from the last answer until all was indexed
  Recall recall{};
  std::vector<SearchLoad> searches{};
  ProcessMemory memory{};           ///< after the searches
  std::uint64_t hnswlib_bytes = 0;  ///< of the same rows: float32 and M 16
  double clean_start_ms = 0;        ///< after SIGTERM; median
  double killed_start_ms = 0;       ///< after kill -9 with `killed_points` behind the last stop
  std::uint32_t killed_points = 0;
};

void print_table(const NodeReport& report);
Status write_json(const NodeReport& report, const std::string& path);

}  // namespace vz::bench
