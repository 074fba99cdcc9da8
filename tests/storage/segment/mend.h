// Damage, and damage behind right checksums: what a hostile hand, not a failing disk, would write.
#pragma once

#include <algorithm>

#include "storage/base/crc32c.h"
#include "storage/format/checked_file_format.h"

namespace vz::test {

inline Bytes flipped(Bytes bytes, std::size_t bit) {
  bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  return bytes;
}

/// A checked file around `content` whose every checksum is right.
inline Bytes sealed(ByteSpan content, std::uint8_t kind, std::uint16_t version) {
  Bytes table;
  ByteWriter out(table);
  for (std::size_t at = 0; at < content.size(); at += format::kCheckedBlockSize) {
    out.number(
        crc32c(content.subspan(at, std::min(format::kCheckedBlockSize, content.size() - at))));
  }
  const auto trailer = format::encode(format::CheckedTrailer{.version = version,
                                                             .kind = kind,
                                                             .content_size = content.size(),
                                                             .table_crc32c = crc32c(table)});
  Bytes file(content.begin(), content.end());
  file.insert(file.end(), table.begin(), table.end());
  file.insert(file.end(), trailer.begin(), trailer.end());
  return file;
}

/// The content of a checked file.
inline Bytes content_of(const Bytes& file) {
  const auto size = load_number<std::uint64_t>(file.data() + file.size() - 48);
  return {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// One to four changes: flipped bits and numbers that tend to break arithmetic.
template <typename Random>
void mutate(Bytes& bytes, std::size_t first, Random& random) {
  const auto changes = 1 + random() % 4;
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::size_t at = first + random() % (bytes.size() - first);
    const std::uint64_t numbers[] = {0,          1,          0x7FFFFFFF,   0xFFFFFFFF, ~0ull,
                                     1ull << 63, 1ull << 32, bytes.size(), at};
    const std::uint64_t number = numbers[random() % std::size(numbers)] + random() % 3 - 1;
    switch (random() % 4) {
      case 0:
      case 1:
        bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
        break;
      case 2:
        if (at + 4 <= bytes.size())
          store_number(bytes.data() + at / 4 * 4, static_cast<std::uint32_t>(number));
        break;
      default:
        if (at + 8 <= bytes.size()) store_number(bytes.data() + at / 8 * 8, number);
    }
  }
}

}  // namespace vz::test
