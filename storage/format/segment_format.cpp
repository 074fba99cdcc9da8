#include "storage/format/segment_format.h"

#include <algorithm>
#include <array>
#include <set>

namespace vz::format {
namespace {

tl::unexpected<Error> wrong(const std::string& what, std::uint64_t expected, std::uint64_t found) {
  return fail(ErrorCode::kCorruption, "segment footer: " + what + ": expected " +
                                          std::to_string(expected) + ", found " +
                                          std::to_string(found));
}

tl::unexpected<Error> beyond(const std::string& what, std::uint64_t limit, std::uint64_t found) {
  return wrong(what + " (at most)", limit, found);
}

void encode_section(const Section& section, ByteWriter& out) {
  out.number(section.offset);
  out.number(section.size);
}

Section decode_section(ByteReader& in) {
  Section section;
  section.offset = in.number<std::uint64_t>();
  section.size = in.number<std::uint64_t>();
  return section;
}

/// The sections that are not of a column, in the footer's order. Const or not as `footer` is.
template <typename SomeFooter>
auto general_sections(SomeFooter& footer) {
  return std::array{&footer.numbers, &footer.uuids,         &footer.versions, &footer.hashes,
                    &footer.payload, &footer.payload_table, &footer.bloom,    &footer.tombstones};
}

template <typename SomeColumn>
auto column_sections(SomeColumn& column) {
  return std::array{&column.indices, &column.values, &column.offsets, &column.presence,
                    &column.ranks};
}

/// Walks the sections in the order in which they stand in the file.
class LayoutCheck {
 public:
  explicit LayoutCheck(std::uint64_t limit) : limit_(limit) {}

