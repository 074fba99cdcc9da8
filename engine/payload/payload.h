// Payloads: JSON objects as canonical text. Pure functions on text; no state.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace vz::payload {

/// The canonical text of a payload: one object without white space, keys in their first order, of
/// duplicate keys the last value, number tokens verbatim, strings re-escaped minimally (UTF-8
/// checked). `null` and an empty text give "{}".
/// Errors: kInvalidArgument (not an object, malformed with byte offset, bad UTF-8),
/// kOutOfRange (deeper than limits::kJsonDepthMax, longer than limits::kPayloadBytesMax).
Result<std::string> canonical(std::string_view json);

/// A parsed key path `a.b`, `a[].b`, `a[0].b`, `"quoted key".b`.
/// Errors: kInvalidArgument naming the path.
Status check_key_path(std::string_view path);

// Edits. `base` and `patch` are canonical texts; the result is canonical. They never fail on
// canonical input, so that applying a logged edit cannot fail; a path that does not lead to an
// object leaves the base as it is, or makes the objects on its way (set), as Qdrant does.

/// Merges the top-level keys of `patch` into `base`, or into the object at key path `key`.
std::string set(std::string_view base, std::string_view patch,
                const std::optional<std::string>& key);
std::string delete_keys(std::string_view base, std::span<const std::string> paths);

/// Which part of a payload an answer carries.
struct Selection {
  enum class Mode : std::uint8_t { kNone, kAll, kInclude, kExclude };
  Mode mode = Mode::kNone;
  std::vector<std::string> keys;  ///< key paths, for kInclude and kExclude
};
/// `base` (canonical) reduced to the selection; "{}" for kNone.
std::string select(std::string_view base, const Selection& selection);

}  // namespace vz::payload
