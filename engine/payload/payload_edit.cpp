// set, delete_keys and select, as Qdrant 1.19 does them (its json_path/mod.rs read for semantics):
// a null in a patch removes its key; `a[]` in delete_keys empties the array, `a[0]` as the last
// step removes nothing (it would not be idempotent); a patch put at a path replaces whatever is no
// object on the way, but never makes an array longer.
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "engine/payload/json_text.h"
#include "engine/payload/json_tree.h"
#include "engine/payload/key_path.h"
#include "engine/payload/payload.h"

namespace vz::payload {
namespace {

/// A key path whose keys are canonical text with quotes, to compare with a tree's.
KeyPath with_quoted_keys(KeyPath path) {
  for (PathStep& step : path) {
    if (step.kind == PathStep::Kind::kKey) step.key = quoted(step.key);
  }
  return path;
}

void erase_all(JsonNode& object, const std::set<std::string_view>& keys) {
  auto& members = object.members;
  members.erase(std::remove_if(members.begin(), members.end(),
                               [&](const JsonMember& member) { return keys.contains(member.key); }),
                members.end());
}

bool is_null(const JsonNode& node) {
  return node.kind == JsonNode::Kind::kScalar && node.scalar == "null";
}

/// A map, not a search per key: both sides may hold a million keys.
void merge(JsonNode& target, const JsonNode& patch) {
  target.become(JsonNode::Kind::kObject);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < target.members.size(); ++i) places[target.members[i].key] = i;
  std::set<std::string_view> gone;
  for (const auto& [key, value] : patch.members) {
    const auto found = places.find(key);
    if (is_null(value)) {
      if (found != places.end()) gone.insert(key);
    } else if (found != places.end()) {
      target.members[found->second].value = value;
    } else {
      target.members.push_back({key, value});
    }
  }
  if (!gone.empty()) erase_all(target, gone);
}

void set_at(JsonNode& node, const KeyPath& path, std::size_t step, const JsonNode& patch) {
  if (step == path.size()) {
    merge(node, patch);
    return;
  }
  const PathStep& at = path[step];
  if (at.kind == PathStep::Kind::kKey) {
    node.become(JsonNode::Kind::kObject);
    JsonNode* child = node.find(at.key);
    if (child == nullptr)
      child = &node.members.emplace_back(JsonMember{.key = at.key, .value = {}}).value;
    set_at(*child, path, step + 1, patch);
    return;
  }
  node.become(JsonNode::Kind::kArray);
  if (at.kind == PathStep::Kind::kEach) {
    for (JsonNode& element : node.elements) set_at(element, path, step + 1, patch);
  } else if (at.index < node.elements.size()) {
    set_at(node.elements[at.index], path, step + 1, patch);
  }
}

void remove_at(JsonNode& node, const KeyPath& path, std::size_t step) {
  const PathStep& at = path[step];
  const bool last = step + 1 == path.size();
  if (at.kind == PathStep::Kind::kKey) {
    if (node.kind != JsonNode::Kind::kObject) return;
    if (last) {
      node.erase(at.key);
    } else if (JsonNode* child = node.find(at.key); child != nullptr) {
      remove_at(*child, path, step + 1);
    }
    return;
  }
  if (node.kind != JsonNode::Kind::kArray) return;
  if (at.kind == PathStep::Kind::kEach) {
    if (last) {
      node.elements.clear();
    } else {
      for (JsonNode& element : node.elements) remove_at(element, path, step + 1);
    }
  } else if (!last && at.index < node.elements.size()) {
    remove_at(node.elements[at.index], path, step + 1);
  }
}

bool is_prefix(const KeyPath& shorter, const KeyPath& longer, std::size_t size) {
  return std::equal(shorter.begin(), shorter.begin() + static_cast<std::ptrdiff_t>(size),
                    longer.begin());
}

/// Keeps what a selection keeps. Elements of arrays are asked as the step `[]`, so `a[].b` selects
/// inside an array and `a[0].b` does not, as in Qdrant.
class Selector {
 public:
  explicit Selector(const Selection& selection)
      : include_(selection.mode == Selection::Mode::kInclude) {
    for (const std::string& key : selection.keys) {
      auto path = parse_key_path(key);
      if (path.has_value()) patterns_.push_back(with_quoted_keys(std::move(*path)));
    }
  }

  void reduce(JsonNode& node) {
    if (node.kind == JsonNode::Kind::kObject) {
      auto& members = node.members;
      members.erase(
          std::remove_if(members.begin(), members.end(),
                         [&](JsonMember& member) {
                           at_.push_back({PathStep::Kind::kKey, std::string(member.key), 0});
                           const bool gone = !keep(member.value);
                           at_.pop_back();
                           return gone;
                         }),
          members.end());
    } else if (node.kind == JsonNode::Kind::kArray) {
      at_.push_back({PathStep::Kind::kEach, "", 0});
      auto& elements = node.elements;
      elements.erase(std::remove_if(elements.begin(), elements.end(),
                                    [&](JsonNode& element) { return !keep(element); }),
                     elements.end());
      at_.pop_back();
    }
  }

 private:
  /// Include: pattern and place are one a prefix of the other. Exclude: the pattern is the place.
  bool keep(JsonNode& node) {
    const bool hit = std::any_of(patterns_.begin(), patterns_.end(), [&](const KeyPath& pattern) {
      if (include_) return is_prefix(pattern, at_, std::min(pattern.size(), at_.size()));
      return pattern.size() <= at_.size() && is_prefix(pattern, at_, pattern.size());
    });
    if (hit != include_) return false;
    reduce(node);
    return true;
  }

  bool include_;
  std::vector<KeyPath> patterns_;
  KeyPath at_;
};

std::string text_of(const JsonNode& root, std::size_t size_hint) {
  std::string out;
  out.reserve(size_hint);
  write_tree(root, out);
  return out;
}

}  // namespace

std::string set(std::string_view base, std::string_view patch,
                const std::optional<std::string>& key) {
  auto target = parse_tree(base.empty() ? "{}" : base);
  auto change = parse_tree(patch.empty() ? "{}" : patch);
  if (!target.has_value() || !change.has_value()) return std::string(base);
  KeyPath path;
  if (key.has_value()) {
    auto parsed = parse_key_path(*key);
    if (!parsed.has_value()) return std::string(base);
    path = with_quoted_keys(std::move(*parsed));
  }
  set_at(*target, path, 0, *change);
  return text_of(*target, base.size() + patch.size());
}

std::string delete_keys(std::string_view base, std::span<const std::string> paths) {
  auto target = parse_tree(base.empty() ? "{}" : base);
  if (!target.has_value()) return std::string(base);
  std::deque<KeyPath> parsed;  // `top` borrows its keys
  std::set<std::string_view> top;
  for (const std::string& text : paths) {
    auto path = parse_key_path(text);
    if (!path.has_value()) continue;
    parsed.push_back(with_quoted_keys(std::move(*path)));
    if (parsed.back().size() == 1) {
      top.insert(parsed.back().front().key);
    } else {
      remove_at(*target, parsed.back(), 0);
    }
  }
  erase_all(*target, top);
  return text_of(*target, base.size());
}

std::string select(std::string_view base, const Selection& selection) {
  if (selection.mode == Selection::Mode::kNone) return "{}";
  if (selection.mode == Selection::Mode::kAll) return std::string(base);
  auto target = parse_tree(base.empty() ? "{}" : base);
  if (!target.has_value()) return "{}";
  Selector(selection).reduce(*target);
  return text_of(*target, base.size());
}

}  // namespace vz::payload
