#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "storage/format/segment_format.h"
#include "storage/segment/bloom_filter.h"
#include "storage/segment/payload_block.h"
#include "storage/segment/segment.h"
#include "storage/segment/vector_writer.h"

namespace vz::segment {
namespace {

tl::unexpected<Error> over(const std::string& what, std::uint64_t limit, std::uint64_t found) {
  return fail(ErrorCode::kOutOfRange, "segment: " + what + ": expected at most " +
                                          std::to_string(limit) + ", found " +
                                          std::to_string(found));
}

/// The bounds that the reader insists on, so that what was written can be opened.
Status check(const Footer& footer, const RowSource& rows) {
  if (rows.row_count() > format::kSegmentRowsMax) {
    return over("rows", format::kSegmentRowsMax, rows.row_count());
  }
  if (footer.columns.size() > format::kSegmentColumnsMax) {
    return over("vectors", format::kSegmentColumnsMax, footer.columns.size());
  }
  if (footer.collection_name.size() > format::kSegmentNameSizeMax) {
    return over("size of the name", format::kSegmentNameSizeMax, footer.collection_name.size());
  }
  if (footer.definition_json.size() > format::kSegmentDefinitionSizeMax) {
    return over("size of the definition", format::kSegmentDefinitionSizeMax,
                footer.definition_json.size());
  }
  if (footer.replaces.size() > format::kSegmentReplacesMax) {
    return over("replaced segments", format::kSegmentReplacesMax, footer.replaces.size());
  }
  std::set<std::string_view> names;
  for (const VectorColumn& column : footer.columns) {
    if (column.name.size() > format::kSegmentNameSizeMax) {
      return over("size of a vector's name", format::kSegmentNameSizeMax, column.name.size());
    }
    if (column.dimension > format::kSegmentDimensionMax) {
      return over("dimension", format::kSegmentDimensionMax, column.dimension);
    }
    if ((column.dimension == 0) != (column.kind == VectorKind::kSparse) ||
        !names.insert(column.name).second) {
      return fail(ErrorCode::kInternal, "segment: vector '" + column.name +
                                            "' has no dimension, or its name occurs twice");
    }
  }
  for (std::size_t i = 1; i < footer.tombstones.size(); ++i) {
    if (!(footer.tombstones[i - 1].id < footer.tombstones[i].id)) {
      return fail(ErrorCode::kInternal, "segment: the tombstones are not in ascending order");
    }
  }
  return {};
}

class SegmentWriter {
 public:
  SegmentWriter(CheckedFileWriter& out, const Footer& footer, const RowSource& rows,
                const WriteOptions& options)
      : out_(out), footer_(footer), rows_(rows), payload_(options.zstd_level) {}

  /// All sections, footer and tail.
  Status write();

 private:
  Status write_ids();
  Status write_versions();
  Status add_payload(std::uint32_t row, std::string_view text);
  Status write_payload();
  Status write_bloom();
  Status write_tombstones();
  Status write_footer();
  void see_lsn(Lsn lsn);
  /// A section of one number per row of [first, last), `number(row)`.
  template <typename Number>
  Result<format::Section> write_numbers(std::uint32_t first, std::uint32_t last, Number number);

