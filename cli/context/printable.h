// Text that came out of files, made safe for a terminal and a line of a table.
#pragma once

#include <string>
#include <string_view>

namespace vz::cli {

/// The same text with what moves a cursor, ends a line or turns the direction of writing spelled
/// out: "\n", "\t", "\u001b", "\u202e"; bytes that are no UTF-8 as "\xff". A backslash stays as it
/// is. Every table, finding and message passes through here; JSON has its own escapes.
std::string printable(std::string_view text);

}  // namespace vz::cli
