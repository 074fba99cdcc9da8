// How often bytes of a checked file were not what was written.
#pragma once

#include <cstdint>

namespace vz::segment {

/// Failed checks of block-checksummed files since the process began, each time one is met. Any
/// thread. Of the process, not of a node: a node that was replaced after a restore met them too.
std::uint64_t checksum_errors();

/// One more, met by who reads such a file without CheckedFile. Any thread.
void count_checksum_error();

}  // namespace vz::segment
