#include "tools/offline/compact_plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "engine/index/index_file.h"
#include "storage/segment/payload_block.h"
#include "storage/segment/segment_layout.h"
#include "tools/offline/segments.h"
#include "tools/offline/space.h"

namespace vz::offline {
namespace {

using collection::SealedPart;
using manifest::SegmentEntry;

/// Blocks that are compressed again to see what a level would bring.
constexpr std::size_t kSampledBlocks = 32;
/// A level that changes the size of payloads by less brings nothing: so a rerun is a no-op.
constexpr double kSizeChangeMin = 0.01;
/// Of a row while a segment is written: where it came from, twice, and its id.
constexpr std::uint64_t kMergeBytesPerRow = 100;
/// Headers, tables and trailers of a segment's files, and the images that name them.
constexpr std::uint64_t kFileBytes = kPublishBytes;

/// How much larger the payloads of `part` would be at `level`, as a share; 0 without payloads.
Result<double> size_change(const SealedPart& part, int level) {
  const segment::CheckedFile& file = part.segment().file();
  VZ_TRY_ASSIGN(const auto layout, segment::read_layout(file));
  VZ_TRY_ASSIGN(const ByteSpan table,
                file.bytes(layout.payload_table.offset, layout.payload_table.size));
  VZ_TRY_ASSIGN(const auto blocks,
                format::decode_payload_table(table, layout.payload.size, layout.row_count));
  if (blocks.empty()) return 0.0;
  const std::size_t step = std::max<std::size_t>(1, blocks.size() / kSampledBlocks);
  double old_bytes = 0;
  double new_bytes = 0;
  for (std::size_t i = 0; i < blocks.size(); i += step) {
    const std::uint32_t end = i + 1 < blocks.size() ? blocks[i + 1].first_row : layout.row_count;
    segment::PayloadBlockBuilder builder(level);
    for (std::uint32_t row = blocks[i].first_row; row < end; ++row) {
      VZ_TRY_ASSIGN(const std::string text, part.payload(row));
      VZ_TRY(builder.add(part.id(row), text));
    }
    VZ_TRY_ASSIGN(const Bytes block, builder.finish(blocks[i].first_row));
    old_bytes += blocks[i].size;
    new_bytes += static_cast<double>(block.size());
  }
  return new_bytes / old_bytes - 1;
}

class Planner {
 public:
  Planner(Env& env, const store::Paths& paths, const manifest::CollectionEntry& entry,
          const CollectionParts& parts, const CompactOptions& options)
      : env_(env), paths_(paths), entry_(entry), parts_(parts), options_(options) {}

  Result<CompactPlan> make() {
    group();
    CompactedCollection& report = plan_.report;
    report.id = entry_.id;
    report.name = entry_.name;
    report.segments = entry_.segments.size();
    for (const SegmentEntry& segment : entry_.segments) {
      report.rows += segment.rows;
      report.bytes += bytes_of(segment);
    }
    for (CompactGroup& one : plan_.groups) {
      one.count = one.inputs.size();
      VZ_TRY(judge(one));
    }
    const CompactSpace space = space_for(plan_.groups);
    report.space_needed = space.in_place;
    report.space_with_workdir = space.with_workdir;
    report.space_in_workdir = space.in_workdir;
    report.reason = reason();
    return std::move(plan_);
  }

 private:
  static std::uint64_t live_rows(const CompactGroup& group) {
    std::uint64_t rows = 0;
    for (const auto& part : group.inputs) rows += part->live_rows();
    return rows;
  }

  /// Neighbours go together while the new segment stays within its bound.
  void group() {
    for (const auto& part : parts_.segments) {
      const bool fits =
          !plan_.groups.empty() &&
          live_rows(plan_.groups.back()) + part->live_rows() <= options_.segment_rows_max;
      if (!fits) plan_.groups.emplace_back();
      plan_.groups.back().inputs.push_back(part);
    }
  }

  [[nodiscard]] const SegmentEntry& entry_of(const SealedPart& part) const {
    const auto found = std::find_if(
        entry_.segments.begin(), entry_.segments.end(),
        [&](const auto& one) { return one.seq == part.seq() && one.epoch == part.epoch(); });
    VZ_ASSERT(found != entry_.segments.end());
    return *found;
  }

  Status judge(CompactGroup& group) {
    CompactedCollection& report = plan_.report;
    GroupBytes& bytes = group.bytes;
    std::uint64_t rows = 0;
    for (const auto& part : group.inputs) {
      const SegmentEntry& entry = entry_of(*part);
      report.dead_rows += part->row_count() - part->live_rows();
      rows += part->row_count();
      const std::uint64_t fields = entry.fields ? entry.fields->info.size_bytes : 0;
      bytes.old_total += bytes_of(entry);
      bytes.old_derived += fields + (entry.index ? entry.index->info.size_bytes : 0);
      bytes.new_seg += entry.seg.size_bytes;
      bytes.new_derived += fields;
    }
    const std::uint64_t live = live_rows(group);
    if (group.inputs.size() > 1) {
      merged_ += group.inputs.size();
      group.rewritten = true;
    } else {
      VZ_TRY_ASSIGN(group.rewritten, gains_alone(*group.inputs.front()));
    }
    report.segments_after += group.rewritten && live == 0 ? 0 : 1;
    if (!group.rewritten) {
      report.bytes_after += bytes.old_total;
      return {};
    }
    const std::uint64_t index = live * index_bytes_per_row(*parts_.definition);
    report.bytes_after +=
        rows == 0
            ? 0
            : static_cast<std::uint64_t>(static_cast<double>(bytes.old_total) *
                                         static_cast<double>(live) / static_cast<double>(rows));
    bytes.new_seg += kFileBytes;
    bytes.new_derived += index;
    report.memory_needed = std::max(report.memory_needed, live * kMergeBytesPerRow + index);
    return {};
  }

