#include "storage/format/dead_format.h"

namespace vz::format {

Bytes encode(const DeadHead& head) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kDeadMagic));
  out.number(head.epoch);
  out.number(head.seq);
  out.number(head.as_of);
  out.number(head.row_count);
  out.number(head.dead_count);
  return bytes;
}

Result<DeadHead> decode_dead_head(ByteSpan content) {
  ByteReader in(content);
  if (as_text(in.raw(kDeadMagic.size())) != kDeadMagic) {
    return fail(ErrorCode::kCorruption, "dead rows: the magic is missing");
  }
  DeadHead head;
  head.epoch = in.number<Epoch>();
  head.seq = in.number<SegmentSeq>();
  head.as_of = in.number<Lsn>();
  head.row_count = in.number<std::uint32_t>();
  head.dead_count = in.number<std::uint32_t>();
  const std::uint64_t rows_size = std::uint64_t{head.dead_count} * sizeof(std::uint32_t);
  if (!in.ok() || head.dead_count > head.row_count || in.remaining() != rows_size) {
    return fail(ErrorCode::kCorruption, "dead rows: expected " + std::to_string(head.dead_count) +
                                            " of " + std::to_string(head.row_count) +
                                            " rows, found " + std::to_string(in.remaining()) +
                                            " bytes of rows");
  }
  return head;
}

}  // namespace vz::format
