// A collection from elsewhere, put in the place of a name.
//
// 1. A collection without a name is logged: its id is ours from then on, and nobody sees it.
// 2. Its files are written, synced and published under that id.
// 3. One record gives it the name and drops who had it. A start that finds no such record drops the
//    collection without a name (Node::open), so a kill leaves the old one or the new one.
#include <chrono>
#include <thread>

#include "engine/log/resolve.h"
#include "engine/log/write_and_wait.h"
#include "engine/node/maintenance_running.h"
#include "storage/base/log.h"

namespace vz::node {
namespace {

constexpr int kAbandonAttempts = 50;
constexpr std::chrono::milliseconds kAbandonPause{100};

}  // namespace

/// Tried again while the log has no room for it. A log that has failed and a node that stops leave
/// it to the next start.
void Maintenance::abandon(CollectionId arriving, const Running& running) {
  for (int attempt = 0; attempt < kAbandonAttempts && running.may_go_on(); ++attempt) {
    if (write_and_wait(writer_, log::AbandonArrival{arriving}) || writer_.poisoned()) return;
    std::this_thread::sleep_for(kAbandonPause);
  }
  (void)write_and_wait(writer_, log::AbandonArrival{arriving});
}

Status Maintenance::check_place(const std::string& name) const {
  VZ_TRY(collection::check_collection_name(name));
  return log::check_place(*catalog_of(*visibility_), name);
}

Result<Lsn> Maintenance::replace_collection(const std::string& name,
                                            const collection::LiveCollection& content,
                                            const Watch& watch) {
  const Running running(*this, watch);
  VZ_TRY(running.may_go_on());
  VZ_TRY(check_place(name));
  VZ_TRY_ASSIGN(const auto begun,
                write_and_wait(writer_, log::BeginArrival{*content.definition()}));
  const CollectionId id = begun.lsn;
  const auto arrive = [&]() -> Result<Lsn> {
    std::shared_ptr<collection::LiveCollection> arriving;
    writer_.run_between_groups(
        [&](const log::NodeState& state) { arriving = state.collections.at(id); });
    VZ_TRY(housekeeper_.adopt(*arriving, name, content, running.stop()));
    VZ_TRY(running.may_go_on());
    VZ_TRY_ASSIGN(const auto named, write_and_wait(writer_, log::EndArrival{id, name}));
    return named.lsn;
  };
  Result<Lsn> arrived = arrive();
  if (!arrived) abandon(id, running);
  // The files that this has made needless go with it; else with the next image.
  if (const Status published = publisher_.publish_catalog(); !published)
    LogEvent(LogLevel::kWarn, "catalog_not_published").with("reason", published.error().message);
  return arrived;
}

}  // namespace vz::node
