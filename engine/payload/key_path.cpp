#include "engine/payload/key_path.h"

#include <charconv>

#include "engine/limits.h"
#include "engine/payload/canonical.h"
#include "engine/payload/payload.h"

namespace vz::payload {
namespace {

class PathParser {
 public:
  explicit PathParser(std::string_view path) : path_(path) {}

  Result<KeyPath> parse() {
    if (path_.empty()) return problem("it is empty");
    if (path_.size() > limits::kKeyPathBytesMax) {
      return problem("it is longer than " + std::to_string(limits::kKeyPathBytesMax) + " bytes");
    }
    KeyPath steps;
    for (;;) {
      VZ_TRY_ASSIGN(PathStep step, key());
      steps.push_back(std::move(step));
      while (at_ < path_.size() && path_[at_] == '[') {
        VZ_TRY_ASSIGN(PathStep inner, subscript());
        steps.push_back(std::move(inner));
      }
      if (steps.size() > kKeyPathStepsMax) {
        return problem("it has more than " + std::to_string(kKeyPathStepsMax) + " steps");
      }
      if (at_ == path_.size()) return steps;
      if (path_[at_] != '.') return problem("expected '.' or '['");
      ++at_;
    }
  }

 private:
  Result<PathStep> key() {
    if (at_ < path_.size() && path_[at_] == '"') {
      const std::size_t close = path_.find('"', at_ + 1);
      if (close == std::string_view::npos) return problem("a quote is not closed");
      PathStep step{PathStep::Kind::kKey, std::string(path_.substr(at_ + 1, close - at_ - 1)), 0};
      at_ = close + 1;
      return step;
    }
    const std::size_t end = std::min(path_.find_first_of(".[]\"", at_), path_.size());
    if (end == at_) return problem("a key is missing");
    PathStep step{PathStep::Kind::kKey, std::string(path_.substr(at_, end - at_)), 0};
    at_ = end;
    return step;
  }

  Result<PathStep> subscript() {
    const std::size_t close = path_.find(']', at_);
    if (close == std::string_view::npos) return problem("a '[' is not closed");
    const std::string_view inner = path_.substr(at_ + 1, close - at_ - 1);
    PathStep step{inner.empty() ? PathStep::Kind::kEach : PathStep::Kind::kIndex, "", 0};
    if (!inner.empty()) {
      const auto [end, error] =
          std::from_chars(inner.data(), inner.data() + inner.size(), step.index);
      if (error != std::errc() || end != inner.data() + inner.size()) {
        return problem("an index is not a number");
      }
    }
    at_ = close + 1;
    return step;
  }

  [[nodiscard]] tl::unexpected<Error> problem(const std::string& why) const {
    return fail(
        ErrorCode::kInvalidArgument,
        "invalid key path '" + std::string(path_.substr(0, limits::kKeyPathBytesMax)) +
            "': " + why +
            (why.find("expected") == 0 || why.find("a ") == 0 ? " at byte " + std::to_string(at_)
                                                              : ""));
  }

  std::string_view path_;
  std::size_t at_ = 0;
};

}  // namespace

Result<KeyPath> parse_key_path(std::string_view path) {
  return PathParser(path).parse();
}

bool append_key(std::string_view key, std::string& path) {
  if (key.find('"') != std::string_view::npos) return false;
  if (!path.empty()) path.push_back('.');
  const bool quotes = key.empty() || key.find_first_of(".[]") != std::string_view::npos;
  if (quotes) path.push_back('"');
  path.append(key);
  if (quotes) path.push_back('"');
  return true;
}

std::string key_path_text(const KeyPath& path) {
  std::string text;
  for (const PathStep& step : path) {
    switch (step.kind) {
      case PathStep::Kind::kKey:
        append_key(step.key, text);
        break;
      case PathStep::Kind::kEach:
        text += "[]";
        break;
      case PathStep::Kind::kIndex:
        text.append("[").append(std::to_string(step.index)).append("]");
        break;
    }
  }
  return text;
}

Status check_key_path(std::string_view path) {
  VZ_TRY(parse_key_path(path));
  return {};
}

}  // namespace vz::payload
