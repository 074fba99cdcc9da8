// How a thread makes way for those that answer requests.
#pragma once

namespace vz::runtime {

/// Gives the calling thread, and all that it starts from now on, a small share of a core that
/// others want, and short turns: what wakes to answer a request does not wait for the end of a turn
/// of milliseconds. It is never starved. What the kernel does not know (short turns: before Linux
/// 6.12) it is left without.
void work_in_background();

}  // namespace vz::runtime
