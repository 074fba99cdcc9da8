// A payload as a tree that edits can change. Scalars stay the text they were.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace vz::payload {

struct JsonMember;

/// Keys and scalars borrow the text that was parsed, or a string that outlives the tree.
struct JsonNode {
  enum class Kind : std::uint8_t { kScalar, kArray, kObject };

  Kind kind = Kind::kScalar;
  std::string_view scalar = "null";  ///< canonical text of a kScalar
  std::vector<JsonNode> elements;    ///< of a kArray
  std::vector<JsonMember> members;   ///< of a kObject

  [[nodiscard]] JsonNode* find(std::string_view key);
  /// Makes it an empty container of that kind unless it is one of that kind already.
  void become(Kind wanted);
  void erase(std::string_view key);
};

struct JsonMember {
  std::string_view key;  ///< canonical text, with quotes
  JsonNode value;
};

/// The tree of a canonical text. Errors: kInvalidArgument, kOutOfRange.
Result<JsonNode> parse_tree(std::string_view canonical);

/// Appends the canonical text.
void write_tree(const JsonNode& node, std::string& out);

}  // namespace vz::payload
