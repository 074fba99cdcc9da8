#include "storage/segment/payload_column.h"

#include <algorithm>
#include <atomic>

#include "storage/segment/payload_block.h"

namespace vz::segment {
namespace {

/// Larger blocks hold one big text: keeping it would cost memory per thread and save little.
constexpr std::uint64_t kCachedSizeMax = 256u << 10;

/// The last block that this thread decoded. The key is a number that is never used again, not an
/// address, so a segment that was closed cannot be mistaken for a new one in its place.
struct LastBlock {
  std::uint64_t column_number = 0;  // 0: none
  std::size_t block = 0;
  PayloadBlock content;
};
thread_local LastBlock last_block;

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

PayloadColumn::PayloadColumn(const CheckedFile& file, const format::SegmentFooter& footer,
                             Damage& damage, std::vector<format::PayloadEntry> blocks)
    : file_(&file),
      damage_(&damage),
      section_(footer.payload),
      row_count_(footer.row_count),
      blocks_(std::move(blocks)),
      number_(next_number()) {}

Result<PayloadColumn> PayloadColumn::open(const CheckedFile& file,
                                          const format::SegmentFooter& footer, Damage& damage) {
  VZ_TRY_ASSIGN(const ByteSpan table,
                file.bytes(footer.payload_table.offset, footer.payload_table.size));
  auto blocks = format::decode_payload_table(table, footer.payload.size, footer.row_count);
  if (!blocks) return while_doing(blocks.error(), file.path());
  return PayloadColumn(file, footer, damage, std::move(*blocks));
}

Result<std::string> PayloadColumn::text(std::uint32_t row) const {
  VZ_ASSERT(row < row_count_);
  if (blocks_.empty()) return std::string("{}");
  // The table was checked: its first block begins with row 0, so some block begins at or before.
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), row,
                                      [](std::uint32_t wanted, const format::PayloadEntry& entry) {
                                        return wanted < entry.first_row;
                                      });
  const auto block = static_cast<std::size_t>(after - blocks_.begin()) - 1;
  auto text = text_of_block(block, row);
  if (!text) damage_->report(text.error());
  return text;
}

Result<std::string> PayloadColumn::text_of_block(std::size_t block, std::uint32_t row) const {
  const format::PayloadEntry& entry = blocks_[block];
  if (last_block.column_number == number_ && last_block.block == block) {
    return std::string(last_block.content.text(row - entry.first_row));
  }
  const std::uint64_t offset = section_.offset + entry.offset;
  VZ_TRY_ASSIGN(const ByteSpan bytes, file_->bytes(offset, entry.size));
  auto decoded = PayloadBlock::decode(bytes);
  if (!decoded) {
    return while_doing(decoded.error(), file_->path() + " at offset " + std::to_string(offset));
  }
  const std::uint32_t end = block + 1 < blocks_.size() ? blocks_[block + 1].first_row : row_count_;
  if (decoded->first_row() != entry.first_row || decoded->row_count() != end - entry.first_row) {
    return fail(ErrorCode::kCorruption, file_->path() + " at offset " + std::to_string(offset) +
                                            ": payload block: expected rows from " +
                                            std::to_string(entry.first_row) + " to " +
                                            std::to_string(end) + ", found " +
                                            std::to_string(decoded->row_count()) + " from " +
                                            std::to_string(decoded->first_row()));
  }
  if (file_->failed()) {  // A page may have turned to zeros while it was being decoded.
    return fail(ErrorCode::kCorruption, file_->path() + ": damaged, see the first error");
  }
  std::string text(decoded->text(row - entry.first_row));
  if (decoded->memory_bytes() <= kCachedSizeMax) {
    last_block = {number_, block, std::move(*decoded)};
  }
  return text;
}

std::uint64_t PayloadColumn::memory_bytes() const {
  return blocks_.capacity() * sizeof(format::PayloadEntry);
}

}  // namespace vz::segment
