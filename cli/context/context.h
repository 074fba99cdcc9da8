// What every command gets: where to print, and where to leave its exit status.
#pragma once

#include <iosfwd>

#include "cli/context/exit_code.h"

namespace vz::cli {

struct Context {
  std::ostream& out;  ///< the result only
  std::ostream& err;  ///< talk
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  ExitCode exit_code = ExitCode::kOk;
};

}  // namespace vz::cli
