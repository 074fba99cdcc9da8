// Flat rows: a payload decoded once, so that a filter walks bytes and parses nothing. In memory
// only, made by flatten() and trusted after it; never on disk.
//
//   value  := tag u8, body
//   null, false, true: no body          int: i64   uint: u64   double: f64
//   string: u32 size, bytes             array: u32 body size, u32 count, values
//   object: u32 body size, u32 count, members (u32 key size, key, value)
//
// values_at() is the one decoder of values at a path: matches(), evaluate() with and without
// columns, and the columns themselves all come from it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/payload/key_path.h"
#include "engine/payload/number.h"
#include "storage/base/status.h"

namespace vz::payload {

enum class FlatTag : std::uint8_t {
  kNull,
  kFalse,
  kTrue,
  kInt,
  kUint,
  kDouble,
  kString,
  kArray,
  kObject,
};

/// A value inside a flat row; borrows its bytes.
class FlatValue {
 public:
  explicit FlatValue(const char* at) : at_(at) {}

  [[nodiscard]] FlatTag tag() const { return static_cast<FlatTag>(*at_); }
  [[nodiscard]] bool is_null() const { return tag() == FlatTag::kNull; }
  [[nodiscard]] bool is_bool() const { return tag() == FlatTag::kTrue || tag() == FlatTag::kFalse; }
  [[nodiscard]] bool is_string() const { return tag() == FlatTag::kString; }
  [[nodiscard]] bool is_array() const { return tag() == FlatTag::kArray; }
  [[nodiscard]] bool is_object() const { return tag() == FlatTag::kObject; }
  [[nodiscard]] bool is_number() const {
    return tag() == FlatTag::kInt || tag() == FlatTag::kUint || tag() == FlatTag::kDouble;
  }
  [[nodiscard]] Number number() const {
    if (tag() == FlatTag::kInt) return Number::integer(load<std::int64_t>(1));
    if (tag() == FlatTag::kUint) return Number::natural(load<std::uint64_t>(1));
    return Number::real(load<double>(1));
  }
  [[nodiscard]] std::string_view string() const { return {at_ + 5, load<std::uint32_t>(1)}; }
  /// Elements of an array, members of an object.
  [[nodiscard]] std::uint32_t count() const { return load<std::uint32_t>(5); }
  /// First byte of the first element or member.
  [[nodiscard]] const char* body() const { return at_ + 9; }
  /// First byte after the value.
  [[nodiscard]] const char* end() const {
    switch (tag()) {
      case FlatTag::kInt:
      case FlatTag::kUint:
      case FlatTag::kDouble:
        return at_ + 9;
      case FlatTag::kString:
        return at_ + 5 + load<std::uint32_t>(1);
      case FlatTag::kArray:
      case FlatTag::kObject:
        return at_ + 9 + load<std::uint32_t>(1);
      default:
        return at_ + 1;
    }
  }

 private:
  template <typename T>
  [[nodiscard]] T load(std::size_t offset) const {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }
  const char* at_;
};

/// A member of an object.
struct FlatMember {
  explicit FlatMember(const char* at) {
    std::uint32_t size = 0;
    std::memcpy(&size, at, sizeof size);
    key = {at + sizeof size, size};
  }
  [[nodiscard]] FlatValue value() const { return FlatValue(key.data() + key.size()); }
  std::string_view key;
};

/// Calls visit(FlatMember) -> bool (go on?) in order. False if a visit said stop.
template <typename Visit>
bool for_each_member(FlatValue object, const Visit& visit) {
  const char* at = object.body();
  for (std::uint32_t i = object.count(); i > 0; --i) {
    const FlatMember member(at);
    if (!visit(member)) return false;
    at = member.value().end();
  }
  return true;
}

/// Calls visit(FlatValue) -> bool (go on?) for the elements of an array in order.
template <typename Visit>
bool for_each_element(FlatValue array, const Visit& visit) {
  const char* at = array.body();
  for (std::uint32_t i = array.count(); i > 0; --i) {
    const FlatValue value(at);
    if (!visit(value)) return false;
    at = value.end();
  }
  return true;
}

/// Calls visit(FlatValue) -> bool (go on?) for every value at `path` below `value`: none, one, or
/// with `[]` many. False if a visit said stop. Missing keys, indexes beyond the end and steps into
/// a value of another type give none, as in Qdrant: `a.b` does not look into an array `a`.
template <typename Visit>
bool values_at(FlatValue value, const KeyPath& path, const Visit& visit, std::size_t step = 0) {
  for (; step < path.size(); ++step) {
    const PathStep& at = path[step];
    const char* found = nullptr;
    if (at.kind == PathStep::Kind::kKey) {
      if (!value.is_object()) return true;
      for_each_member(value, [&](const FlatMember& member) {
        if (member.key != at.key) return true;
        found = member.key.data() + member.key.size();
        return false;
      });
    } else {
      if (!value.is_array()) return true;
      if (at.kind == PathStep::Kind::kEach) {
        return for_each_element(
            value, [&](FlatValue element) { return values_at(element, path, visit, step + 1); });
      }
      if (at.index >= value.count()) return true;
      found = value.body();
      for (std::uint64_t i = 0; i < at.index; ++i) found = FlatValue(found).end();
    }
    if (found == nullptr) return true;
    value = FlatValue(found);
  }
  return visit(value);
}

/// What conditions test: the value itself, or the elements of an array (one level).
template <typename Visit>
bool leaves_of(FlatValue value, const Visit& visit) {
  return value.is_array() ? for_each_element(value, visit) : visit(value);
}

struct ScanLimits;

/// A flat row as a value; an empty text is an empty object.
FlatValue flat_root(std::string_view flat);

/// flatten() of text that may be damaged, within limits of the caller's choice.
/// Errors: kInvalidArgument, kOutOfRange; `out` is then as before.
Status flatten_checked(std::string_view text, const ScanLimits& limits, std::string& out);
/// The same for a stored payload.
Status flatten_checked(std::string_view text, std::string& out);

}  // namespace vz::payload
