// The target of a request line, "/a/b%20c?x=1", decoded exactly once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"

namespace vz::net {

struct Target {
  std::vector<std::string> segments;  ///< none empty, none "." or ".."
  std::vector<std::pair<std::string, std::string>> query;
};

/// Splits the path at '/', then decodes each segment: an encoded slash stays inside its segment.
/// Empty segments (doubled or trailing slashes) fall away; in the query '+' is a space.
/// Errors: kInvalidArgument: not origin form ("/..."), a fragment, a bad percent escape, an encoded
/// NUL, a "." or ".." segment (encoded or not).
Result<Target> parse_target(std::string_view target);

}  // namespace vz::net
