#include "tools/bench/log_floor.h"

#include <algorithm>
#include <chrono>

#include "engine/limits.h"
#include "storage/env/env.h"
#include "storage/wal/log.h"

namespace vz::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kOperationBytes = 1 + 4;       ///< kind, count
constexpr std::uint64_t kRowBytes = (1 + 8) + 2 + 4;   ///< id, vectors, payload size
constexpr std::uint64_t kVectorBytes = 2 + 1 + 4 + 4;  ///< column, kind, values, indices
constexpr double kMega = 1e6;

}  // namespace

std::uint64_t record_bytes(std::uint32_t points, std::uint32_t dimension,
                           std::uint64_t payload_bytes) {
  return kOperationBytes +
         points * (kRowBytes + kVectorBytes + std::uint64_t{4} * dimension + payload_bytes);
}

Result<LogFloor> measure_log_floor(const Matrix& data, std::uint64_t payload_bytes,
                                   const LogFloorOptions& options) {
  const auto env = make_posix_env();
  VZ_TRY(env->create_directory(options.directory));
  VZ_TRY_ASSIGN(const auto log, wal::LogWriter::start(*env, options.directory, 1, 1, {}));
  const std::uint32_t batch = std::min(options.batch, data.rows);
  // The vectors themselves: zeros may cost a disk less. Padded for the rest of a record.
  Bytes record(record_bytes(batch, data.dimension, payload_bytes), std::byte{0x5A});
  std::copy_n(reinterpret_cast<const std::byte*>(data.values.data()),
              sizeof(float) * batch * data.dimension, record.data());
  const auto group =
      std::clamp<std::uint64_t>(limits::kGroupBytesMax / record.size(), 1, options.connections);
  const auto begin = Clock::now();
  std::uint64_t waiting = 0, bytes = 0;
  for (std::uint32_t row = 0; row < data.rows; row += batch) {
    const std::uint64_t size =
        record_bytes(std::min(batch, data.rows - row), data.dimension, payload_bytes);
    log->add(format::WalRecordKind::kPoints, 1, 0, ByteSpan(record).first(size));
    bytes += size;
    if (++waiting < group) continue;
    VZ_TRY(log->commit());
    waiting = 0;
  }
  VZ_TRY(log->commit());
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return LogFloor{.points_per_second = data.rows / seconds,
                  .megabytes_per_second = static_cast<double>(bytes) / seconds / kMega};
}

}  // namespace vz::bench
