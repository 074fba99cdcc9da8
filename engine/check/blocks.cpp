#include "engine/check/blocks.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "storage/base/crc32c.h"
#include "storage/base/sha256.h"
#include "storage/format/checked_file_format.h"
#include "storage/format/segment_format.h"

namespace vz::check {
namespace {

using format::kCheckedBlockSize;
using format::kCheckedTrailerSize;

constexpr std::uint64_t kReadSize = kBlocksPerRun * kCheckedBlockSize;
constexpr std::uint64_t kCrcSize = sizeof(std::uint32_t);

/// Where things are, by the length that the manifest records.
struct Shape {
  std::uint64_t content_size = 0;
  std::uint64_t block_count = 0;
  [[nodiscard]] std::uint64_t table_size() const { return block_count * kCrcSize; }
};

std::optional<Shape> shape_of(const NamedFile& file) {
  const auto content_size = format::checked_content_size(file.info.size_bytes);
  if (!content_size) return std::nullopt;
  return Shape{*content_size, format::checked_block_count(*content_size)};
}

/// Nothing, and a finding, if it cannot be opened.
std::unique_ptr<File> open_or_report(const Run& run, NamedFile& file) {
  auto opened = run.env.open(file.path, OpenMode::kRead);
  if (opened) return std::move(*opened);
  run.report(file, by_kind(file, FindingId::kSegmentUnreadable, FindingId::kDerivedUnreadable), {},
             opened.error().message);
  return nullptr;
}

Result<format::CheckedTrailer> read_trailer(const File& opened, const NamedFile& file) {
  format::CheckedTrailerBytes bytes{};
  VZ_TRY(opened.read_at(file.info.size_bytes - kCheckedTrailerSize, bytes));
  return format::decode_checked_trailer(bytes, file.info.size_bytes);
}

void check_trailer(const Run& run, NamedFile& file, const File& opened) {
  const std::uint64_t offset = file.info.size_bytes - kCheckedTrailerSize;
  const auto trailer = read_trailer(opened, file);
  const FindingId id = by_kind(file, FindingId::kSegmentTrailer, FindingId::kDerivedTrailer);
  const bool segment = file.kind == segment::FileKind::kSegment;
  const bool newer = trailer ? trailer->version > format::kSegmentVersionNewest
                             : trailer.error().code == ErrorCode::kIncompatible;
  if (!trailer && !newer) {
    run.report(file, id, {offset, kCheckedTrailerSize}, trailer.error().message);
  } else if (!trailer || (segment && newer)) {
    // Its checksum is right: a later version of the program wrote it. What is derived is rebuilt.
    if (segment) {
      run.report_incompatible(
          trailer ? Error{ErrorCode::kIncompatible,
                          fmt::format("{}: format version {} is newer than "
                                      "this program's {}",
                                      file.path, trailer->version, format::kSegmentVersionNewest)}
                  : while_doing(trailer.error(), file.path).value());
    } else {
      run.report(file, FindingId::kDerivedVersion, {offset, kCheckedTrailerSize}, "");
    }
  } else if (trailer->trailer_crc32c != file.info.trailer_crc32c ||
             trailer->kind != static_cast<std::uint8_t>(file.kind)) {
    run.report(
        file, id, {offset, kCheckedTrailerSize},
        fmt::format("expected the trailer 0x{:08x} that the manifest records, found 0x{:08x}: "
                    "another file under this name",
                    file.info.trailer_crc32c, trailer->trailer_crc32c));
  }
}

/// Reports one range of bytes for each bad block; findings that touch become one.
class BlockReader {
 public:
  /// `file` has the shape `shape`; `first` is the block that the table begins with.
  BlockReader(const Run& run, NamedFile& file, const File& opened, const Shape& shape)
      : run_(run),
        file_(file),
        opened_(opened),
        shape_(shape),
        buffer_(std::min(kReadSize, file.info.size_bytes)) {}

  /// Checks those blocks of [first, end) of whose runs `takes` is true, and hands their bytes to
  /// `sha`, if there is one.
  void check(std::uint64_t first, std::uint64_t end, Sha256* sha, const Takes& takes) {
    Bytes table((end - first) * kCrcSize);
    if (!opened_.read_at(shape_.content_size + first * kCrcSize, table)) {
      unreadable({shape_.content_size + first * kCrcSize, table.size()});
      return;
    }
    for (std::uint64_t block = first; block < end && !run_.pace.stopped(); block += kBlocksPerRun) {
      if (!takes(block / kBlocksPerRun)) continue;
      const std::uint64_t count = std::min(kBlocksPerRun, end - block);
      check_read(block, count, ByteSpan(table).subspan((block - first) * kCrcSize), sha);
    }
  }

  /// Reads [begin, end) of the file in pieces. False, and a finding, if the disk does not give it.
  template <typename Take>
  bool read_all(std::uint64_t begin, std::uint64_t end, Take take) {
    while (begin < end) {
      const std::uint64_t size = std::min(kReadSize, end - begin);
      const std::span<std::byte> out = std::span(buffer_).first(size);
      if (!opened_.read_at(begin, out)) {
        unreadable({begin, size});
        return false;
      }
      take(ByteSpan(out));
      begin += size;
    }
    return true;
  }

 private:
  [[nodiscard]] Extent extent_of(std::uint64_t block) const {
    const std::uint64_t offset = block * kCheckedBlockSize;
    return {offset, std::min<std::uint64_t>(kCheckedBlockSize, shape_.content_size - offset)};
  }

