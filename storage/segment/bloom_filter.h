// A Bloom filter over point ids, in blocks of one cache line: a test costs one cache miss.
// "Cache-, Hash- and Space-Efficient Bloom Filters", Putze, Sanders, Singler 2007.
#pragma once

#include <cstdint>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::segment {

/// Ten bits per id, six of them set: of ids that are absent about 1.3 % pass. Part of the file
/// format. Not thread-safe while inserting; may_contain is.
class BloomFilter {
 public:
  BloomFilter() = default;
  /// An empty filter for `row_count` ids.
  explicit BloomFilter(std::uint32_t row_count);
  /// A filter as it was written: whole blocks of 64 bytes.
  explicit BloomFilter(ByteSpan bytes);

  void insert(const PointId& id);
  /// False: the id was not inserted.
  [[nodiscard]] bool may_contain(const PointId& id) const;
  [[nodiscard]] ByteSpan bytes() const;

 private:
  std::vector<std::uint64_t> words_;  // Eight to a block.
};

}  // namespace vz::segment
