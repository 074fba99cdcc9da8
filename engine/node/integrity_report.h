// What a check of a running node is asked for, and what it says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/check/run.h"
#include "engine/limits.h"

namespace vz::node {

struct IntegrityRequest {
  std::vector<std::string> collections{};  ///< names or aliases; empty: all, and what is of none
  check::Level level = check::Level::kBlocks;  ///< kBlocks or kContents
  std::uint64_t limit_rate_bytes = limits::kCheckRateMbDefault * 1'000'000;  ///< a second
};

struct IntegrityFinding {
  check::Finding what;
  bool mended = false;
  std::string done{};  ///< what the node did about it, or what is left to do; "" of a note
};

struct IntegrityReport {
  std::uint64_t checked_vectors = 0;  ///< points alive in the collections that were checked
  std::uint64_t checked_files = 0;
  std::uint64_t checked_bytes = 0;  ///< of these files
  std::uint64_t log_records = 0;
  std::uint64_t errors = 0;
  std::uint64_t warnings = 0;
  std::uint64_t notes = 0;
  double duration_seconds = 0;
  std::vector<IntegrityFinding>
      findings{};  ///< at most limits::kCheckFindingsMax, in the order met
  std::uint64_t findings_left_out = 0;
};

using OnIntegrityReport = std::function<void(const IntegrityReport& so_far)>;

}  // namespace vz::node
