// Our index on a real segment file: ColumnIndex, then rescoring in float32 as a collection does.
#pragma once

#include <memory>
#include <string>

#include "engine/index/index_file.h"
#include "storage/env/env.h"
#include "storage/segment/segment.h"
#include "tools/bench/data_set.h"
#include "tools/bench/subject.h"

namespace vz::bench {

struct IndexOptions {
  std::string directory;  ///< for the .seg and .index file; made if absent
  index::HnswParameters hnsw;
  unsigned threads = 2;
  std::size_t rescore = 40;  ///< candidates compared in float32; at most ef, at least k
  bool reuse = false;        ///< open the files that an earlier run of the same data left
};

class IndexUnderTest final : public Subject {
 public:
  /// Writes segment and index and opens them. Errors: those of the parts.
  static Result<std::unique_ptr<IndexUnderTest>> make(const DataSet& data,
                                                      const IndexOptions& options);

  [[nodiscard]] std::string name() const override { return "vectorizer"; }
  [[nodiscard]] double build_seconds() const override { return build_seconds_; }
  [[nodiscard]] std::uint64_t bytes() const override { return index_->column(0)->memory_bytes(); }
  [[nodiscard]] bool codes_on() const { return index_->column(0)->codes_on(); }
  void search(std::span<const float> query, std::size_t k, std::size_t ef,
              std::vector<std::uint32_t>& out) override;
  std::uint64_t count_evaluations(std::span<const float> query, std::size_t k,
                                  std::size_t ef) override;
  void search_filtered(std::span<const float> query, std::size_t k, std::size_t ef,
                       const index::RowFilter& filter, index::SearchMethod method,
                       std::vector<std::uint32_t>& out);
  [[nodiscard]] const index::CandidateStats& stats() const { return stats_; }
  void clear_stats() { stats_ = {}; }

 private:
  IndexUnderTest() = default;

  std::unique_ptr<Env> env_;
  std::unique_ptr<segment::Segment> segment_;
  std::unique_ptr<index::IndexFile> index_;
  vector::Distance distance_ = vector::Distance::kCosine;
  std::size_t rescore_ = 0;
  double build_seconds_ = 0;
  index::CandidateStats stats_;
  std::vector<index::Candidate> candidates_;
};

}  // namespace vz::bench