  /// A segment that has no other to be merged with.
  Result<bool> gains_alone(const SealedPart& part) {
    bool gains = part.live_rows() < part.row_count();
    // Nothing older is left that a delete could be about.
    const bool alone = parts_.segments.size() == 1;
    const std::size_t tombstones = part.segment().footer().tombstones.size();
    if (alone && tombstones > 0) {
      tombstones_ += tombstones;
      gains = true;
    }
    VZ_TRY_ASSIGN(const bool unindexed, is_unindexed(part));
    if (unindexed) {
      ++unindexed_;
      gains = true;
    }
    if (options_.zstd_level) {
      VZ_TRY_ASSIGN(const double change, size_change(part, *options_.zstd_level));
      if (std::abs(change) > kSizeChangeMin) {
        ++recompressed_;
        gains = true;
      }
    }
    return gains;
  }

  /// True if index or columns are missing, or if it is large enough for a graph and has none.
  [[nodiscard]] Result<bool> is_unindexed(const SealedPart& part) const {
    if (part.row_count() == 0) return false;
    const SegmentEntry& entry = entry_of(part);
    if (!entry.index || !entry.fields) return true;
    if (part.row_count() < index::kGraphRowsMin || !part.segment().footer().replaces.empty())
      return false;
    const std::vector<index::Placement> mapped(part.segment().footer().columns.size(),
                                               index::Placement::kMapped);
    const auto opened = index::IndexFile::open(
        env_, paths_.index(entry_.id, entry.epoch, entry.seq, entry.index->number), part.segment(),
        mapped);
    if (!opened) return true;
    bool dense = false;
    for (std::size_t column = 0; column < mapped.size(); ++column) {
      const index::ColumnIndex* indexed = (*opened)->column(column);
      dense = dense || indexed != nullptr;
      if (indexed != nullptr && indexed->has_graph()) return false;
    }
    return dense;
  }

  [[nodiscard]] std::string reason() const {
    std::string text;
    const auto add = [&](std::uint64_t number, const char* noun, const char* rest) {
      if (number == 0) return;
      text += fmt::format("{}{} {}{}{}", text.empty() ? "" : ", ", number, noun,
                          number == 1 ? "" : "s", rest);
    };
    add(merged_, "segment", " to merge");
    add(plan_.report.dead_rows, "dead row", "");
    add(tombstones_, "tombstone", " of nothing");
    add(unindexed_, "segment", " without graph or columns");
    add(recompressed_, "segment", " of another compression");
    return text;
  }

  Env& env_;
  const store::Paths& paths_;
  const manifest::CollectionEntry& entry_;
  const CollectionParts& parts_;
  const CompactOptions& options_;
  CompactPlan plan_;
  std::uint64_t merged_ = 0;
  std::uint64_t tombstones_ = 0;
  std::uint64_t unindexed_ = 0;
  std::uint64_t recompressed_ = 0;
};

}  // namespace

CompactSpace space_for(const std::vector<CompactGroup>& groups) {
  CompactSpace out;
  std::int64_t grown = 0;  // By the groups that are done; below 0 if they shrank.
  const auto raise = [&](std::uint64_t& peak, std::uint64_t plus, std::uint64_t minus) {
    const auto bytes = static_cast<std::int64_t>(plus) - static_cast<std::int64_t>(minus) + grown;
    peak = std::max(peak, static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
  };
  for (const CompactGroup& group : groups) {
    if (!group.rewritten) continue;
    const GroupBytes& bytes = group.bytes;
    raise(out.in_place, bytes.new_total(), 0);
    raise(out.with_workdir, kPublishBytes, 0);
    raise(out.with_workdir, bytes.new_seg, bytes.old_derived);
    raise(out.with_workdir, bytes.new_total(), bytes.old_total);
    out.in_workdir = std::max(out.in_workdir, bytes.new_total());
    grown +=
        static_cast<std::int64_t>(bytes.new_total()) - static_cast<std::int64_t>(bytes.old_total);
  }
  return out;
}

Result<int> parse_compression(std::string_view text) {
  constexpr std::string_view kZstd = "zstd:";
  if (text == "none") return 0;
  if (text.starts_with(kZstd)) {
    const std::string_view digits = text.substr(kZstd.size());
    int level = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), level);
    if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && level >= 1 &&
        level <= kZstdLevelMax)
      return level;
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("--compression: expected none or zstd:1 to zstd:{}, found '{}'",
                          kZstdLevelMax, text.substr(0, 64)));
}

Result<CompactPlan> plan_compact(Env& env, const store::Paths& paths,
                                 const manifest::CollectionEntry& entry,
                                 const CollectionParts& parts, const CompactOptions& options) {
  return Planner(env, paths, entry, parts, options).make();
}

}  // namespace vz::offline
