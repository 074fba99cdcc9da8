#include <algorithm>

#include "storage/format/dead_format.h"
#include "storage/segment/segment.h"

namespace vz::segment {

Result<FileInfo> write_dead_rows(Env& env, const std::string& path, const DeadRows& dead) {
  for (std::size_t i = 0; i < dead.rows.size(); ++i) {
    if (dead.rows[i] >= dead.row_count || (i > 0 && dead.rows[i - 1] >= dead.rows[i])) {
      return fail(ErrorCode::kInternal, path + ": dead row " + std::to_string(dead.rows[i]) +
                                            ": expected ascending rows below " +
                                            std::to_string(dead.row_count));
    }
  }
  VZ_TRY_ASSIGN(auto out,
                CheckedFileWriter::create(env, path, FileKind::kDead, format::kDeadVersionNewest));
  const auto head =
      format::encode(format::DeadHead{.epoch = dead.epoch,
                                      .row_count = dead.row_count,
                                      .seq = dead.seq,
                                      .as_of = dead.as_of,
                                      .dead_count = static_cast<std::uint32_t>(dead.rows.size())});
  VZ_TRY(out->append(head));
  VZ_TRY(out->append(std::as_bytes(std::span<const std::uint32_t>(dead.rows))));
  return out->finish();
}

Result<DeadRows> read_dead_rows(Env& env, const std::string& path) {
  VZ_TRY_ASSIGN(const auto file,
                CheckedFile::open(env, path, FileKind::kDead, format::kDeadVersionNewest));
  VZ_TRY_ASSIGN(const ByteSpan content, file->bytes(0, file->content_size()));
  const auto head = format::decode_dead_head(content);
  if (!head) return while_doing(head.error(), path);

  DeadRows dead{.epoch = head->epoch,
                .seq = head->seq,
                .as_of = head->as_of,
                .row_count = head->row_count,
                .rows = {}};
  dead.rows.resize(head->dead_count);
  if (!dead.rows.empty()) {
    std::memcpy(dead.rows.data(), content.data() + format::kDeadHeadSize,
                dead.rows.size() * sizeof(std::uint32_t));
  }
  // Tested before what was read is looked at: a lost page reads as zeros.
  if (file->failed()) {
    return fail(ErrorCode::kCorruption, path + ": the disk could not deliver a page of the file");
  }
  for (std::size_t i = 0; i < dead.rows.size(); ++i) {
    if (dead.rows[i] >= dead.row_count || (i > 0 && dead.rows[i - 1] >= dead.rows[i])) {
      return fail(ErrorCode::kCorruption,
                  path + " at offset " +
                      std::to_string(format::kDeadHeadSize + i * sizeof(std::uint32_t)) +
                      ": expected ascending rows below " + std::to_string(dead.row_count) +
                      ", found " + std::to_string(dead.rows[i]));
    }
  }
  return dead;
}

}  // namespace vz::segment