  void unreadable(Extent extent) {
    run_.report(file_, by_kind(file_, FindingId::kSegmentUnreadable, FindingId::kDerivedUnreadable),
                extent, fmt::format("{} bytes cannot be read", extent.length));
  }

  void check_read(std::uint64_t block, std::uint64_t count, ByteSpan table, Sha256* sha) {
    const std::uint64_t begin = block * kCheckedBlockSize;
    const Extent last = extent_of(block + count - 1);
    const std::span<std::byte> out = std::span(buffer_).first(last.offset + last.length - begin);
    const bool whole = opened_.read_at(begin, out).has_value();
    for (std::uint64_t i = 0; i < count; ++i) {
      const Extent extent = extent_of(block + i);
      const std::span<std::byte> bytes = out.subspan(extent.offset - begin, extent.length);
      // A read that failed may have failed for one block only.
      if (!whole && !opened_.read_at(extent.offset, bytes)) {
        unreadable(extent);
      } else if (crc32c(bytes) != load_number<std::uint32_t>(table.data() + i * kCrcSize)) {
        run_.report(file_, by_kind(file_, FindingId::kSegmentBlocks, FindingId::kDerivedBlocks),
                    extent, "");
      }
    }
    if (sha != nullptr) sha->update(out);
    run_.pace.spend(out.size());
  }

  const Run& run_;
  NamedFile& file_;
  const File& opened_;
  const Shape& shape_;
  Bytes buffer_;
};

/// True if all that the manifest says is there, perhaps with more behind it; check_ends() has
/// reported a wrong length.
bool has_shape(const File& opened, const NamedFile& file) {
  const auto size = opened.size();
  return size && *size >= file.info.size_bytes;
}

void check_table(const Run& run, NamedFile& file, const File& opened, const Shape& shape,
                 BlockReader& reader) {
  const auto trailer = read_trailer(opened, file);
  if (!trailer) return;  // Reported by check_ends().
  std::uint32_t found = 0;
  const std::uint64_t end = shape.content_size + shape.table_size();
  const bool read = reader.read_all(shape.content_size, end,
                                    [&](ByteSpan bytes) { found = crc32c(bytes, found); });
  if (!read || found == trailer->table_crc32c) return;
  run.report(file, by_kind(file, FindingId::kSegmentTable, FindingId::kDerivedTable),
             {shape.content_size, shape.table_size()},
             fmt::format("expected crc32c 0x{:08x} of the block table, found 0x{:08x}",
                         trailer->table_crc32c, found));
}

}  // namespace

std::uint64_t block_tasks(const NamedFile& file) {
  const auto shape = shape_of(file);
  if (!shape) return 1;
  return std::max<std::uint64_t>(1, (shape->block_count + kBlocksPerTask - 1) / kBlocksPerTask);
}

std::uint64_t runs_of(const NamedFile& file) {
  const auto shape = shape_of(file);
  return shape ? (shape->block_count + kBlocksPerRun - 1) / kBlocksPerRun : 0;
}

std::uint64_t bytes_of_run(const NamedFile& file, std::uint64_t at) {
  const auto shape = shape_of(file);
  return shape ? std::min(kReadSize, shape->content_size - at * kReadSize) : 0;
}

void check_ends(const Run& run, NamedFile& file) {
  const auto opened = open_or_report(run, file);
  if (opened == nullptr) return;
  const auto size = opened->size();
  const std::uint64_t expected = file.info.size_bytes;
  if (!size || *size != expected || !shape_of(file)) {
    const std::uint64_t found = size ? *size : 0;
    const auto [less, more] = std::minmax(found, expected);
    run.report(file, by_kind(file, FindingId::kSegmentSize, FindingId::kDerivedSize),
               {less, more - less}, fmt::format("expected {} bytes, found {}", expected, found));
    return;
  }
  check_trailer(run, file, *opened);
}

void check_blocks(const Run& run, NamedFile& file, std::uint64_t task, const Takes& takes) {
  const auto opened = open_or_report(run, file);
  const auto shape = shape_of(file);
  if (opened == nullptr || !shape || !has_shape(*opened, file)) return;
  BlockReader reader(run, file, *opened, *shape);
  if (task == 0) check_table(run, file, *opened, *shape, reader);
  const std::uint64_t first = task * kBlocksPerTask;
  reader.check(first, std::min(shape->block_count, first + kBlocksPerTask), nullptr, takes);
}

void check_whole(const Run& run, NamedFile& file) {
  const auto opened = open_or_report(run, file);
  const auto shape = shape_of(file);
  if (opened == nullptr || !shape || !has_shape(*opened, file)) return;
  BlockReader reader(run, file, *opened, *shape);
  check_table(run, file, *opened, *shape, reader);
  Sha256 sha;
  for (std::uint64_t first = 0; first < shape->block_count; first += kBlocksPerTask)
    reader.check(first, std::min(shape->block_count, first + kBlocksPerTask), &sha,
                 [](std::uint64_t) { return true; });
  const bool read = reader.read_all(shape->content_size, file.info.size_bytes,
                                    [&](ByteSpan bytes) { sha.update(bytes); });
  if (!read || file.damaged || run.pace.stopped()) return;
  const Sha256Digest found = sha.finish();
  if (found == file.info.sha256) return;
  run.report(file, by_kind(file, FindingId::kSegmentHash, FindingId::kDerivedHash), {},
             "expected SHA-256 " + to_hex(file.info.sha256) + ", found " + to_hex(found));
}

}  // namespace vz::check
