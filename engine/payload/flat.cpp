#include "engine/payload/flat.h"

#include "engine/payload/canonical.h"
#include "engine/payload/filter.h"

namespace vz::payload {
namespace {

constexpr char kEmptyObject[9] = {static_cast<char>(FlatTag::kObject), 0, 0, 0, 0, 0, 0, 0, 0};

class FlatSink {
 public:
  /// Where a container's header stands, and the count of the one around it.
  struct Mark {
    std::size_t at = 0;
    std::uint32_t outer_count = 0;
  };

  explicit FlatSink(std::string& out) : out_(out) {}

  Mark begin_object() { return begin(FlatTag::kObject); }
  Mark begin_array() { return begin(FlatTag::kArray); }
  void end_object(const Mark& mark) { end(mark); }
  void end_array(const Mark& mark) { end(mark); }
  void key(const RawString& name) {
    ++count_;
    text(name);
  }
  void element() { ++count_; }
  void comma() {}
  void string(const RawString& value) {
    tag(FlatTag::kString);
    text(value);
  }
  void number(std::string_view token) {
    const Number number = parse_number(token);
    switch (number.kind) {
      case Number::Kind::kInt:
        tag(FlatTag::kInt), append(number.i);
        break;
      case Number::Kind::kUint:
        tag(FlatTag::kUint), append(number.u);
        break;
      case Number::Kind::kDouble:
        tag(FlatTag::kDouble), append(number.d);
        break;
    }
  }
  void null() { tag(FlatTag::kNull); }
  void boolean(bool value) { tag(value ? FlatTag::kTrue : FlatTag::kFalse); }

 private:
  void tag(FlatTag tag) { out_.push_back(static_cast<char>(tag)); }
  template <typename T>
  void append(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const RawString& raw) {
    if (raw.plain) {
      append(static_cast<std::uint32_t>(raw.bytes.size()));
      out_.append(raw.bytes);
      return;
    }
    const std::size_t at = out_.size();
    append(std::uint32_t{0});
    unescape_to(raw.bytes, out_);
    store(at, static_cast<std::uint32_t>(out_.size() - at - sizeof(std::uint32_t)));
  }
  Mark begin(FlatTag which) {
    const Mark mark{out_.size(), count_};
    tag(which);
    append(std::uint64_t{0});
    count_ = 0;
    return mark;
  }
  void end(const Mark& mark) {
    store(mark.at + 1, static_cast<std::uint32_t>(out_.size() - mark.at - 9));
    store(mark.at + 5, count_);
    count_ = mark.outer_count;
  }
  void store(std::size_t at, std::uint32_t value) {
    std::memcpy(out_.data() + at, &value, sizeof value);
  }

  std::string& out_;
  std::uint32_t count_ = 0;  ///< of the container that is open
};

}  // namespace

FlatValue flat_root(std::string_view flat) {
  return FlatValue(flat.empty() ? kEmptyObject : flat.data());
}

Status flatten_checked(std::string_view text, std::string& out) {
  return flatten_checked(text, stored_payload_limits(), out);
}

Status flatten_checked(std::string_view text, const ScanLimits& limits, std::string& out) {
  const std::size_t size = out.size();
  if (text.empty()) {
    out.append(kEmptyObject, sizeof kEmptyObject);
    return {};
  }
  FlatSink sink(out);
  Status status = scan_json_object(text, limits, sink);
  if (!status.has_value()) out.resize(size);
  return status;
}

void flatten(std::string_view canonical_payload, std::string& out) {
  if (!flatten_checked(canonical_payload, out).has_value()) {
    out.append(kEmptyObject, sizeof kEmptyObject);
  }
}

}  // namespace vz::payload
