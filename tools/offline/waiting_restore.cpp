#include "tools/offline/waiting_restore.h"

#include <fmt/format.h>

#include "storage/store/pending_restore.h"

namespace vz::offline {

Result<std::optional<WaitingRestore>> look_for_restore(Env& env, const store::Paths& paths) {
  if (!store::restore_pending(env, paths)) return std::nullopt;
  WaitingRestore out;
  const auto contents = store::read_restore(env, paths);
  if (!contents) {
    out.problem = contents.error().message;
    return out;
  }
  VZ_TRY_ASSIGN(const auto arrival, store::look_at_arrival(env, paths, *contents));
  out.complete = arrival.complete();
  out.files = arrival.files;
  out.files_present = arrival.files_present;
  out.problem = arrival.problem;
  return out;
}

std::string text_of(const WaitingRestore& restore) {
  if (restore.complete) return fmt::format("all {} files are there", restore.files);
  if (restore.files == 0) return restore.problem;
  return fmt::format("{} of {} files are there: {}", restore.files_present, restore.files,
                     restore.problem);
}

}  // namespace vz::offline
