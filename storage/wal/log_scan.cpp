#include "storage/wal/log_scan.h"

#include <algorithm>

#include "storage/format/wal_record.h"
#include "storage/wal/crc_ranges.h"

namespace vz::wal {
namespace {

namespace at = format::wal_record_offset;
using format::kWalRecordAlignment;
using format::kWalRecordHeaderSize;

/// The fields alone: could a record that was lost at `invalid` be followed by this one?
bool could_follow(const std::byte* record, std::uint64_t distance, std::uint64_t room,
                  const InvalidRecord& invalid) {
  const auto lsn = load_number<Lsn>(record + at::kLsn);
  // Every record between takes a header at least. Unsigned: an lsn that is too low is huge here.
  if (lsn - invalid.lsn - 1 >= distance / kWalRecordHeaderSize) return false;
  const auto group_lsn = load_number<Lsn>(record + at::kGroupLsn);
  const auto payload_size = load_number<std::uint32_t>(record + at::kPayloadSize);
  return group_lsn != 0 && group_lsn <= lsn &&
         load_number<Epoch>(record + at::kEpoch) == invalid.epoch &&
         payload_size <= format::kWalPayloadSizeMax &&
         format::wal_record_size(payload_size) <= room;
}

}  // namespace

Beyond scan_beyond(ByteSpan file, const InvalidRecord& invalid, std::uint32_t seed) {
  Beyond beyond;
  std::optional<CrcRanges> ranges;  // Made at the first candidate: most tails have none.
  for (std::uint64_t offset = invalid.offset + kWalRecordAlignment;
       offset + kWalRecordHeaderSize <= file.size(); offset += kWalRecordAlignment) {
    const std::byte* record = file.data() + offset;
    if (!could_follow(record, offset - invalid.offset, file.size() - offset, invalid)) continue;
    if (!ranges) ranges.emplace(file);
    const std::uint64_t end =
        offset + format::wal_record_size(load_number<std::uint32_t>(record + at::kPayloadSize));
    if (ranges->crc(offset + at::kPayloadSize, end, seed) != load_number<std::uint32_t>(record))
      continue;
    const auto group_lsn = load_number<Lsn>(record + at::kGroupLsn);
    if (group_lsn > invalid.lsn) {
      beyond.proof = Proof{offset, load_number<Lsn>(record + at::kLsn), group_lsn};
      return beyond;
    }
    beyond.same_group_end = std::max(beyond.same_group_end, end);
  }
  return beyond;
}

}  // namespace vz::wal
