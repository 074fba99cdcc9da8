#include "tools/offline/segment_rows.h"

#include <algorithm>
#include <bit>

#include "engine/check/row_check.h"
#include "engine/collection/row_hash.h"
#include "engine/payload/payload.h"
#include "storage/base/crc32c.h"
#include "storage/format/checked_file_format.h"

namespace vz::offline {
namespace {

using format::kCheckedBlockSize;
using segment::VectorRef;

/// A footer is looked for in so many places at most: hostile bytes may hold any number of tails.
constexpr int kTailsMax = 64;
constexpr std::uint64_t kBitsPerWord = 64;

tl::unexpected<Error> lost(const std::string& what) {
  return fail(ErrorCode::kCorruption, what + " cannot be read");
}

/// Calls found(offset, block) for every payload block of the range that its own checksum confirms.
/// Bytes that only look like the heads of large blocks end the search once they have cost as much
/// as reading the range eight times.
template <typename Found>
void each_payload_block(ByteSpan bytes, std::uint64_t from, std::uint64_t to, const Found& found) {
  constexpr std::uint64_t kReadsMax = 8;
  const std::string_view magic = format::kPayloadBlockMagic;
  std::uint64_t wasted = 0;
  std::uint64_t at = format::align_up(from, format::kPayloadAlignment);
  while (at + format::kPayloadHeadSize <= to && wasted <= kReadsMax * (to - from)) {
    std::uint64_t step = format::kPayloadAlignment;
    if (as_text(bytes.subspan(at, magic.size())) == magic) {
      const std::uint64_t size = load_number<std::uint32_t>(bytes.data() + at + 8);
      const auto block = segment::PayloadBlock::salvage(bytes.subspan(at, to - at));
      if (block) {
        found(at, *block);
        step = format::align_up(size, format::kPayloadAlignment);
      } else {
        wasted += std::min(size, to - at);
      }
    }
    at += step;
  }
}

}  // namespace

Result<std::unique_ptr<SegmentRows>> SegmentRows::open(Env& env, const std::string& path) {
  VZ_TRY_ASSIGN(auto map, env.map(path));
  std::unique_ptr<SegmentRows> rows(new SegmentRows(std::move(map)));
  rows->bytes_ = rows->map_->bytes();
  if (!rows->find_footer()) {
    return fail(ErrorCode::kCorruption, path + ": expected the footer of a segment, found none");
  }
  rows->find_payload_blocks();
  return rows;
}

Result<SegmentRows::IdsByRow> SegmentRows::ids_of_payload_blocks(Env& env,
                                                                 const std::string& path) {
  VZ_TRY_ASSIGN(const auto map, env.map(path));
  IdsByRow ids;
  each_payload_block(map->bytes(), 0, map->bytes().size(),
                     [&](std::uint64_t /*offset*/, const segment::PayloadBlock& block) {
                       for (std::uint32_t i = 0; i < block.row_count(); ++i)
                         ids[block.first_row() + i] = block.id(i);
                     });
  return ids;
}

/// The last tail that leads to a footer: junk may stand behind it, or something may be cut off. Or,
/// if the tail itself is damaged, the last footer that ends where a whole file has its tail.
bool SegmentRows::find_footer() {
  const std::string_view text = as_text(bytes_);
  std::size_t at = text.rfind(format::kSegmentTailMagic);
  for (int tries = 0; at != text.npos && tries < kTailsMax; ++tries) {
    const std::uint64_t end = at + format::kSegmentTailMagic.size();
    if (end >= format::kSegmentTailSize) {
      const auto place = format::decode_segment_tail(
          bytes_.subspan(end - format::kSegmentTailSize, format::kSegmentTailSize), end);
      if (place && take_footer(*place, end)) return true;
    }
    at = at == 0 ? text.npos : text.rfind(format::kSegmentTailMagic, at - 1);
  }
  const auto content_size = format::checked_content_size(bytes_.size());
  if (!content_size || *content_size < format::kSegmentTailSize) return false;
  const std::uint64_t end = *content_size - format::kSegmentTailSize;
  at = text.substr(0, end).rfind(format::kSegmentFooterMagic);
  for (int tries = 0; at != text.npos && tries < kTailsMax; ++tries) {
    if (take_footer({at, end - at}, *content_size)) return true;
    at = at == 0 ? text.npos : text.rfind(format::kSegmentFooterMagic, at - 1);
  }
  return false;
}

bool SegmentRows::take_footer(const format::Section& place, std::uint64_t content_size) {
  auto footer =
      format::decode_segment_footer(bytes_.subspan(place.offset, place.size), place.offset);
  if (!footer) return false;
  footer_ = std::move(*footer);
  content_size_ = content_size;
  known_blocks_.assign(format::checked_block_count(content_size), 0);
  footer_sure_ = sure(place.offset, content_size - place.offset);
  return true;
}

void SegmentRows::find_payload_blocks() {
  const format::Section& table = footer_.payload_table;
  if (sure(table)) {
    auto blocks = format::decode_payload_table(bytes_.subspan(table.offset, table.size),
                                               footer_.payload.size, footer_.row_count);
    if (blocks) {
      blocks_ = std::move(*blocks);
      every_row_has_a_block_ = true;
      return;
    }
  }
  if (footer_.payload.size == 0) {
    every_row_has_a_block_ = true;  // No row has a payload.
    return;
  }
  std::uint64_t next_row = 0;
  each_payload_block(
      bytes_, footer_.payload.offset, footer_.payload.end(),
      [&](std::uint64_t offset, const segment::PayloadBlock& block) {
        if (block.first_row() < next_row) return;
        blocks_.push_back({.offset = offset - footer_.payload.offset,
                           .size = load_number<std::uint32_t>(bytes_.data() + offset + 8),
                           .first_row = block.first_row()});
        next_row = std::uint64_t{block.first_row()} + block.row_count();
      });
}

bool SegmentRows::sure(std::uint64_t offset, std::uint64_t size) const {
  if (size == 0) return true;
  for (std::uint64_t block = offset / kCheckedBlockSize;
       block <= (offset + size - 1) / kCheckedBlockSize; ++block) {
    if (block >= known_blocks_.size()) return false;
    std::uint8_t& known = known_blocks_[block];
    if (known == 0) {
      const std::uint64_t entry = content_size_ + block * sizeof(std::uint32_t);
      const std::uint64_t begin = block * kCheckedBlockSize;
      const std::uint64_t length =
          std::min<std::uint64_t>(kCheckedBlockSize, content_size_ - begin);
      const bool right = entry + sizeof(std::uint32_t) <= bytes_.size() &&
                         crc32c(bytes_.subspan(begin, length)) ==
                             load_number<std::uint32_t>(bytes_.data() + entry);
      known = right ? 1 : 2;
    }
    if (known != 1) return false;
  }
  return true;
}

std::uint64_t SegmentRows::number_at(std::uint64_t offset) const {
  return load_number<std::uint64_t>(bytes_.data() + offset);
}

std::vector<segment::Tombstone> SegmentRows::tombstones() const {
  const format::Section& section = footer_.tombstones;
  if (!sure(section)) return {};
  std::vector<segment::Tombstone> out;
  ByteReader in(bytes_.subspan(section.offset, section.size));
  for (std::uint64_t i = 0; i < section.size / format::kTombstoneSize; ++i) {
    const format::DecodedId id = format::decode_id(in);
    const auto lsn = in.number<Lsn>();
    if (!id.ok || (!out.empty() && !(out.back().id < id.id))) return {};
    out.push_back({id.id, lsn});
  }
  return out;
}

std::vector<segment::VectorColumn> SegmentRows::columns() const {
  std::vector<segment::VectorColumn> out;
  for (const format::SegmentColumn& column : footer_.columns)
    out.push_back({column.name, static_cast<segment::VectorKind>(column.kind), column.dimension});
  return out;
}

PointId SegmentRows::column_id(std::uint32_t row) const {
  if (row < footer_.number_count)
    return PointId::number(number_at(footer_.numbers.offset + std::uint64_t{row} * 8));
  const std::uint64_t at = footer_.uuids.offset + std::uint64_t{row - footer_.number_count} * 16;
  return PointId::uuid(number_at(at), number_at(at + 8));
}

bool SegmentRows::column_id_sure(std::uint32_t row) const {
  if (row < footer_.number_count) return sure(footer_.numbers.offset + std::uint64_t{row} * 8, 8);
  return sure(footer_.uuids.offset + std::uint64_t{row - footer_.number_count} * 16, 16);
}

std::optional<std::uint32_t> SegmentRows::slot_of(const format::SegmentColumn& column,
                                                  std::uint32_t row) const {
  if (column.present == 0) return std::nullopt;
  if (!format::is_partial(column.present, footer_.row_count)) return row;
  const auto word = [&](std::uint64_t index) {
    return number_at(column.presence.offset + index * sizeof(std::uint64_t));
  };
  const std::uint64_t at = row / kBitsPerWord;
  if ((word(at) >> (row % kBitsPerWord) & 1) == 0) return std::nullopt;
  // From the stored rank, so that a wrong bit costs the 512 rows around it at most.
  const std::uint64_t rank = row / format::kRowsPerRank;
  auto slot = load_number<std::uint32_t>(bytes_.data() + column.ranks.offset +
                                         rank * sizeof(std::uint32_t));
  for (std::uint64_t i = rank * format::kRowsPerRank / kBitsPerWord; i < at; ++i)
    slot += static_cast<std::uint32_t>(std::popcount(word(i)));
  slot += static_cast<std::uint32_t>(
      std::popcount(word(at) & ((std::uint64_t{1} << (row % kBitsPerWord)) - 1)));
  return slot;
}

Result<std::optional<VectorRef>> SegmentRows::vector(std::size_t column, std::uint32_t row) const {
  const format::SegmentColumn& of = footer_.columns[column];
  const auto slot = slot_of(of, row);
  if (!slot) return std::optional<VectorRef>();
  if (*slot >= of.present) return lost("the place of a vector");
  const std::byte* values = bytes_.data() + of.values.offset;
  if (of.kind == format::ColumnKind::kDense) {
    const auto* first =
        reinterpret_cast<const float*>(values) + std::uint64_t{*slot} * of.dimension;
    return std::optional(VectorRef{{first, of.dimension}, {}});
  }
  const bool sparse = of.kind == format::ColumnKind::kSparse;
  const std::uint64_t element = sparse ? 1 : of.dimension;
  if (element == 0) return lost("the dimension of a vector");
  const std::uint64_t begin = number_at(of.offsets.offset + std::uint64_t{*slot} * 8);
  const std::uint64_t end = number_at(of.offsets.offset + std::uint64_t{*slot} * 8 + 8);
  if (begin > end || end > of.values.size / sizeof(float) / element)
    return lost("the elements of a vector");
  VectorRef out{{reinterpret_cast<const float*>(values) + begin * element, (end - begin) * element},
                {}};
  if (sparse) {
    out.indices = {
        reinterpret_cast<const std::uint32_t*>(bytes_.data() + of.indices.offset) + begin,
        end - begin};
  }
  return std::optional(out);
}

std::optional<std::size_t> SegmentRows::block_of(std::uint32_t row) const {
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), row,
                                      [](std::uint32_t wanted, const format::PayloadEntry& entry) {
                                        return wanted < entry.first_row;
                                      });
  if (after == blocks_.begin()) return std::nullopt;
  return static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

