// The offline commands on a data directory, each beside what the system's own tools need for the
// same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace vz::bench {

struct OfflineOptions {
  std::string binary;      ///< vectorizerctl
  std::string directory;   ///< for everything; made here unless the volume in it is reused
  bool reuse = false;      ///< the volume that an earlier run has made there
  std::uint32_t rows = 0;  ///< of the volume that is made
  std::uint32_t dimension = 0;
  unsigned rounds = 3;  ///< each pair in turns; medians count
};

struct OfflineRow {
  std::string what{};  ///< "check, level 2"
  double seconds = 0;
  std::uint64_t memory_bytes = 0;  ///< the largest of the rounds
  std::string peer{};              ///< its command line; "" if it has none
  double peer_seconds = 0;
  double ratio = 0;              ///< peer_seconds / seconds, round by round
  std::optional<double> goal{};  ///< of the ratio
};

struct OfflineReport {
  std::uint64_t volume_bytes = 0;
  std::uint64_t archive_bytes = 0;  ///< tar.zst
  std::vector<OfflineRow> rows{};
};

/// Memory that check, pack, verify and restore may take, whatever the volume's size.
inline constexpr std::uint64_t kOfflineMemoryGoal = 256u << 20;

/// Errors: kInvalidArgument, kAlreadyExists (the directory, unless it is reused), those of the node
/// that makes the volume and of the commands.
Result<OfflineReport> run_offline_bench(const OfflineOptions& options);

}  // namespace vz::bench
