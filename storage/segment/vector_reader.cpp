#include "storage/segment/vector_reader.h"

#include <algorithm>
#include <bit>

namespace vz::segment {
namespace {

constexpr std::uint64_t kBitsPerWord = 64;
constexpr std::uint64_t kWordsPerRank = format::kRowsPerRank / kBitsPerWord;
constexpr std::size_t kCacheLine = 64;
/// The processor's own prefetcher follows after the first lines.
constexpr std::size_t kPrefetchedSizeMax = 8 * kCacheLine;

std::uint32_t count_bits(std::uint64_t word) {
  return static_cast<std::uint32_t>(std::popcount(word));
}

}  // namespace

VectorReader::VectorReader(const CheckedFile& file, const format::SegmentColumn& column,
                           std::uint32_t row_count, Damage& damage)
    : file_(file),
      column_(column),
      damage_(damage),
      row_count_(row_count),
      partial_(format::is_partial(column.present, row_count)),
      vector_size_(std::uint64_t{column.dimension} * sizeof(float)),
      values_(file.unchecked(column.values.offset)),
      presence_(file.unchecked(column.presence.offset)),
      ranks_(file.unchecked(column.ranks.offset)) {}

std::uint64_t VectorReader::presence_word(std::uint64_t index) const {
  return load_number<std::uint64_t>(presence_ + index * sizeof(std::uint64_t));
}

std::uint32_t VectorReader::rank(std::uint64_t index) const {
  return load_number<std::uint32_t>(ranks_ + index * sizeof(std::uint32_t));
}

// Afterwards ranks and bits agree and add up to `present`, so slot_of needs no further check.
Status VectorReader::verify_presence() const {
  VZ_TRY(file_.verify(column_.presence.offset, column_.presence.size));
  VZ_TRY(file_.verify(column_.ranks.offset, column_.ranks.size));
  const auto refuse = [this](const std::string& what) {
    return fail(ErrorCode::kCorruption,
                file_.path() + ": presence of vector '" + column_.name + "': " + what);
  };
  const std::uint64_t words = column_.presence.size / sizeof(std::uint64_t);
  std::uint64_t count = 0;
  for (std::uint64_t index = 0; index < words; ++index) {
    if (index % kWordsPerRank == 0 && rank(index / kWordsPerRank) != count) {
      return refuse("rank " + std::to_string(index / kWordsPerRank) + ": expected " +
                    std::to_string(count) + ", found " +
                    std::to_string(rank(index / kWordsPerRank)));
    }
    count += count_bits(presence_word(index));
  }
  const std::uint32_t tail = row_count_ % kBitsPerWord;
  if (tail != 0 && presence_word(words - 1) >> tail != 0) return refuse("bits beyond the last row");
  if (count != column_.present) {
    return refuse("expected " + std::to_string(column_.present) + " bits, found " +
                  std::to_string(count));
  }
  return {};
}

std::optional<std::uint32_t> VectorReader::slot_of(std::uint32_t row) const {
  VZ_ASSERT(row < row_count_);
  if (!partial_) {
    if (column_.present == 0) return std::nullopt;
    return row;
  }
  if (!presence_touch_.passed(damage_, [this] { return verify_presence(); })) return std::nullopt;
  const std::uint64_t word = row / kBitsPerWord;
  const std::uint64_t bits = presence_word(word);
  if ((bits >> (row % kBitsPerWord) & 1) == 0) return std::nullopt;
  std::uint32_t slot = rank(row / format::kRowsPerRank);
  for (std::uint64_t i = word / kWordsPerRank * kWordsPerRank; i < word; ++i) {
    slot += count_bits(presence_word(i));
  }
  slot += count_bits(bits & ((std::uint64_t{1} << (row % kBitsPerWord)) - 1));
  // Never more, unless the file changed under the mapping after it was verified.
  return std::min(slot, column_.present - 1);
}

const float* VectorReader::dense(std::uint32_t row) const {
  VZ_ASSERT(column_.kind == format::ColumnKind::kDense);
  const auto slot = slot_of(row);
  if (!slot) return nullptr;
  const std::uint64_t at = *slot * vector_size_;
  if (const Status status = file_.verify(column_.values.offset + at, vector_size_); !status) {
    damage_.report(status.error());
    return nullptr;
  }
  return reinterpret_cast<const float*>(values_ + at);
}

void VectorReader::prefetch_dense(std::uint32_t row) const {
  const auto slot = slot_of(row);
  if (!slot) return;
  const std::byte* at = values_ + *slot * vector_size_;
  const std::size_t size = std::min<std::size_t>(vector_size_, kPrefetchedSizeMax);
  for (std::size_t i = 0; i < size; i += kCacheLine) __builtin_prefetch(at + i);
}

std::span<const float> VectorReader::floats(std::uint64_t first, std::uint64_t count) const {
  return {reinterpret_cast<const float*>(values_) + first, count};
}

Result<std::optional<VectorRef>> VectorReader::vector(std::uint32_t row) const {
  const auto slot = slot_of(row);
  if (!slot) {
    // Absent is a fact only if the bitmap is sound.
    if (partial_ && !presence_touch_.passed(damage_, [this] { return verify_presence(); })) {
      return fail(ErrorCode::kCorruption,
                  file_.path() + ": presence of vector '" + column_.name + "' is damaged");
    }
    return std::nullopt;
  }
  auto vector = read(*slot);
  if (!vector) damage_.report(vector.error());
  return vector;
}

Result<std::optional<VectorRef>> VectorReader::read(std::uint32_t slot) const {
  if (column_.kind == format::ColumnKind::kDense) {
    VZ_TRY(file_.bytes(column_.values.offset + slot * vector_size_, vector_size_));
    return VectorRef{floats(std::uint64_t{slot} * column_.dimension, column_.dimension), {}};
  }
  const bool sparse = column_.kind == format::ColumnKind::kSparse;
  const std::uint64_t element_size = sparse ? sizeof(float) : vector_size_;
  const std::uint64_t offset = column_.offsets.offset + std::uint64_t{slot} * 8;
  VZ_TRY_ASSIGN(const ByteSpan pair, file_.bytes(offset, 16));
  const auto begin = load_number<std::uint64_t>(pair.data());
  const auto end = load_number<std::uint64_t>(pair.data() + 8);
  const std::uint64_t total = column_.values.size / element_size;
  if (begin > end || end > total) {
    return fail(ErrorCode::kCorruption, file_.path() + " at offset " + std::to_string(offset) +
                                            ": elements of a vector: expected a range within " +
                                            std::to_string(total) + ", found " +
                                            std::to_string(begin) + " to " + std::to_string(end));
  }
  const std::uint64_t count = end - begin;
  VZ_TRY(file_.bytes(column_.values.offset + begin * element_size, count * element_size));
  if (!sparse) {
    return VectorRef{floats(begin * column_.dimension, count * column_.dimension), {}};
  }
  VZ_TRY_ASSIGN(const ByteSpan indices,
                file_.bytes(column_.indices.offset + begin * sizeof(std::uint32_t),
                            count * sizeof(std::uint32_t)));
  return VectorRef{floats(begin, count),
                   {reinterpret_cast<const std::uint32_t*>(indices.data()), count}};
}

}  // namespace vz::segment
