#include "engine/payload/canonical.h"

#include <algorithm>
#include <map>
#include <vector>

#include "engine/limits.h"
#include "engine/payload/payload.h"

namespace vz::payload {
namespace {

/// Writes the canonical text into a buffer of the input's size: it is never longer, because every
/// escape that the input may hold is at least as long as the canonical one.
class CanonicalSink {
 public:
  struct ObjectMark {
    std::size_t begin = 0;    ///< of the object's text
    std::size_t members = 0;  ///< of members_
  };

  explicit CanonicalSink(std::string& out) : out_(out), to_(out.data()) { members_.reserve(24); }

  ObjectMark begin_object() {
    const ObjectMark mark{offset(), members_.size()};
    *to_++ = '{';
    return mark;
  }
  void key(const RawString& name) {
    const std::size_t begin = offset();
    string(name);
    members_.push_back({begin, offset() - begin});
    *to_++ = ':';
  }
  void end_object(const ObjectMark& mark) {
    if (has_duplicates(mark)) keep_last(mark);
    members_.resize(mark.members);
    *to_++ = '}';
  }
  std::size_t begin_array() {
    *to_++ = '[';
    return 0;
  }
  void element() {}
  void end_array(std::size_t /*mark*/) { *to_++ = ']'; }
  void comma() { *to_++ = ','; }
  void string(const RawString& text) {
    *to_++ = '"';
    if (text.plain) {
      copy(text.bytes);
    } else {
      scratch_.clear();
      unescape_to(text.bytes, scratch_);
      escaped_.clear();
      escape_to(scratch_, escaped_);
      copy(escaped_);
    }
    *to_++ = '"';
  }
  void number(std::string_view token) { copy(token); }
  void null() { copy("null"); }
  void boolean(bool value) { copy(value ? "true" : "false"); }

  void finish() { out_.resize(offset()); }

 private:
  struct Member {
    std::size_t begin = 0;     ///< offset of the key's quote
    std::size_t key_size = 0;  ///< with quotes
  };

  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(to_ - out_.data()); }
  void copy(std::string_view bytes) {
    std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }
  /// With quotes, escaped canonically: equal bytes mean equal keys.
  [[nodiscard]] std::string_view key_of(const Member& member) const {
    return {out_.data() + member.begin, member.key_size};
  }

  [[nodiscard]] bool has_duplicates(const ObjectMark& mark) const {
    static constexpr std::size_t kPairwiseMax = 24;  // Beyond it sorting is cheaper.
    const Member* members = members_.data() + mark.members;
    const std::size_t count = members_.size() - mark.members;
    if (count <= kPairwiseMax) {
      for (std::size_t i = 1; i < count; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          if (members[i].key_size == members[j].key_size &&
              key_of(members[i]) == key_of(members[j])) {
            return true;
          }
        }
      }
      return false;
    }
    std::vector<std::string_view> keys(count);
    for (std::size_t i = 0; i < count; ++i) keys[i] = key_of(members[i]);
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }

  /// Rewrites the object (whose '}' is not written yet) with each key at its first place and with
  /// its last value.
  void keep_last(const ObjectMark& mark) {
    std::map<std::string_view, std::size_t> last;
    for (std::size_t i = mark.members; i < members_.size(); ++i) last[key_of(members_[i])] = i;
    std::string text = "{";
    std::map<std::string_view, bool> written;
    for (std::size_t i = mark.members; i < members_.size(); ++i) {
      const std::string_view name = key_of(members_[i]);
      if (!written.emplace(name, true).second) continue;
      if (text.size() > 1) text.push_back(',');
      const std::size_t chosen = last[name];
      const std::size_t begin = members_[chosen].begin;
      const std::size_t end =
          chosen + 1 < members_.size() ? members_[chosen + 1].begin - 1 : offset();
      text.append(out_.data() + begin, end - begin);
    }
    to_ = out_.data() + mark.begin;
    copy(text);
  }

  std::string& out_;
  char* to_;
  std::vector<Member> members_;
  std::string scratch_;
  std::string escaped_;
};

bool is_null_or_blank(std::string_view json) {
  static constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = json.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return true;
  return json.substr(first, json.find_last_not_of(kSpace) - first + 1) == "null";
}

}  // namespace

Result<std::string> canonical_text(std::string_view json, const ScanLimits& limits) {
  if ((json.empty() || json.front() != '{') && is_null_or_blank(json)) return std::string("{}");
  if (json.size() > limits.bytes_max) {
    return fail(ErrorCode::kOutOfRange, std::string(limits.what) + " of " +
                                            std::to_string(json.size()) + " bytes is longer than " +
                                            std::to_string(limits.bytes_max) + " bytes");
  }
  std::string out(json.size(), '\0');
  CanonicalSink sink(out);
  VZ_TRY(scan_json_object(json, limits, sink));
  sink.finish();
  return out;
}

ScanLimits stored_payload_limits() {
  return {"payload", limits::kJsonDepthMax + kKeyPathStepsMax + 1, kStoredPayloadBytesMax};
}

Result<std::string> canonical(std::string_view json) {
  static const ScanLimits kLimits{"payload", limits::kJsonDepthMax, limits::kPayloadBytesMax};
  return canonical_text(json, kLimits);
}

}  // namespace vz::payload
