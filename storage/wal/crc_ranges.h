// CRC32C of any range of a buffer in logarithmic time, after one pass over it.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/bytes.h"

namespace vz::wal {

/// The search for records behind a damaged one meets bytes that a client chose: a payload may hold
/// a million headers that each claim to be followed by megabytes. Computing each checksum from its
/// bytes would take hours; from checkpoints it takes a microsecond.
///
/// A checksum's state is linear over GF(2): the state after bytes a..b from state s is
/// shift(s ^ P(a), b - a) ^ P(b), where P(k) is the state after the first k bytes from zero, and
/// shift(s, n) is s times x^(8n) modulo the polynomial (as in zlib's crc32_combine).
class CrcRanges {
 public:
  /// Borrows `bytes`.
  explicit CrcRanges(ByteSpan bytes);

  /// crc32c(bytes[begin, end), seed).
  [[nodiscard]] std::uint32_t crc(std::size_t begin, std::size_t end, std::uint32_t seed) const;

 private:
  [[nodiscard]] std::uint32_t state_before(std::size_t offset) const;

  ByteSpan bytes_;
  std::vector<std::uint32_t> checkpoints_;  ///< the state before each 256 bytes
};

}  // namespace vz::wal
