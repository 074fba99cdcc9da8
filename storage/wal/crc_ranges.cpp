#include "storage/wal/crc_ranges.h"

#include <array>

#include "storage/base/crc32c.h"

namespace vz::wal {
namespace {

constexpr std::size_t kCheckpointDistance = 256;
constexpr std::uint32_t kPolynomial = 0x82F63B78u;  // Castagnoli, bits reversed.
constexpr std::uint32_t kOne = 1u << 31;            // The polynomial 1 in reversed bits.

/// a times b modulo the polynomial.
constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & kOne) != 0) product ^= b;
    b = (b & 1u) != 0 ? b >> 1 ^ kPolynomial : b >> 1;
  }
  return product;
}

/// x to the power of 8 * 2^k bytes, k = 0 .. 63.
constexpr std::array<std::uint32_t, 64> make_powers() {
  std::array<std::uint32_t, 64> powers{};
  powers[0] = kOne >> 8;
  for (std::size_t k = 1; k < powers.size(); ++k)
    powers[k] = multiply(powers[k - 1], powers[k - 1]);
  return powers;
}
constexpr auto kPowers = make_powers();

std::uint32_t shift(std::uint32_t state, std::size_t size_bytes) {
  for (std::size_t k = 0; size_bytes != 0 && state != 0; ++k, size_bytes >>= 1)
    if ((size_bytes & 1u) != 0) state = multiply(state, kPowers[k]);
  return state;
}

/// crc32c() inverts the state before and after; this is the state itself.
std::uint32_t advance(std::uint32_t state, ByteSpan bytes) {
  return ~crc32c(bytes, ~state);
}

}  // namespace

CrcRanges::CrcRanges(ByteSpan bytes) : bytes_(bytes) {
  checkpoints_.reserve(bytes.size() / kCheckpointDistance + 1);
  checkpoints_.push_back(0);
  for (std::size_t at = 0; at + kCheckpointDistance <= bytes.size(); at += kCheckpointDistance)
    checkpoints_.push_back(advance(checkpoints_.back(), bytes.subspan(at, kCheckpointDistance)));
}

std::uint32_t CrcRanges::state_before(std::size_t offset) const {
  const std::size_t checkpoint = offset / kCheckpointDistance;
  const std::size_t start = checkpoint * kCheckpointDistance;
  return advance(checkpoints_[checkpoint], bytes_.subspan(start, offset - start));
}

std::uint32_t CrcRanges::crc(std::size_t begin, std::size_t end, std::uint32_t seed) const {
  VZ_ASSERT(begin <= end && end <= bytes_.size());
  return ~(shift(~seed ^ state_before(begin), end - begin) ^ state_before(end));
}

}  // namespace vz::wal
