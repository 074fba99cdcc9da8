// A call of Maintenance while it runs. Internal to its .cpp files.
#pragma once

#include <optional>

#include "engine/node/maintenance.h"

namespace vz::node {

/// Ended by its caller or by the node.
class Maintenance::Running {
 public:
  Running(Maintenance& of, const Watch& watch)
      : publisher_(of.publisher_),
        watch_(watch),
        guard_(of.gate_.enter()),
        by_caller_(watch.stop, Forward{both_}),
        by_node_(of.stop_.get_token(), Forward{both_}) {}

  /// To be asked before each step.
  [[nodiscard]] Status may_go_on() const {
    if (!guard_) return fail(ErrorCode::kUnavailable, "the node has stopped");
    if (both_.stop_requested()) return fail(ErrorCode::kCancelled, "stopped on request");
    if (publisher_.restore_pending())
      return fail(ErrorCode::kUnavailable,
                  "a snapshot is being restored here (RESTORE): ask again when it is done");
    return {};
  }
  [[nodiscard]] std::stop_token stop() const { return both_.get_token(); }
  void progress(double share) const { watch_.on_progress(share); }

 private:
  struct Forward {
    std::stop_source to;
    void operator()() { to.request_stop(); }
  };
  Publisher& publisher_;
  const Watch& watch_;
  std::stop_source both_;
  std::optional<runtime::Gate::Guard> guard_;
  std::stop_callback<Forward> by_caller_;
  std::stop_callback<Forward> by_node_;
};

}  // namespace vz::node