const SegmentRows::LastBlock& SegmentRows::load_block(std::size_t index) {
  if (last_.index == index + 1) return last_;
  const format::PayloadEntry& entry = blocks_[index];
  const ByteSpan bytes = bytes_.subspan(footer_.payload.offset + entry.offset, entry.size);
  last_ = {.index = index + 1, .decoded = false, .crc_right = false, .content = {}};
  auto block = segment::PayloadBlock::salvage(bytes);
  last_.crc_right = block.has_value();
  if (!block) block = segment::PayloadBlock::decode(bytes);
  if (!block || block->first_row() != entry.first_row) return last_;
  last_.decoded = true;
  last_.content = std::move(*block);
  return last_;
}

Result<std::string_view> SegmentRows::payload(std::uint32_t row) {
  if (blocks_.empty() && every_row_has_a_block_) return std::string_view("{}");
  const auto index = block_of(row);
  if (!index) return lost("the payload");
  const LastBlock& block = load_block(*index);
  const std::uint32_t within = row - blocks_[*index].first_row;
  if (!block.decoded || within >= block.content.row_count()) return lost("the payload");
  return block.content.text(within);
}

/// Whether checksums alone say that the row's id, vectors and payload are right.
bool SegmentRows::content_sure(std::uint32_t row) const {
  if (!column_id_sure(row)) return false;
  for (const format::SegmentColumn& column : footer_.columns) {
    // The whole column: this is asked only where the row's own hash is damaged.
    for (const auto* section :
         {&column.indices, &column.values, &column.offsets, &column.presence, &column.ranks}) {
      if (!sure(*section)) return false;
    }
  }
  const auto index = block_of(row);
  if (!index) return blocks_.empty() && every_row_has_a_block_;
  return sure(footer_.payload.offset + blocks_[*index].offset, blocks_[*index].size);
}

