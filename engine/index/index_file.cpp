#include "engine/index/index_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "engine/index/column_search.h"
#include "engine/index/index_format.h"
#include "storage/base/huge_pages.h"

namespace vz::index {
namespace {

/// Where each section of a column begins in memory.
using SectionStarts = std::array<const std::byte*, kIndexSections>;

template <typename T>
std::span<const T> values_at(const std::byte* begin, const IndexSection& section) {
  return {reinterpret_cast<const T*>(begin), section.size / sizeof(T)};
}

ColumnView view_of(const SectionStarts& at, const IndexColumn& column, std::uint32_t row_count) {
  const auto sections = sections_of(column, row_count);
  ColumnView view;
  view.distance = static_cast<vector::Distance>(column.distance);
  view.dimension = column.dimension;
  view.slot_count = column.slot_count;
  if (column.has_codes()) {
    view.codes = {.codes = values_at<std::uint8_t>(at[0], sections[0]).data(),
                  .norms = values_at<float>(at[1], sections[1]).data(),
                  .stride = column.stride,
                  .rows = column.slot_count,
                  .dimension = column.dimension,
                  .scale = column.scale};
  }
  if (column.has_sketches()) {
    view.sketches = {.rows = values_at<std::uint64_t>(at[2], sections[2]).data(),
                     .words = vector::sketch_words(column.dimension),
                     .stride = vector::sketch_stride(column.dimension)};
    view.shortlist_shares = column.shortlist_shares;
  }
  view.rows = values_at<std::uint32_t>(at[3], sections[3]);
  view.slots = values_at<std::uint32_t>(at[4], sections[4]);
  if (!column.has_graph()) return view;
  view.m = column.m;
  view.link_stride = column.link_stride;
  view.entry_slot = column.entry_slot;
  view.entry_upper = column.entry_upper;
  view.max_level = column.max_level;
  view.links = values_at<std::uint32_t>(at[5], sections[5]);
  view.upper_nodes = values_at<std::uint32_t>(at[6], sections[6]);
  view.upper_offsets = values_at<std::uint32_t>(at[7], sections[7]);
  view.upper_links = values_at<std::uint32_t>(at[8], sections[8]);
  return view;
}

// Each check below names what it found wrong, or nothing.

const char* check_rows(const ColumnView& view) {
  for (std::uint32_t slot = 0; slot < view.slot_count; ++slot) {
    const std::uint32_t row = view.rows[slot];
    if (row >= view.slots.size() || view.slots[row] != slot) return "a slot and its row disagree";
  }
  std::uint64_t present = 0;
  for (const std::uint32_t slot : view.slots) present += slot != kNone ? 1 : 0;
  return present == view.slot_count ? nullptr : "a row names a slot that is not its own";
}

const char* check_links(const ColumnView& view) {
  // One pass without branches per link: this runs over the whole graph at each open.
  std::uint32_t bad = 0;
  for (const std::uint32_t link : view.links) {
    bad |= static_cast<std::uint32_t>(link >= view.slot_count) &
           static_cast<std::uint32_t>(link != kNone);
  }
  return bad == 0 ? nullptr : "a link leaves the graph";
}

const char* check_upper_offsets(const ColumnView& view, std::uint32_t upper_rows) {
  if (view.upper_nodes.empty()) return upper_rows == 0 ? nullptr : "upper rows without nodes";
  if (view.upper_offsets.front() != 0 || view.upper_offsets.back() != upper_rows) {
    return "the upper rows are not all of a node";
  }
  for (std::size_t node = 0; node < view.upper_nodes.size(); ++node) {
    if (view.upper_nodes[node] >= view.slot_count ||
        (node > 0 && view.upper_nodes[node] <= view.upper_nodes[node - 1])) {
      return "an upper node is out of range or out of order";
    }
    const std::uint32_t first = view.upper_offsets[node], end = view.upper_offsets[node + 1];
    if (end <= first || end - first > view.max_level) return "an upper node has no right level";
  }
  return nullptr;
}

/// A link of level l must lead to a node that has level l. After check_upper_offsets.
const char* check_upper_links(const ColumnView& view) {
  const auto levels = [&](std::uint32_t node) {
    return view.upper_offsets[node + 1] - view.upper_offsets[node];
  };
  for (std::uint32_t node = 0; node < view.upper_nodes.size(); ++node) {
    for (std::uint32_t row = view.upper_offsets[node]; row < view.upper_offsets[node + 1]; ++row) {
      const std::uint32_t level = row - view.upper_offsets[node] + 1;
      for (const std::uint32_t link : view.upper_links.subspan(std::size_t{row} * view.m, view.m)) {
        if (link == kNone) continue;
        if (link >= view.upper_nodes.size() || levels(link) < level) {
          return "an upper link leads to a node without that level";
        }
      }
    }
  }
  if (view.max_level == 0) return nullptr;
  if (levels(view.entry_upper) != view.max_level ||
      view.upper_nodes[view.entry_upper] != view.entry_slot) {
    return "the entry point is not at the top";
  }
  return nullptr;
}

const char* check_column(const ColumnView& view, const IndexColumn& column) {
  if (const char* wrong = check_rows(view)) return wrong;
  if (!column.has_graph()) return nullptr;
  if (const char* wrong = check_links(view)) return wrong;
  if (const char* wrong = check_upper_offsets(view, column.upper_rows)) return wrong;
  return check_upper_links(view);
}

class File final : public IndexFile {
 public:
  File(std::unique_ptr<segment::CheckedFile> file, std::span<const Placement> placements)
      : file_(std::move(file)), placements_(placements.begin(), placements.end()) {}

