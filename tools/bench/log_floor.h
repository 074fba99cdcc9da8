// What the log alone can take: the peer of a durable ingest.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"

namespace vz::bench {

struct LogFloorOptions {
  std::string directory;      ///< must not exist; left as it is then
  std::uint32_t batch = 100;  ///< points per record
  unsigned connections = 8;   ///< records that can wait for the same sync
};

struct LogFloor {
  double points_per_second = 0;
  double megabytes_per_second = 0;  ///< of records
};

/// Bytes of a log record's payload with such points (storage/format/points_record.h).
std::uint64_t record_bytes(std::uint32_t points, std::uint32_t dimension,
                           std::uint64_t payload_bytes);

/// Appends as many records of as many bytes as an ingest of `data` does, in groups of so many as
/// that many closed-loop connections can have waiting, each group one write and one sync.
/// payload_bytes: of one point's payload, on average.
/// Errors: those of the log.
Result<LogFloor> measure_log_floor(const Matrix& data, std::uint64_t payload_bytes,
                                   const LogFloorOptions& options);

}  // namespace vz::bench
