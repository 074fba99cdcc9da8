#include <algorithm>
#include <cstring>
#include <exception>
#include <numeric>
#include <optional>
#include <string>

#include "engine/index/coded_rows.h"
#include "engine/index/duplicates.h"
#include "engine/index/graph.h"
#include "engine/index/index_file.h"
#include "engine/index/index_format.h"
#include "engine/index/sketched_rows.h"

namespace vz::index {
namespace {

constexpr std::size_t kRepairsMax = 256;
/// Rows that codes are judged by. 64 exact scans of 32,768 rows of 768 values take 0.2 s on two
/// cores: little beside a graph, too much beside a seal.
constexpr std::size_t kCheckedRowsMerged = 32'768;
constexpr std::size_t kCheckedRowsSealed = 4'096;
constexpr std::size_t kWriteBufferSize = 1u << 20;

/// One column while it is built. Slots count in row order until `order` gives them their place.
struct ColumnBuild {
  std::uint32_t dimension = 0;
  std::vector<std::uint32_t> rows;    ///< that have the vector, ascending
  std::vector<const float*> vectors;  ///< of those rows, borrowed from the segment
  std::optional<CodedRows> codes;     ///< none if codes are off
  float scale = 1.0f;
  std::optional<SketchedRows> sketches;  ///< none if codes are off or they would not pay
  ShortlistShares shortlist_shares{};
  std::optional<Graph> graph;        ///< in the order of the file
  std::vector<std::uint32_t> order;  ///< order[slot of the file] = slot in row order
};

tl::unexpected<Error> damaged(const segment::Segment& segment) {
  if (const auto damage = segment.damage()) return tl::unexpected<Error>(*damage);
  return fail(ErrorCode::kCorruption, segment.file().path() + ": a vector column is damaged");
}

Status gather_vectors(const segment::Segment& segment, std::size_t column, ColumnBuild& build) {
  for (std::uint32_t row = 0; row < segment.row_count(); ++row) {
    const float* values = segment.dense(column, row);
    if (values == nullptr) continue;
    build.rows.push_back(row);
    build.vectors.push_back(values);
  }
  // A damaged vector looks like an absent one until here.
  if (segment.failed()) return damaged(segment);
  return {};
}

Status add_graph(const ColumnPlan& plan, const BuildOptions& options, ColumnBuild& build) {
  const auto slot_count = static_cast<std::uint32_t>(build.rows.size());
  GraphInput input = {.distance = plan.distance,
                      .codes = {},
                      .vectors = build.vectors,
                      .members = {},
                      .dimension = build.dimension};
  if (build.codes) input.codes = build.codes->block;
  const DistinctSlots distinct = find_distinct(input, slot_count);
  input.members = distinct.firsts;
  VZ_TRY_ASSIGN(const Graph built, build_graph(input, plan.hnsw, options.threads, options.stop));
  Graph graph = hang_duplicates(built, distinct);
  connect_islands(
      graph, slot_count,
      [&](std::uint32_t a, std::uint32_t b) {
        return vector::similarity(plan.distance, build.vectors[a], build.vectors[b],
                                  build.dimension);
      },
      kRepairsMax);
  build.order = breadth_first_order(graph, slot_count);
  build.graph = reorder(graph, build.order);
  return {};
}

std::size_t checked_rows(const BuildOptions& options) {
  return options.graph == GraphPolicy::kCodesOnly ? kCheckedRowsSealed : kCheckedRowsMerged;
}

void add_sketches(const ColumnPlan& plan, const BuildOptions& options, ColumnBuild& build) {
  const bool products =
      plan.distance == vector::Distance::kCosine || plan.distance == vector::Distance::kDot;
  if (!products) return;
  build.sketches = sketch_rows(build.vectors, build.dimension, options.threads);
  build.shortlist_shares = shortlist_shares(*build.sketches, build.vectors, build.dimension,
                                            plan.distance, options.threads);
  if (build.shortlist_shares.back() > kShortlistShareMax) build.sketches.reset();
}

Result<ColumnBuild> build_column(const segment::Segment& segment, const ColumnPlan& plan,
                                 const BuildOptions& options) {
  ColumnBuild build;
  build.dimension = segment.footer().columns[plan.column].dimension;
  VZ_TRY(gather_vectors(segment, plan.column, build));
  build.codes = encode_rows(build.vectors, build.dimension, options.threads);
  build.scale = build.codes->block.scale;
  if (recall_of_codes(*build.codes, build.vectors, plan.distance, checked_rows(options),
                      options.threads) < kCodesRecallMin) {
    build.codes.reset();
  }
  if (build.codes) add_sketches(plan, options, build);
  if (options.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the build was stopped");
  build.order.resize(build.rows.size());
  std::iota(build.order.begin(), build.order.end(), 0u);
  const bool large = !build.rows.empty() && build.rows.size() >= options.graph_rows_min;
  if (options.graph == GraphPolicy::kBySize && large) VZ_TRY(add_graph(plan, options, build));
  return build;
}

/// Writes the sections of one column and notes where they begin.
class ColumnWriter {
 public:
  ColumnWriter(segment::CheckedFileWriter& out, const ColumnBuild& build, IndexColumn& column)
      : out_(out), build_(build), column_(column) {}

  Status run(std::uint32_t row_count) {
    if (build_.codes) VZ_TRY(write_codes(*build_.codes));
    if (build_.sketches) VZ_TRY(write_sketches(*build_.sketches, row_count));
    const auto slot_count = static_cast<std::uint32_t>(build_.order.size());
    std::vector<std::uint32_t> rows(slot_count), slots(row_count, kNone);
    for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
      rows[slot] = build_.rows[build_.order[slot]];
      slots[rows[slot]] = slot;
    }
    VZ_TRY_ASSIGN(column_.rows, write<std::uint32_t>(rows));
    VZ_TRY_ASSIGN(column_.slots, write<std::uint32_t>(slots));
    if (build_.graph) VZ_TRY(write_graph(*build_.graph));
    return {};
  }

 private:
  Result<std::uint64_t> begin() {
    VZ_TRY(out_.pad_to(kIndexAlignment));
    return out_.offset();
  }

  template <typename T>
  Result<std::uint64_t> write(std::span<const T> values) {
    VZ_TRY_ASSIGN(const std::uint64_t offset, begin());
    VZ_TRY(out_.append(std::as_bytes(values)));
    return offset;
  }

  /// `values` in the order of the file.
  template <typename T>
  Result<std::uint64_t> write_ordered(std::span<const T> values) {
    std::vector<T> ordered(build_.order.size());
    for (std::size_t slot = 0; slot < ordered.size(); ++slot) {
      ordered[slot] = values[build_.order[slot]];
    }
    return write<T>(ordered);
  }

  Status write_codes(const CodedRows& codes) {
    VZ_TRY_ASSIGN(column_.codes, begin());
    const std::size_t stride = codes.block.stride;
    const std::size_t rows_at_once = std::max<std::size_t>(1, kWriteBufferSize / stride);
    std::vector<std::uint8_t> buffer;
    for (std::size_t first = 0; first < build_.order.size(); first += rows_at_once) {
      const std::size_t end = std::min(build_.order.size(), first + rows_at_once);
      buffer.resize((end - first) * stride);
      for (std::size_t slot = first; slot < end; ++slot) {
        std::memcpy(buffer.data() + (slot - first) * stride,
                    codes.block.codes + build_.order[slot] * stride, stride);
      }
      VZ_TRY(out_.append(std::as_bytes(std::span(buffer))));
    }
    if (!column_.has_norms()) return {};
    VZ_TRY_ASSIGN(column_.norms, write_ordered<float>(codes.norms));
    return {};
  }

  Status write_sketches(const SketchedRows& sketches, std::uint32_t row_count) {
    const std::size_t stride = sketches.block.stride;
    HugeVector<std::uint64_t> by_row(stride * row_count);
    for (std::uint32_t row = 0; row < row_count; ++row) {
      by_row[row * stride + sketches.block.words] = vector::kNoSketch;
    }
    for (std::size_t i = 0; i < build_.rows.size(); ++i) {
      std::copy_n(sketches.words.data() + i * stride, stride,
                  by_row.data() + build_.rows[i] * stride);
    }
    VZ_TRY_ASSIGN(column_.sketches, write<std::uint64_t>(by_row));
    return {};
  }

  Status write_graph(const Graph& graph) {
    VZ_TRY_ASSIGN(column_.links, write<std::uint32_t>(graph.links));
    VZ_TRY_ASSIGN(column_.upper_nodes, write<std::uint32_t>(graph.upper_nodes));
    VZ_TRY_ASSIGN(column_.upper_offsets, write<std::uint32_t>(graph.upper_offsets));
    VZ_TRY_ASSIGN(column_.upper_links, write<std::uint32_t>(graph.upper_links));
    return {};
  }

  segment::CheckedFileWriter& out_;
  const ColumnBuild& build_;
  IndexColumn& column_;
};

IndexColumn describe(const ColumnPlan& plan, const ColumnBuild& build) {
  IndexColumn column{};
  column.column = static_cast<std::uint32_t>(plan.column);
  column.distance = static_cast<std::uint8_t>(plan.distance);
  column.dimension = build.dimension;
  column.slot_count = static_cast<std::uint32_t>(build.order.size());
  column.stride = static_cast<std::uint32_t>(vector::code_stride(build.dimension));
  column.scale = build.scale;
  column.ef_construct = plan.hnsw.ef_construct;
  column.entry_upper = kNone;
  if (build.codes) column.flags |= kHasCodes;
  if (build.sketches) {
    column.flags |= kHasSketches;
    column.shortlist_shares = build.shortlist_shares;
  }
  if (!build.graph) return column;
  column.flags |= kHasGraph;
  column.m = build.graph->m;
  column.link_stride = build.graph->link_stride;
  column.entry_slot = build.graph->entry_slot;
  column.entry_upper = build.graph->entry_upper;
  column.max_level = build.graph->max_level;
  column.upper_count = static_cast<std::uint32_t>(build.graph->upper_nodes.size());
  column.upper_rows = column.upper_count == 0 ? 0 : build.graph->upper_offsets.back();
  return column;
}

Status check_plan(const segment::Segment& segment, const ColumnPlan& plan) {
  const auto& columns = segment.footer().columns;
  if (plan.column < columns.size() && columns[plan.column].kind == segment::VectorKind::kDense &&
      columns[plan.column].dimension > 0) {
    return {};
  }
  return fail(ErrorCode::kInvalidArgument, "column " + std::to_string(plan.column) + " of " +
                                               segment.file().path() +
                                               " is not a dense vector column");
}

Result<segment::FileInfo> write_index(Env& env, const std::string& path,
                                      const segment::Segment& segment,
                                      std::span<const ColumnPlan> plans,
                                      const BuildOptions& options) {
  IndexFooter footer;
  std::memcpy(footer.head.magic.data(), kIndexMagic.data(), kIndexMagic.size());
  footer.head.epoch = segment.footer().epoch;
  footer.head.seq = segment.footer().seq;
  footer.head.row_count = segment.row_count();
  footer.head.segment_trailer_crc32c = segment.file().trailer_crc32c();
  footer.head.column_count = static_cast<std::uint32_t>(plans.size());

  VZ_TRY_ASSIGN(auto out, segment::CheckedFileWriter::create(env, path, segment::FileKind::kIndex,
                                                             kIndexVersionNewest));
  for (const ColumnPlan& plan : plans) {
    VZ_TRY(check_plan(segment, plan));
    VZ_TRY_ASSIGN(const ColumnBuild build, build_column(segment, plan, options));
    footer.columns.push_back(describe(plan, build));
    VZ_TRY(ColumnWriter(*out, build, footer.columns.back()).run(segment.row_count()));
  }
  VZ_TRY(out->pad_to(kIndexAlignment));
  VZ_TRY(out->append(encode_index_footer(footer, out->offset())));
  if (options.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the build was stopped");
  return out->finish();
}

}  // namespace

Result<segment::FileInfo> build_index(Env& env, const std::string& path,
                                      const segment::Segment& segment,
                                      std::span<const ColumnPlan> plans,
                                      const BuildOptions& options) {
  VZ_ASSERT(plans.size() <= kIndexColumnsMax);
  try {
    return write_index(env, path, segment, plans, options);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kExhausted, path + ": not enough memory to build the index");
  }
}

}  // namespace vz::index