SegmentRows::Row SegmentRows::row(std::uint32_t row) {
  Row out{.id = column_id(row)};
  const std::uint64_t hash_at = footer_.hashes.offset + std::uint64_t{row} * 8;
  const std::uint64_t version_at = footer_.versions.offset + std::uint64_t{row} * 8;
  out.hash = number_at(hash_at);
  out.version = number_at(version_at);
  out.version_sure = sure(version_at, 8);
  if (out.version < footer_.min_lsn || out.version > footer_.max_lsn || out.version == 0) {
    out.version = footer_.max_lsn;
    out.version_sure = false;
  }
  out.id_known = column_id_sure(row);

  std::vector<PointId> ids = {out.id};
  const auto text = payload(row);
  if (text && !blocks_.empty()) {
    const std::uint32_t within = row - blocks_[last_.index - 1].first_row;
    const PointId repeated = last_.content.id(within);
    if (!out.id_known && last_.crc_right) {
      out.id = repeated;
      out.id_known = true;
    }
    if (repeated != ids[0]) ids.push_back(repeated);
  }
  const auto canonical = text ? payload::canonical(*text) : Result<std::string>(lost("it"));
  if (!canonical || *canonical != *text) return out;
  std::vector<collection::ColumnVector> vectors;
  for (std::size_t column = 0; column < footer_.columns.size(); ++column) {
    const auto read = vector(column, row);
    if (!read) return out;
    if (!*read) continue;
    const auto& of = footer_.columns[column];
    if (!check::problem_of({of.name, static_cast<segment::VectorKind>(of.kind), of.dimension},
                           **read)
             .empty())
      return out;
    vectors.push_back({column, **read});
  }
  for (const PointId& id : ids) {
    const std::uint64_t computed = collection::row_hash(id, vectors, *text);
    // Of a hash that is damaged itself the checksums of all the rest can take the place.
    const bool instead = !sure(hash_at, 8) && id == column_id(row) && content_sure(row);
    if (computed != out.hash && !instead) continue;
    out.sound = out.id_known = !map_->failed();
    out.id = id;
    out.hash = computed;
    return out;
  }
  return out;
}

}  // namespace vz::offline
