// Little-endian bytes <-> numbers. Writers append; readers check every bound and never throw.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "storage/base/status.h"

namespace vz {

static_assert(std::endian::native == std::endian::little, "the file formats are little-endian");

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

template <typename T>
concept PlainNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <PlainNumber T>
T load_number(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <PlainNumber T>
void store_number(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// Appends numbers and strings to a byte vector that it borrows.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  template <PlainNumber T>
  void number(T value) {
    raw({reinterpret_cast<const std::byte*>(&value), sizeof value});
  }
  void raw(ByteSpan bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  /// u32 length, then the bytes.
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    raw(as_bytes(value));
  }
  template <PlainNumber T>
  void numbers(std::span<const T> values) {
    raw(std::as_bytes(values));
  }
  /// Zero bytes up to a multiple of `alignment` of the whole vector.
  void pad_to(std::size_t alignment) {
    while (out_.size() % alignment != 0) out_.push_back(std::byte{0});
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote. After the first read beyond the end `ok()` is false and every read
/// gives zero or an empty value, so that a decoder may check once, at its end.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  template <PlainNumber T>
  T number() {
    const ByteSpan bytes = raw(sizeof(T));
    return bytes.size() == sizeof(T) ? load_number<T>(bytes.data()) : T{};
  }
  ByteSpan raw(std::size_t size) {
    if (size > bytes_.size() - at_) {
      ok_ = false;
      return {};
    }
    const ByteSpan out = bytes_.subspan(at_, size);
    at_ += size;
    return out;
  }
  std::string_view text() { return as_text(raw(number<std::uint32_t>())); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return at_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }

 private:
  ByteSpan bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace vz
