#include "engine/index/index_format.h"

#include <cmath>
#include <cstring>
#include <string>

#include "engine/limits.h"
#include "engine/vector/codes.h"

namespace vz::index {
namespace {

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kCorruption, "index footer: " + what);
}

Status expect_at_most(const char* name, std::uint64_t found, std::uint64_t maximum) {
  if (found <= maximum) return {};
  return damaged(std::string(name) + ": expected at most " + std::to_string(maximum) + ", found " +
                 std::to_string(found));
}

Status check_graph_numbers(const IndexColumn& column) {
  VZ_TRY(expect_at_most("m", column.m, kLinkStrideMax));
  VZ_TRY(expect_at_most("link stride", column.link_stride, kLinkStrideMax));
  VZ_TRY(expect_at_most("max level", column.max_level, kLevelsMax));
  VZ_TRY(expect_at_most("upper nodes", column.upper_count, column.slot_count));
  VZ_TRY(expect_at_most("upper rows", column.upper_rows,
                        std::uint64_t{column.upper_count} * column.max_level));
  if (column.m == 0 || column.link_stride == 0) return damaged("no links in a graph");
  if (column.entry_slot >= column.slot_count) return damaged("entry slot beyond the slots");
  if (column.max_level == 0 ? column.entry_upper != kNone || column.upper_count != 0
                            : column.entry_upper >= column.upper_count) {
    return damaged("entry point does not fit the levels");
  }
  return {};
}

Status check_numbers(const IndexColumn& column, std::uint32_t row_count) {
  if (column.distance < 1 || column.distance > 4) return damaged("unknown distance");
  if (column.reserved != 0 || column.reserved2 != 0 ||
      (column.flags & ~(kHasCodes | kHasGraph | kHasSketches)) != 0) {
    return damaged("unknown flags");
  }
  VZ_TRY(expect_at_most("dimension", column.dimension, limits::kDimensionMax));
  VZ_TRY(expect_at_most("slots", column.slot_count, row_count));
  if (column.dimension == 0) return damaged("dimension 0");
  if (column.stride != vector::code_stride(column.dimension)) return damaged("stride of codes");
  if (!std::isfinite(column.scale) || !(column.scale > 0)) return damaged("scale of codes");
  for (const float share : column.shortlist_shares) {
    if (!(share >= 0 && share <= 1)) return damaged("share of a shortlist");
  }
  if (column.has_sketches() && !column.has_codes()) return damaged("sketches without codes");
  if (column.has_graph()) return check_graph_numbers(column);
  return {};
}

}  // namespace

std::array<IndexSection, kIndexSections> sections_of(const IndexColumn& column,
                                                     std::uint32_t row_count) {
  const std::uint64_t n = column.slot_count;
  const std::uint64_t coded = column.has_codes() ? n : 0;
  const std::uint64_t sketched = column.has_sketches() ? row_count : 0;
  const std::uint64_t linked = column.has_graph() ? n : 0;
  const std::uint64_t upper = column.has_graph() ? column.upper_count : 0;
  const std::uint64_t offsets = upper == 0 ? 0 : upper + 1;
  const std::uint64_t upper_rows = column.has_graph() ? column.upper_rows : 0;
  return {{
      {column.codes, coded * column.stride},
      {column.norms, column.has_norms() ? n * sizeof(float) : 0},
      {column.sketches, sketched * vector::sketch_stride(column.dimension) * sizeof(std::uint64_t)},
      {column.rows, n * sizeof(std::uint32_t)},
      {column.slots, std::uint64_t{row_count} * sizeof(std::uint32_t)},
      {column.links, linked * column.link_stride * sizeof(std::uint32_t)},
      {column.upper_nodes, upper * sizeof(std::uint32_t)},
      {column.upper_offsets, offsets * sizeof(std::uint32_t)},
      {column.upper_links, upper_rows * column.m * sizeof(std::uint32_t)},
  }};
}

Bytes encode_index_footer(const IndexFooter& footer, std::uint64_t footer_offset) {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(std::as_bytes(std::span(&footer.head, 1)));
  writer.raw(std::as_bytes(std::span(footer.columns)));
  const std::uint64_t size = out.size();
  writer.number(footer_offset);
  writer.number(size);
  writer.raw(as_bytes(kIndexTailMagic));
  return out;
}

Result<IndexSection> decode_index_tail(ByteSpan tail, std::uint64_t content_size) {
  ByteReader reader(tail);
  IndexSection footer;
  footer.offset = reader.number<std::uint64_t>();
  footer.size = reader.number<std::uint64_t>();
  const bool magic = as_text(reader.raw(kIndexTailMagic.size())) == kIndexTailMagic;
  constexpr std::uint64_t kSizeMax = sizeof(IndexHead) + kIndexColumnsMax * sizeof(IndexColumn);
  if (!reader.ok() || !magic) return damaged("its tail is not there");
  if (footer.size > kSizeMax || footer.size < sizeof(IndexHead) ||
      content_size < kIndexTailSize + footer.size ||
      footer.offset != content_size - kIndexTailSize - footer.size) {
    return damaged("the tail names an offset of " + std::to_string(footer.offset) +
                   " and a size of " + std::to_string(footer.size));
  }
  return footer;
}

Result<IndexFooter> decode_index_footer(ByteSpan bytes, std::uint64_t footer_offset) {
  IndexFooter footer;
  if (bytes.size() < sizeof(IndexHead)) return damaged("too short");
  std::memcpy(&footer.head, bytes.data(), sizeof(IndexHead));
  const IndexHead& head = footer.head;
  if (std::string_view(head.magic.data(), head.magic.size()) != kIndexMagic || head.reserved != 0) {
    return damaged("its magic is not there");
  }
  VZ_TRY(expect_at_most("rows", head.row_count, kSlotsMax));
  VZ_TRY(expect_at_most("columns", head.column_count, kIndexColumnsMax));
  if (bytes.size() != sizeof(IndexHead) + head.column_count * sizeof(IndexColumn)) {
    return damaged("its size does not fit " + std::to_string(head.column_count) + " columns");
  }
  footer.columns.resize(head.column_count);
  if (head.column_count > 0) {
    std::memcpy(footer.columns.data(), bytes.data() + sizeof(IndexHead),
                head.column_count * sizeof(IndexColumn));
  }
  for (const IndexColumn& column : footer.columns) {
    VZ_TRY(check_numbers(column, head.row_count));
    for (const IndexSection& section : sections_of(column, head.row_count)) {
      if (section.offset % kIndexAlignment != 0 || section.offset > footer_offset ||
          section.size > footer_offset - section.offset) {
        return damaged("a section at " + std::to_string(section.offset) + " of " +
                       std::to_string(section.size) + " bytes leaves the content");
      }
    }
  }
  return footer;
}

}  // namespace vz::index
