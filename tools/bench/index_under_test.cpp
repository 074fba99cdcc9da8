#include "tools/bench/index_under_test.h"

#include <algorithm>
#include <chrono>

namespace vz::bench {
namespace {

constexpr std::size_t kRowsToPrefetch = 4;

class MatrixRows final : public segment::RowSource {
 public:
  explicit MatrixRows(const Matrix& matrix) : matrix_(matrix) {}
  [[nodiscard]] std::uint32_t row_count() const override { return matrix_.rows; }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(row); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return row + 1; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return row; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t, std::uint32_t row) const override {
    return segment::VectorRef{.values = matrix_.row(row), .indices = {}};
  }
  Result<std::string_view> payload(std::uint32_t) const override { return std::string_view(); }

 private:
  const Matrix& matrix_;
};

}  // namespace

Result<std::unique_ptr<IndexUnderTest>> IndexUnderTest::make(const DataSet& data,
                                                             const IndexOptions& options) {
  auto out = std::unique_ptr<IndexUnderTest>(new IndexUnderTest());
  out->env_ = make_posix_env();
  out->distance_ = data.distance;
  out->rescore_ = options.rescore;
  VZ_TRY(out->env_->create_directory(options.directory));
  const std::string segment_path = options.directory + "/1-1.seg";
  const std::string index_path = options.directory + "/1-1.index";
  segment::Footer footer;
  footer.collection = 1;
  footer.collection_name = "bench";
  footer.definition_json = "{}";
  footer.epoch = 1;
  footer.seq = 1;
  footer.columns = {
      {.name = "", .kind = segment::VectorKind::kDense, .dimension = data.base.dimension}};
  if (!options.reuse)
    VZ_TRY(segment::write_segment(*out->env_, segment_path, footer, MatrixRows(data.base), {}));
  VZ_TRY_ASSIGN(out->segment_, segment::Segment::open(*out->env_, segment_path));

  const auto begin = std::chrono::steady_clock::now();
  const index::ColumnPlan plan = {.column = 0, .distance = data.distance, .hnsw = options.hnsw};
  if (!options.reuse) {
    VZ_TRY(index::build_index(*out->env_, index_path, *out->segment_, {&plan, 1},
                              {.threads = options.threads}));
  }
  VZ_TRY_ASSIGN(out->index_, index::IndexFile::open(*out->env_, index_path, *out->segment_));
  out->build_seconds_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return out;
}

void IndexUnderTest::search(std::span<const float> query, std::size_t k, std::size_t ef,
                            std::vector<std::uint32_t>& out) {
  search_filtered(query, k, ef, {}, index::SearchMethod::kByCost, out);
}

std::uint64_t IndexUnderTest::count_evaluations(std::span<const float> query, std::size_t k,
                                                std::size_t ef) {
  const std::uint64_t before = stats_.evaluations;
  std::vector<std::uint32_t> ignored;
  search(query, k, ef, ignored);
  return stats_.evaluations - before;
}

void IndexUnderTest::search_filtered(std::span<const float> query, std::size_t k, std::size_t ef,
                                     const index::RowFilter& filter, index::SearchMethod method,
                                     std::vector<std::uint32_t>& out) {
  candidates_.clear();
  const auto status = index_->column(0)->candidates({.query = query,
                                                     .wanted = std::max(k, std::min(rescore_, ef)),
                                                     .ef = ef,
                                                     .filter = filter,
                                                     .method = method},
                                                    candidates_, stats_);
  VZ_ASSERT(status.has_value());
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (i + kRowsToPrefetch < candidates_.size()) {
      segment_->prefetch_dense(0, candidates_[i + kRowsToPrefetch].row);
    }
    auto& candidate = candidates_[i];
    candidate.similarity = vector::similarity(distance_, query.data(),
                                              segment_->dense(0, candidate.row), query.size());
  }
  stats_.evaluations += candidates_.size();
  const std::size_t count = std::min(k, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count),
                    candidates_.end(), [](const auto& a, const auto& b) {
                      return a.similarity > b.similarity ||
                             (a.similarity == b.similarity && a.row < b.row);
                    });
  out.clear();
  for (std::size_t i = 0; i < count; ++i) out.push_back(candidates_[i].row);
}

}  // namespace vz::bench
