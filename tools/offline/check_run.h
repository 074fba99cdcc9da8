// What the steps of a check of a directory share.
#pragma once

#include "engine/check/run.h"
#include "tools/offline/check.h"

namespace vz::offline {

struct Run : check::Run {
  const CheckOptions& options;
};

}  // namespace vz::offline
