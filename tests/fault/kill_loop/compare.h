// The verdict: does what a restarted node holds follow from what it acknowledged?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/fault/kill_loop/model.h"

namespace vz::kill_loop {

/// One client's knowledge at the moment of the kill.
struct ClientState {
  Collections acknowledged;            ///< the effect of everything that was answered
  std::optional<Operation> in_flight;  ///< sent, never answered
  Lsn last_lsn = 0;                    ///< greatest lsn that was answered
};

struct Verdict {
  enum class Outcome : std::uint8_t {
    kBefore,    ///< everything acknowledged is there; of the operation in flight, nothing
    kAfter,     ///< the same, and the whole of the operation in flight
    kDifferent  ///< a promise is broken
  };
  Outcome outcome = Outcome::kBefore;
  Lsn lsn = 0;             ///< kAfter: of the operation in flight, if it left a point
  std::string difference;  ///< kDifferent: what, against both
};

/// Holds P1 and P2 against one client's slice of what the node returned.
Verdict compare(const ClientState& expected, const Collections& observed);

/// The state after the verdict: the operation in flight is decided.
void settle(const Verdict& verdict, ClientState& state);

/// First differences, as text; empty if there is none. A version of kLsnUnknown in `expected`
/// stands for one lsn above `last_lsn`, the same for all such points; it is returned in `unknown`.
std::string differences(const Collections& expected, const Collections& observed, Lsn last_lsn,
                        std::optional<Lsn>& unknown);

}  // namespace vz::kill_loop
