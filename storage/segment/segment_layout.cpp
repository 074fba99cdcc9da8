#include "storage/segment/segment_layout.h"

namespace vz::segment {

Result<format::SegmentFooter> read_layout(const CheckedFile& file) {
  const std::uint64_t size = file.content_size();
  if (size < format::kSegmentTailSize) {
    return fail(ErrorCode::kCorruption, file.path() + ": the content is too short for a segment");
  }
  const std::uint64_t tail_offset = size - format::kSegmentTailSize;
  VZ_TRY_ASSIGN(const ByteSpan tail, file.bytes(tail_offset, format::kSegmentTailSize));
  const auto place = format::decode_segment_tail(tail, size);
  if (!place) {
    return while_doing(place.error(), file.path() + " at offset " + std::to_string(tail_offset));
  }
  VZ_TRY_ASSIGN(const ByteSpan bytes, file.bytes(place->offset, place->size));
  auto footer = format::decode_segment_footer(bytes, place->offset);
  if (!footer) {
    return while_doing(footer.error(), file.path() + " at offset " + std::to_string(place->offset));
  }
  return footer;
}

Result<PayloadSizes> payload_sizes(const CheckedFile& file, const format::SegmentFooter& layout) {
  VZ_TRY_ASSIGN(const ByteSpan table,
                file.bytes(layout.payload_table.offset, layout.payload_table.size));
  VZ_TRY_ASSIGN(const auto entries,
                format::decode_payload_table(table, layout.payload.size, layout.row_count));
  PayloadSizes sizes{.blocks = entries.size()};
  for (const format::PayloadEntry& entry : entries) {
    VZ_TRY_ASSIGN(const ByteSpan head,
                  file.bytes(layout.payload.offset + entry.offset, format::kPayloadHeadSize));
    sizes.raw_bytes += load_number<std::uint32_t>(head.data() + format::kPayloadRawSizeOffset);
    sizes.stored_bytes += entry.size;
  }
  return sizes;
}

}  // namespace vz::segment
