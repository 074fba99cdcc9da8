// Removes from a data directory what is ours and nobody needs: `data gc`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"

namespace vz::offline {

struct GarbageOptions {
  enum class Run : std::uint8_t { kPlan, kApply };
  Run run = Run::kPlan;
  /// The content that a restore replaced: nobody but people needs it.
  enum class Previous : std::uint8_t { kKept, kDiscarded };
  Previous previous = Previous::kKept;
  std::string workdir{};  ///< also what a killed compact() has left there; "": nowhere else
};

enum class GarbageKind : std::uint8_t {
  kLeftover,  ///< a file that no kept image names, or that was never finished
  kStaging,   ///< in tmp/: what a restore or a download that was cut short had come to
  kPrevious,  ///< previous-<time>/
  kWorkdir,   ///< compact-<node id>/ in another place
};
/// "leftover", "staging", "previous", "workdir"
std::string_view garbage_kind_name(GarbageKind kind);

struct GarbageItem {
  GarbageKind kind = GarbageKind::kLeftover;
  std::string path{};            ///< relative to the directory; kWorkdir: whole
  std::uint64_t size_bytes = 0;  ///< with all that is in it
  bool removed = false;
};

/// What stays although no image names it.
struct KeptItem {
  std::string path{};
  std::uint64_t size_bytes = 0;
  std::string reason{};
};

struct GarbageReport {
  std::uint64_t manifest = 0;  ///< number of the image in force
  std::vector<GarbageItem> items{};
  std::vector<KeptItem> kept{};

  [[nodiscard]] std::uint64_t bytes() const;          ///< of the items
  [[nodiscard]] std::uint64_t removed_bytes() const;  ///< of those that are gone
  /// False after kApply if something could not be removed: run it again.
  [[nodiscard]] bool complete() const;
};

/// Plans under a shared lock and writes nothing; kApply takes the exclusive lock, plans again and
/// removes. Never follows a link; never touches a file that is not ours. A kill at any moment
/// leaves some of the items there, and nothing else undone.
/// Errors: those of open_for_reading(), require_no_restore() and open_for_writing(); kNotFound (no
/// such work directory). An item that
/// cannot be removed is no error: it has `removed` false.
Result<GarbageReport> collect_garbage(Env& env, const std::string& directory,
                                      const GarbageOptions& options);

}  // namespace vz::offline
