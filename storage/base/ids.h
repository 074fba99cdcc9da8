// The numbers that name things: log positions, epochs, collections, segments, points.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz {

using Lsn = std::uint64_t;           ///< position of a record in the node's log; the first is 1
using Epoch = std::uint32_t;         ///< term of a history; the first is 1
using CollectionId = std::uint64_t;  ///< lsn of the record that created it; 0 is the node itself
using SegmentSeq = std::uint64_t;  ///< number of a segment within its data directory, never reused

inline constexpr Lsn kLsnMax = ~Lsn{0};

/// Id of a point as a client gave it: an unsigned integer or a UUID.
///
/// Order: numbers ascending, then UUIDs by their bytes. `high` and `low` are the UUID's two
/// big-endian halves, so that comparing them compares its bytes; a number has high == 0.
struct PointId {
  enum class Kind : std::uint8_t { kNumber = 0, kUuid = 1 };  // On disk: never renumber.

  Kind kind = Kind::kNumber;
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static constexpr PointId number(std::uint64_t value) { return {Kind::kNumber, 0, value}; }
  static constexpr PointId uuid(std::uint64_t high, std::uint64_t low) {
    return {Kind::kUuid, high, low};
  }
  /// Reads the simple (32 hex digits), hyphenated, braced or urn:uuid: form.
  /// Errors: kInvalidArgument.
  static Result<PointId> parse_uuid(std::string_view text);

  [[nodiscard]] bool is_number() const { return kind == Kind::kNumber; }
  /// Decimal digits, or the hyphenated lower-case UUID (without quotes).
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const PointId&, const PointId&) = default;
};

struct PointIdHash {
  std::size_t operator()(const PointId& id) const noexcept {
    std::uint64_t x =
        id.low ^ (id.high * 0x9E3779B97F4A7C15ull) ^ (static_cast<std::uint64_t>(id.kind) << 63);
    x ^= x >> 32;  // Finaliser of MurmurHash3: every bit of x reaches every bit of the result.
    x *= 0xD6E8FEB86659FD93ull;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    return static_cast<std::size_t>(x ^ (x >> 32));
  }
};

}  // namespace vz
