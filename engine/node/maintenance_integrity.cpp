#include "engine/node/integrity_check.h"
#include "engine/node/maintenance_running.h"

namespace vz::node {

Result<IntegrityReport> Maintenance::check_integrity(const IntegrityRequest& request,
                                                     const Watch& watch,
                                                     const OnIntegrityReport& on_report) {
  const Running running(*this, watch);
  const IntegrityCheck::Watcher watcher{
      .may_go_on = [&running] { return running.may_go_on(); },
      .stop = running.stop(),
      .on_progress = [&running](double share) { running.progress(share); },
      .on_report = on_report};
  IntegrityCheck check({.store = store_,
                        .writer = writer_,
                        .publisher = publisher_,
                        .housekeeper = housekeeper_,
                        .visibility = *visibility_,
                        .damaged_indexes = damaged_indexes_},
                       request, watcher);
  return check.run();
}

}  // namespace vz::node
