// Suggestions for mistyped words.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vz::cli {

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word with the fewest edits from `typed`, if that is at most a third of its length, rounded
/// up.
std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> words);

}  // namespace vz::cli