  CheckedFileWriter& out_;
  const Footer& footer_;
  const RowSource& rows_;
  format::SegmentFooter layout_;
  PayloadBlockBuilder payload_;
  Bytes payload_table_;
  std::uint32_t payload_first_row_ = 0;  // Of the block that is being gathered.
};

void SegmentWriter::see_lsn(Lsn lsn) {
  layout_.min_lsn = layout_.min_lsn == 0 ? lsn : std::min(layout_.min_lsn, lsn);
  layout_.max_lsn = std::max(layout_.max_lsn, lsn);
}

template <typename Number>
Result<format::Section> SegmentWriter::write_numbers(std::uint32_t first, std::uint32_t last,
                                                     Number number) {
  format::Section section;
  VZ_TRY_ASSIGN(section.offset, begin_section(out_));
  for (std::uint32_t row = first; row < last; ++row) {
    const auto value = number(row);
    VZ_TRY(out_.append(std::as_bytes(std::span(&value, 1))));
  }
  section.size = out_.offset() - section.offset;
  return section;
}

Status SegmentWriter::write_ids() {
  layout_.row_count = rows_.row_count();
  for (std::uint32_t row = 0; row < layout_.row_count; ++row) {
    const PointId id = rows_.id(row);
    if (row > 0 && !(layout_.max_id < id)) {
      return fail(ErrorCode::kInternal, "segment: row " + std::to_string(row) + ": id " +
                                            id.to_string() + " is not above the one before");
    }
    if (row == 0) layout_.min_id = id;
    layout_.max_id = id;
    if (id.is_number()) ++layout_.number_count;
  }
  VZ_TRY_ASSIGN(layout_.numbers, write_numbers(0, layout_.number_count, [this](std::uint32_t row) {
                  return rows_.id(row).low;
                }));
  VZ_TRY_ASSIGN(layout_.uuids,
                write_numbers(layout_.number_count, layout_.row_count, [this](std::uint32_t row) {
                  const PointId id = rows_.id(row);
                  return std::array{id.high, id.low};
                }));
  return {};
}

Status SegmentWriter::write_versions() {
  VZ_TRY_ASSIGN(layout_.versions, write_numbers(0, layout_.row_count, [this](std::uint32_t row) {
                  const Lsn version = rows_.version(row);
                  see_lsn(version);
                  return version;
                }));
  VZ_TRY_ASSIGN(layout_.hashes, write_numbers(0, layout_.row_count, [this](std::uint32_t row) {
                  return rows_.row_hash(row);
                }));
  for (const Tombstone& tombstone : footer_.tombstones) see_lsn(tombstone.lsn);
  return {};
}

Status SegmentWriter::add_payload(std::uint32_t row, std::string_view text) {
  VZ_TRY(payload_.add(rows_.id(row), text));
  if (!payload_.full() && row + 1 < layout_.row_count) return {};
  VZ_TRY_ASSIGN(const Bytes block, payload_.finish(payload_first_row_));
  VZ_TRY(out_.pad_to(format::kPayloadAlignment));
  ByteWriter table(payload_table_);
  table.number(out_.offset() - layout_.payload.offset);
  table.number(static_cast<std::uint32_t>(block.size()));
  table.number(payload_first_row_);
  payload_first_row_ = row + 1;
  return out_.append(block);
}

Status SegmentWriter::write_payload() {
  VZ_TRY_ASSIGN(layout_.payload.offset, begin_section(out_));
  // Rows without a payload wait for the first row with one: if there is none, no block is written.
  std::uint32_t added = 0;
  for (std::uint32_t row = 0; row < layout_.row_count; ++row) {
    VZ_TRY_ASSIGN(const std::string_view text, rows_.payload(row));
    if (added == 0 && (text.empty() || text == "{}")) continue;
    for (; added < row; ++added) VZ_TRY(add_payload(added, {}));
    VZ_TRY(add_payload(row, text));
    added = row + 1;
  }
  layout_.payload.size = out_.offset() - layout_.payload.offset;
  VZ_TRY_ASSIGN(layout_.payload_table.offset, begin_section(out_));
  VZ_TRY(out_.append(payload_table_));
  layout_.payload_table.size = payload_table_.size();
  return {};
}

Status SegmentWriter::write_bloom() {
  BloomFilter bloom(layout_.row_count);
  for (std::uint32_t row = 0; row < layout_.row_count; ++row) bloom.insert(rows_.id(row));
  VZ_TRY_ASSIGN(layout_.bloom.offset, begin_section(out_));
  VZ_TRY(out_.append(bloom.bytes()));
  layout_.bloom.size = bloom.bytes().size();
  return {};
}

Status SegmentWriter::write_tombstones() {
  VZ_TRY_ASSIGN(layout_.tombstones.offset, begin_section(out_));
  Bytes entry;
  for (const Tombstone& tombstone : footer_.tombstones) {
    entry.clear();
    ByteWriter out(entry);
    format::encode_id(tombstone.id, out);
    out.number(tombstone.lsn);
    VZ_TRY(out_.append(entry));
  }
  layout_.tombstones.size = footer_.tombstones.size() * format::kTombstoneSize;
  return {};
}

Status SegmentWriter::write_footer() {
  layout_.collection = footer_.collection;
  layout_.seq = footer_.seq;
  layout_.epoch = footer_.epoch;
  layout_.collection_name = footer_.collection_name;
  layout_.definition_json = footer_.definition_json;
  layout_.replaces = footer_.replaces;
  format::Section place;
  VZ_TRY_ASSIGN(place.offset, begin_section(out_));
  const Bytes bytes = format::encode_segment_footer(layout_);
  place.size = bytes.size();
  // What the reader would refuse must not be published.
  VZ_TRY(format::decode_segment_footer(bytes, place.offset));
  VZ_TRY(out_.append(bytes));
  return out_.append(format::encode_segment_tail(place));
}

Status SegmentWriter::write() {
  VZ_TRY(write_ids());
  VZ_TRY(write_versions());
  for (std::size_t i = 0; i < footer_.columns.size(); ++i) {
    VZ_TRY_ASSIGN(format::SegmentColumn column,
                  write_vector_column(out_, rows_, i, footer_.columns[i]));
    layout_.columns.push_back(std::move(column));
  }
  VZ_TRY(write_payload());
  VZ_TRY(write_bloom());
  VZ_TRY(write_tombstones());
  return write_footer();
}

}  // namespace

Result<FileInfo> write_segment(Env& env, const std::string& path, Footer footer,
                               const RowSource& rows, const WriteOptions& options) {
  VZ_TRY(check(footer, rows));
  VZ_TRY_ASSIGN(auto out, CheckedFileWriter::create(env, path, FileKind::kSegment,
                                                    format::kSegmentVersionNewest));
  VZ_TRY(SegmentWriter(*out, footer, rows, options).write());
  return out->finish();
}

}  // namespace vz::segment
