#include "tests/fuzz/target.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace vz::fuzz {
namespace {

constexpr std::size_t kBytesMax = 1u << 20;

void put_number(Bytes& bytes, std::mt19937_64& random) {
  constexpr std::array<std::uint64_t, 10> kEdges = {
      0, 1, 2, 0x7F, 0xFF, 0x7FFF'FFFF, 0x8000'0000, 0xFFFF'FFFF, 0x7FFF'FFFF'FFFF'FFFF, ~0ULL};
  const std::uint64_t value = kEdges[random() % kEdges.size()];
  const std::size_t size = std::min<std::size_t>(std::size_t{1} << (random() % 4), bytes.size());
  std::memcpy(bytes.data() + random() % (bytes.size() - size + 1), &value, size);
}

void change(Bytes& bytes, std::mt19937_64& random) {
  if (bytes.empty()) return bytes.push_back(static_cast<std::byte>(random()));
  const std::size_t at = random() % bytes.size();
  const std::size_t size = 1 + random() % std::min<std::size_t>(64, bytes.size() - at);
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = begin + static_cast<std::ptrdiff_t>(size);
  switch (random() % 7) {
    case 0:
      bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
      return;
    case 1:
      bytes[at] = static_cast<std::byte>(random());
      return;
    case 2:
    case 3:
      return put_number(bytes, random);
    case 4:
      bytes.erase(begin, end);
      return;
    case 5: {
      const Bytes copy(begin, end);
      if (bytes.size() < kBytesMax)
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1)),
                     copy.begin(), copy.end());
      return;
    }
    default:
      std::reverse(begin, end);
  }
}

}  // namespace

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: broken: %s\n", promise);
  std::abort();
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::vector<Target> all_targets() {
  std::vector<Target> out;
  for (const auto targets :
       {record_targets(), directory_targets(), file_targets(), text_targets(), body_targets()}) {
    out.insert(out.end(), targets.begin(), targets.end());
  }
  return out;
}

Bytes mutated(Bytes bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint64_t left = 1 + random() % 4; left > 0; --left) change(bytes, random);
  return bytes;
}

}  // namespace vz::fuzz