  /// The next section, of any size that fits.
  Status next(const std::string& name, const Section& section) {
    const std::uint64_t expected = align_up(end_, kSegmentAlignment);
    if (section.offset != expected) return wrong(name + ": offset", expected, section.offset);
    if (section.offset > limit_ || section.size > limit_ - section.offset) {
      return beyond(name + ": size", limit_ - std::min(limit_, section.offset), section.size);
    }
    end_ = section.end();
    return {};
  }
  Status next(const std::string& name, const Section& section, std::uint64_t size) {
    if (section.size != size) return wrong(name + ": size", size, section.size);
    return next(name, section);
  }
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::uint64_t limit_;
  std::uint64_t end_ = 0;
};

Status check_column(const SegmentColumn& column, std::uint32_t row_count, LayoutCheck& layout) {
  const std::string name = "vector '" + column.name + "' ";
  const bool sparse = column.kind == ColumnKind::kSparse;
  if (sparse ? column.dimension != 0
             : column.dimension == 0 || column.dimension > kSegmentDimensionMax) {
    return wrong(name + "dimension", sparse ? 0 : kSegmentDimensionMax, column.dimension);
  }
  if (column.present > row_count) return beyond(name + "present", row_count, column.present);

  const std::uint64_t vector_size = std::uint64_t{column.dimension} * sizeof(float);
  const std::uint64_t offsets_size =
      column.kind == ColumnKind::kDense ? 0 : (std::uint64_t{column.present} + 1) * 8;
  const bool partial = is_partial(column.present, row_count);
  VZ_TRY(sparse ? layout.next(name + "indices", column.indices)
                : layout.next(name + "indices", column.indices, 0));
  if (column.indices.size % sizeof(std::uint32_t) != 0) {
    return wrong(name + "indices: size modulo 4", 0, column.indices.size % 4);
  }
  switch (column.kind) {
    case ColumnKind::kDense:
      VZ_TRY(layout.next(name + "values", column.values, vector_size * column.present));
      break;
    case ColumnKind::kSparse:
      VZ_TRY(layout.next(name + "values", column.values, column.indices.size));
      break;
    case ColumnKind::kMulti:
      VZ_TRY(layout.next(name + "values", column.values));
      if (column.values.size % vector_size != 0) {
        return wrong(name + "values: size modulo that of a vector", 0,
                     column.values.size % vector_size);
      }
      break;
  }
  VZ_TRY(layout.next(name + "offsets", column.offsets, offsets_size));
  const std::uint64_t words = (std::uint64_t{row_count} + 63) / 64;
  const std::uint64_t ranks = (std::uint64_t{row_count} + kRowsPerRank - 1) / kRowsPerRank;
  VZ_TRY(layout.next(name + "presence", column.presence, partial ? words * 8 : 0));
  return layout.next(name + "ranks", column.ranks, partial ? ranks * sizeof(std::uint32_t) : 0);
}

Status check_layout(const SegmentFooter& footer, std::uint64_t footer_offset) {
  if (footer.row_count > kSegmentRowsMax) {
    return beyond("row_count", kSegmentRowsMax, footer.row_count);
  }
  if (footer.number_count > footer.row_count) {
    return beyond("number_count", footer.row_count, footer.number_count);
  }
  LayoutCheck layout(footer_offset);
  const std::uint64_t rows = footer.row_count;
  VZ_TRY(layout.next("numbers", footer.numbers, std::uint64_t{footer.number_count} * 8));
  VZ_TRY(layout.next("uuids", footer.uuids, (rows - footer.number_count) * 16));
  VZ_TRY(layout.next("versions", footer.versions, rows * 8));
  VZ_TRY(layout.next("hashes", footer.hashes, rows * 8));
  std::set<std::string_view> names;
  for (const SegmentColumn& column : footer.columns) {
    VZ_TRY(check_column(column, footer.row_count, layout));
    if (!names.insert(column.name).second) {
      return fail(ErrorCode::kCorruption,
                  "segment footer: two vectors named '" + column.name + "'");
    }
  }
  VZ_TRY(layout.next("payload", footer.payload));
  VZ_TRY(layout.next("payload table", footer.payload_table));
  VZ_TRY(layout.next("bloom", footer.bloom, bloom_size(footer.row_count)));
  VZ_TRY(layout.next("tombstones", footer.tombstones));
  if (footer.tombstones.size % kTombstoneSize != 0) {
    return wrong("tombstones: size modulo 32", 0, footer.tombstones.size % kTombstoneSize);
  }
  if (align_up(layout.end(), kSegmentAlignment) != footer_offset) {
    return wrong("offset of the footer", align_up(layout.end(), kSegmentAlignment), footer_offset);
  }
  return {};
}

Result<SegmentColumn> decode_column(ByteReader& in) {
  SegmentColumn column;
  const std::string_view name = in.text();
  if (name.size() > kSegmentNameSizeMax) {
    return beyond("size of a vector's name", kSegmentNameSizeMax, name.size());
  }
  column.name = name;
  const auto kind = in.number<std::uint8_t>();
  if (kind < 1 || kind > 3) return beyond("kind of vector '" + column.name + "'", 3, kind);
  column.kind = static_cast<ColumnKind>(kind);
  column.dimension = in.number<std::uint32_t>();
  column.present = in.number<std::uint32_t>();
  for (Section* section : column_sections(column)) *section = decode_section(in);
  return column;
}

/// The parts whose number or size varies.
Status decode_variable(ByteReader& in, std::uint32_t replaces, SegmentFooter& footer) {
  const std::string_view name = in.text();
  const std::string_view definition = in.text();
  if (name.size() > kSegmentNameSizeMax) {
    return beyond("size of the collection's name", kSegmentNameSizeMax, name.size());
  }
  if (definition.size() > kSegmentDefinitionSizeMax) {
    return beyond("size of the definition", kSegmentDefinitionSizeMax, definition.size());
  }
  footer.collection_name = name;
  footer.definition_json = definition;
  if (replaces > kSegmentReplacesMax) return beyond("replaces", kSegmentReplacesMax, replaces);
  for (std::uint32_t i = 0; i < replaces && in.ok(); ++i) {
    footer.replaces.push_back(in.number<SegmentSeq>());
  }
  const auto columns = in.number<std::uint32_t>();
  if (columns > kSegmentColumnsMax) return beyond("columns", kSegmentColumnsMax, columns);
  for (std::uint32_t i = 0; i < columns && in.ok(); ++i) {
    VZ_TRY_ASSIGN(SegmentColumn column, decode_column(in));
    footer.columns.push_back(std::move(column));
  }
  return {};
}

}  // namespace

void encode_id(const PointId& id, ByteWriter& out) {
  out.number(std::uint64_t{static_cast<std::uint8_t>(id.kind)});
  out.number(id.high);
  out.number(id.low);
}

DecodedId decode_id(ByteReader& in) {
  const auto kind = in.number<std::uint64_t>();
  const auto high = in.number<std::uint64_t>();
  const auto low = in.number<std::uint64_t>();
  if (!in.ok() || kind > 1 || (kind == 0 && high != 0)) return {};
  return {PointId{static_cast<PointId::Kind>(kind), high, low}, true};
}

Bytes encode_segment_footer(const SegmentFooter& footer) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kSegmentFooterMagic));
  out.number(std::uint32_t{0});
  out.number(footer.collection);
  out.number(footer.seq);
  out.number(footer.min_lsn);
  out.number(footer.max_lsn);
  out.number(footer.epoch);
  out.number(footer.row_count);
  out.number(footer.number_count);
  out.number(static_cast<std::uint32_t>(footer.replaces.size()));
  encode_id(footer.min_id, out);
  encode_id(footer.max_id, out);
  for (const Section* section : general_sections(footer)) encode_section(*section, out);
  out.text(footer.collection_name);
  out.text(footer.definition_json);
  for (const SegmentSeq seq : footer.replaces) out.number(seq);
  out.number(static_cast<std::uint32_t>(footer.columns.size()));
  for (const SegmentColumn& column : footer.columns) {
    out.text(column.name);
    out.number(column.kind);
    out.number(column.dimension);
    out.number(column.present);
    for (const Section* section : column_sections(column)) encode_section(*section, out);
  }
  return bytes;
}

