#include "engine/payload/json_tree.h"

#include <algorithm>

#include "engine/payload/canonical.h"

namespace vz::payload {
namespace {

class TreeSink {
 public:
  explicit TreeSink(JsonNode& root) : root_(root) {}

  int begin_object() { return open(JsonNode::Kind::kObject); }
  int begin_array() { return open(JsonNode::Kind::kArray); }
  void end_object(int /*mark*/) { path_.pop_back(); }
  void end_array(int /*mark*/) { path_.pop_back(); }
  // The input is canonical, so the bytes between the quotes are, too.
  void key(const RawString& name) { key_ = with_quotes(name); }
  void element() {}
  void comma() {}
  void string(const RawString& text) { add(with_quotes(text)); }
  void number(std::string_view token) { add(token); }
  void null() { add("null"); }
  void boolean(bool value) { add(value ? "true" : "false"); }

 private:
  static std::string_view with_quotes(const RawString& raw) {
    return {raw.bytes.data() - 1, raw.bytes.size() + 2};
  }
  JsonNode& slot() {
    if (path_.empty()) return root_;
    JsonNode& parent = *path_.back();
    if (parent.kind == JsonNode::Kind::kArray) return parent.elements.emplace_back();
    return parent.members.emplace_back(JsonMember{.key = key_, .value = {}}).value;
  }
  int open(JsonNode::Kind kind) {
    JsonNode& node = slot();
    node.kind = kind;
    path_.push_back(&node);  // Its parent grows only after it is closed, so the pointer holds.
    return 0;
  }
  void add(std::string_view scalar) { slot().scalar = scalar; }

  JsonNode& root_;
  std::vector<JsonNode*> path_;
  std::string_view key_;
};

}  // namespace

JsonNode* JsonNode::find(std::string_view key) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const JsonMember& member) { return member.key == key; });
  return found == members.end() ? nullptr : &found->value;
}

void JsonNode::become(Kind wanted) {
  if (kind == wanted) return;
  elements.clear();
  members.clear();
  kind = wanted;
}

void JsonNode::erase(std::string_view key) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const JsonMember& member) { return member.key == key; });
  if (found != members.end()) members.erase(found);
}

Result<JsonNode> parse_tree(std::string_view canonical) {
  JsonNode root;
  TreeSink sink(root);
  VZ_TRY(scan_json_object(canonical, stored_payload_limits(), sink));
  return root;
}

void write_tree(const JsonNode& node, std::string& out) {
  switch (node.kind) {
    case JsonNode::Kind::kScalar:
      out.append(node.scalar);
      return;
    case JsonNode::Kind::kArray: {
      out.push_back('[');
      const char* separator = "";
      for (const JsonNode& element : node.elements) {
        out.append(separator);
        write_tree(element, out);
        separator = ",";
      }
      out.push_back(']');
      return;
    }
    case JsonNode::Kind::kObject: {
      out.push_back('{');
      const char* separator = "";
      for (const auto& [key, value] : node.members) {
        out.append(separator).append(key).push_back(':');
        write_tree(value, out);
        separator = ",";
      }
      out.push_back('}');
    }
  }
}

}  // namespace vz::payload
