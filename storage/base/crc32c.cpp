#include "storage/base/crc32c.h"

#include <array>

#include <nmmintrin.h>

namespace vz {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78u;  // Castagnoli, bits reversed.

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1u) != 0 ? kPolynomial : 0u);
    table[byte] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

std::uint32_t portable(const std::byte* at, std::size_t size, std::uint32_t crc) {
  for (; size > 0; --size, ++at) {
    crc = crc >> 8 ^ kTable[(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xFFu];
  }
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t hardware(const std::byte* at, std::size_t size,
                                                         std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; size >= 8; size -= 8, at += 8) wide = _mm_crc32_u64(wide, load_number<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; size > 0; --size, ++at) narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
  return narrow;
}

}  // namespace

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t seed) {
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  const std::uint32_t start = ~seed;
  return ~(kHasInstruction ? hardware(bytes.data(), bytes.size(), start)
                           : portable(bytes.data(), bytes.size(), start));
}

}  // namespace vz