Bytes encode_segment_tail(const Section& footer) {
  Bytes bytes;
  ByteWriter out(bytes);
  encode_section(footer, out);
  out.raw(as_bytes(kSegmentTailMagic));
  return bytes;
}

Result<Section> decode_segment_tail(ByteSpan tail, std::uint64_t content_size) {
  ByteReader in(tail);
  const Section footer = decode_section(in);
  if (as_text(in.raw(kSegmentTailMagic.size())) != kSegmentTailMagic || in.remaining() != 0) {
    return fail(ErrorCode::kCorruption, "segment tail: the magic is missing");
  }
  if (footer.size > kSegmentFooterSizeMax) {
    return beyond("size", kSegmentFooterSizeMax, footer.size);
  }
  const std::uint64_t before_tail = content_size - std::min(content_size, kSegmentTailSize);
  if (footer.size > before_tail) return beyond("size", before_tail, footer.size);
  if (footer.offset != before_tail - footer.size) {
    return wrong("offset", before_tail - footer.size, footer.offset);
  }
  return footer;
}

Result<SegmentFooter> decode_segment_footer(ByteSpan bytes, std::uint64_t footer_offset) {
  ByteReader in(bytes);
  SegmentFooter footer;
  if (as_text(in.raw(kSegmentFooterMagic.size())) != kSegmentFooterMagic) {
    return fail(ErrorCode::kCorruption, "segment footer: the magic is missing");
  }
  in.number<std::uint32_t>();
  footer.collection = in.number<CollectionId>();
  footer.seq = in.number<SegmentSeq>();
  footer.min_lsn = in.number<Lsn>();
  footer.max_lsn = in.number<Lsn>();
  footer.epoch = in.number<Epoch>();
  footer.row_count = in.number<std::uint32_t>();
  footer.number_count = in.number<std::uint32_t>();
  const auto replaces = in.number<std::uint32_t>();
  const DecodedId min_id = decode_id(in);
  const DecodedId max_id = decode_id(in);
  for (Section* section : general_sections(footer)) *section = decode_section(in);
  VZ_TRY(decode_variable(in, replaces, footer));
  if (!in.ok() || in.remaining() != 0) return wrong("size", in.offset(), bytes.size());
  if (!min_id.ok || !max_id.ok || max_id.id < min_id.id) {
    return fail(ErrorCode::kCorruption, "segment footer: the smallest and largest id are not ids");
  }
  footer.min_id = min_id.id;
  footer.max_id = max_id.id;
  VZ_TRY(check_layout(footer, footer_offset));
  return footer;
}

Result<std::vector<PayloadEntry>> decode_payload_table(ByteSpan table, std::uint64_t payload_size,
                                                       std::uint32_t row_count) {
  const auto refuse = [](std::size_t block, const std::string& what) {
    return fail(ErrorCode::kCorruption,
                "payload table: block " + std::to_string(block) + ": " + what);
  };
  if (table.size() % kPayloadEntrySize != 0) return refuse(0, "the table has a broken entry");
  std::vector<PayloadEntry> entries(table.size() / kPayloadEntrySize);
  ByteReader in(table);
  std::uint64_t end = 0;
  std::uint32_t previous_row = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    PayloadEntry& entry = entries[i];
    entry.offset = in.number<std::uint64_t>();
    entry.size = in.number<std::uint32_t>();
    entry.first_row = in.number<std::uint32_t>();
    if (entry.offset != align_up(end, kPayloadAlignment)) return refuse(i, "wrong offset");
    if (entry.offset > payload_size || entry.size > payload_size - entry.offset) {
      return refuse(i, "beyond the section");
    }
    if (entry.first_row >= row_count || (i == 0) != (entry.first_row == 0) ||
        (i != 0 &&
         (entry.first_row <= previous_row || entry.first_row - previous_row > kPayloadRowsMax))) {
      return refuse(i, "first row " + std::to_string(entry.first_row) + " does not follow");
    }
    end = entry.offset + entry.size;
    previous_row = entry.first_row;
  }
  if (end != payload_size) return refuse(entries.size(), "the section does not end here");
  if (!entries.empty() && row_count - previous_row > kPayloadRowsMax) {
    return refuse(entries.size(), "the last block has too many rows");
  }
  return entries;
}

}  // namespace vz::format
