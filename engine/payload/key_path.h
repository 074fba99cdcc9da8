// Key paths: `a.b`, `a[].b`, `a[0].b`, `"quoted key".b`.
//
// An unquoted key is any run of bytes without `.`, `[`, `]` and `"`: wider than Qdrant, which asks
// for quotes around everything but letters, digits, `_` and `-`. A key with a quote in it cannot be
// named. White space belongs to the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace vz::payload {

struct PathStep {
  enum class Kind : std::uint8_t { kKey, kIndex, kEach };
  Kind kind = Kind::kKey;
  std::string key;          ///< of kKey
  std::uint64_t index = 0;  ///< of kIndex
  friend bool operator==(const PathStep&, const PathStep&) = default;
};

/// Its first step is a key; at most kKeyPathStepsMax steps.
using KeyPath = std::vector<PathStep>;

/// Errors: kInvalidArgument naming the path.
Result<KeyPath> parse_key_path(std::string_view path);

/// The one spelling of a path: keys are quoted only where they must be.
std::string key_path_text(const KeyPath& path);

/// Appends `.key` (or `key` to an empty path) in that spelling. False if the key cannot be named.
bool append_key(std::string_view key, std::string& path);

}  // namespace vz::payload