  Status load(const segment::Segment& segment) {
    VZ_TRY_ASSIGN(const IndexFooter footer, read_footer());
    VZ_TRY(check_segment(footer.head, segment));
    views_.resize(segment.footer().columns.size());
    columns_.resize(views_.size());
    for (const IndexColumn& column : footer.columns) VZ_TRY(load_column(column, segment));
    if (file_->failed()) return damaged("the file could not be read");
    const bool mapped = std::any_of(
        footer.columns.begin(), footer.columns.end(),
        [this](const IndexColumn& column) { return placement(column) == Placement::kMapped; });
    if (!mapped) file_->forget();
    return {};
  }

  [[nodiscard]] const ColumnIndex* column(std::size_t column) const override {
    return column < columns_.size() ? columns_[column].get() : nullptr;
  }
  [[nodiscard]] const segment::CheckedFile& file() const override { return *file_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    std::uint64_t bytes = file_->file_size() / (64u << 10) / 8;  // The bitmap of verified blocks.
    for (const auto& memory : resident_) bytes += written_bytes(memory.size(), memory.size());
    return bytes;
  }

 private:
  [[nodiscard]] Placement placement(const IndexColumn& column) const {
    return column.column < placements_.size() ? placements_[column.column] : Placement::kResident;
  }

  tl::unexpected<Error> damaged(const std::string& what) const {
    return fail(ErrorCode::kCorruption, file_->path() + ": " + what);
  }

  Result<IndexFooter> read_footer() const {
    const std::uint64_t size = file_->content_size();
    if (size < kIndexTailSize) return damaged("the content is too short for an index");
    VZ_TRY_ASSIGN(const ByteSpan tail, file_->bytes(size - kIndexTailSize, kIndexTailSize));
    const auto where = decode_index_tail(tail, size);
    if (!where) return while_doing(where.error(), file_->path());
    VZ_TRY_ASSIGN(const ByteSpan bytes, file_->bytes(where->offset, where->size));
    auto footer = decode_index_footer(bytes, where->offset);
    if (!footer) return while_doing(footer.error(), file_->path());
    return footer;
  }

  Status check_segment(const IndexHead& head, const segment::Segment& segment) const {
    if (head.epoch == segment.footer().epoch && head.seq == segment.footer().seq &&
        head.row_count == segment.row_count() &&
        head.segment_trailer_crc32c == segment.file().trailer_crc32c()) {
      return {};
    }
    return damaged("expected the index of segment " + std::to_string(segment.footer().epoch) + "-" +
                   std::to_string(segment.footer().seq) +
                   ", found that of another: " + std::to_string(head.epoch) + "-" +
                   std::to_string(head.seq) + " with " + std::to_string(head.row_count) + " rows");
  }

  Status load_column(const IndexColumn& column, const segment::Segment& segment) {
    const auto& columns = segment.footer().columns;
    if (column.column >= columns.size() || columns_[column.column] != nullptr ||
        columns[column.column].kind != segment::VectorKind::kDense ||
        columns[column.column].dimension != column.dimension) {
      return damaged("column " + std::to_string(column.column) + " is not one of the segment's");
    }
    const auto sections = sections_of(column, segment.row_count());
    for (const IndexSection& section : sections) {
      VZ_TRY(file_->verify(section.offset, section.size));
    }
    ColumnView& view = views_[column.column];
    view = view_of(place(sections, placement(column)), column, segment.row_count());
    if (const char* wrong = check_column(view, column)) {
      return damaged("column " + std::to_string(column.column) + ": " + wrong);
    }
    columns_[column.column] = make_column_index(view, column.column, *file_, segment);
    return {};
  }

  /// Where the sections are read from: copies, if they are to be resident.
  SectionStarts place(std::span<const IndexSection, kIndexSections> sections, Placement placement) {
    SectionStarts starts{};
    if (placement == Placement::kMapped) {
      for (std::size_t i = 0; i < starts.size(); ++i) {
        starts[i] = file_->unchecked(sections[i].offset);
      }
      return starts;
    }
    const auto padded = [](std::uint64_t size) {
      return (size + kIndexAlignment - 1) / kIndexAlignment * kIndexAlignment;
    };
    std::uint64_t total = kIndexAlignment;
    for (const IndexSection& section : sections) total += padded(section.size);
    HugeVector<std::byte>& memory = resident_.emplace_back();
    memory.resize(total);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    std::byte* at = memory.data() + (padded(address) - address);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      starts[i] = at;
      if (sections[i].size == 0) continue;
      std::memcpy(at, file_->unchecked(sections[i].offset), sections[i].size);
      at += padded(sections[i].size);
    }
    return starts;
  }

  std::unique_ptr<segment::CheckedFile> file_;
  std::vector<Placement> placements_;
  std::vector<HugeVector<std::byte>> resident_;
  std::vector<ColumnView> views_;  // Of fixed size: columns_ borrow from it.
  std::vector<std::unique_ptr<ColumnIndex>> columns_;
};

}  // namespace

Result<std::unique_ptr<IndexFile>> IndexFile::open(Env& env, const std::string& path,
                                                   const segment::Segment& segment,
                                                   std::span<const Placement> placements) {
  VZ_TRY_ASSIGN(auto checked, segment::CheckedFile::open(env, path, segment::FileKind::kIndex,
                                                         kIndexVersionNewest));
  if (checked->version() != kIndexVersionNewest) {
    return fail(ErrorCode::kIncompatible,
                path + ": index version " + std::to_string(checked->version()) + ", expected " +
                    std::to_string(kIndexVersionNewest) + ": it is to be rebuilt");
  }
  try {
    auto file = std::make_unique<File>(std::move(checked), placements);
    VZ_TRY(file->load(segment));
    return file;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kExhausted, path + ": not enough memory to load the index");
  }
}

}  // namespace vz::index
