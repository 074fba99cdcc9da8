// Payload blocks: JSON texts of neighbouring rows, compressed together, with the rows' ids in
// front. Byte format: storage/format/segment_format.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"
#include "storage/format/segment_format.h"

namespace vz::segment {

/// Gathers rows and encodes them as one block. Not thread-safe.
class PayloadBlockBuilder {
 public:
  /// level: of zstd; 0 stores the texts as they are.
  explicit PayloadBlockBuilder(int zstd_level);
  ~PayloadBlockBuilder();

  /// Rows come in id order. Errors: kTooLarge beyond kPayloadSizeMax; nothing was added.
  Status add(const PointId& id, std::string_view text);
  [[nodiscard]] bool empty() const { return sizes_.empty(); }
  /// True when the block has reached its target size or its number of rows.
  [[nodiscard]] bool full() const;
  /// The encoded block; afterwards the builder is empty. Errors: kInternal (zstd).
  Result<Bytes> finish(std::uint32_t first_row);

 private:
  struct Compressor;
  struct Data {
    std::uint8_t codec = 0;
    Bytes bytes;
  };
  Result<Data> encode_data();

  int zstd_level_;
  std::unique_ptr<Compressor> compressor_;
  std::vector<std::uint32_t> sizes_;
  std::uint32_t number_count_ = 0;
  Bytes ids_;
  std::string texts_;
};

/// A decoded block.
class PayloadBlock {
 public:
  /// Decodes a block of exactly `bytes`. Does not test the block's own crc32c: that is for salvage.
  /// Errors: kCorruption.
  static Result<PayloadBlock> decode(ByteSpan bytes);
  /// The block that may begin at the start of `bytes`, its crc32c verified: for salvage, which
  /// looks at every multiple of 8 of a damaged file. Errors: kCorruption.
  static Result<PayloadBlock> salvage(ByteSpan bytes);

  PayloadBlock() = default;
  [[nodiscard]] std::uint32_t first_row() const { return first_row_; }
  [[nodiscard]] std::uint32_t row_count() const { return static_cast<std::uint32_t>(ends_.size()); }
  /// "{}" if the row has none. `row` counts within the block.
  [[nodiscard]] std::string_view text(std::uint32_t row) const;
  [[nodiscard]] PointId id(std::uint32_t row) const;
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  std::uint32_t first_row_ = 0;
  std::uint32_t number_count_ = 0;
  Bytes ids_;
  Bytes raw_;                        // Lengths, then texts.
  std::vector<std::uint32_t> ends_;  // Within raw_; a text begins where the one before ends.
};

}  // namespace vz::segment
