// Parts of a URL.
#pragma once

#include <string>
#include <string_view>

namespace vz::drive {

/// Text as one part of a path: what may not stand there is percent-encoded.
std::string path_part(std::string_view text);

}  // namespace vz::drive
