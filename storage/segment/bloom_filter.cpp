#include "storage/segment/bloom_filter.h"

#include "storage/format/segment_format.h"

namespace vz::segment {
namespace {

constexpr std::size_t kWordsPerBlock = 8;
constexpr int kBitsPerId = 6;
constexpr int kBitsOfIndex = 9;  // 512 bits in a block.

// Finaliser of MurmurHash3. Written out here, not taken from PointIdHash: it is part of the format.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDull;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53ull;
  return x ^ (x >> 33);
}

struct Place {
  std::size_t first_word;
  std::uint64_t bits;  // Six indices of nine bits each.
};

Place place_of(const PointId& id, std::size_t word_count) {
  const std::uint64_t first =
      mix(id.low + 0x9E3779B97F4A7C15ull * (static_cast<std::uint64_t>(id.kind) + 1)) ^ id.high;
  const std::uint64_t hash = mix(first);
  const std::uint64_t blocks = word_count / kWordsPerBlock;
  // The high half of hash * blocks / 2^64 picks a block without a division.
  const auto block = static_cast<std::size_t>((hash >> 32) * blocks >> 32);
  return {block * kWordsPerBlock, mix(hash + 0x9E3779B97F4A7C15ull)};
}

}  // namespace

BloomFilter::BloomFilter(std::uint32_t row_count)
    : words_(format::bloom_size(row_count) / sizeof(std::uint64_t)) {}

BloomFilter::BloomFilter(ByteSpan bytes)
    : words_(bytes.size() / (kWordsPerBlock * sizeof(std::uint64_t)) * kWordsPerBlock) {
  if (!words_.empty()) {
    std::memcpy(words_.data(), bytes.data(), words_.size() * sizeof(std::uint64_t));
  }
}

void BloomFilter::insert(const PointId& id) {
  VZ_ASSERT(!words_.empty());
  Place place = place_of(id, words_.size());
  for (int i = 0; i < kBitsPerId; ++i, place.bits >>= kBitsOfIndex) {
    words_[place.first_word + (place.bits >> 6 & 7)] |= std::uint64_t{1} << (place.bits & 63);
  }
}

bool BloomFilter::may_contain(const PointId& id) const {
  if (words_.empty()) return false;
  Place place = place_of(id, words_.size());
  for (int i = 0; i < kBitsPerId; ++i, place.bits >>= kBitsOfIndex) {
    const std::uint64_t word = words_[place.first_word + (place.bits >> 6 & 7)];
    if ((word >> (place.bits & 63) & 1) == 0) return false;
  }
  return true;
}

ByteSpan BloomFilter::bytes() const {
  return std::as_bytes(std::span(words_));
}

}  // namespace vz::segment
