// A segment in service: its rows, its index and columns, and who has died since.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "engine/collection/part.h"
#include "engine/payload/fields_file.h"
#include "storage/base/mutex.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::collection {

/// The derived files of a segment that readers use; replaced whole when they are rebuilt.
struct Derived {
  std::unique_ptr<index::IndexFile> index;      ///< null: rows are compared in float32
  std::unique_ptr<payload::FieldsFile> fields;  ///< null: payloads are decoded
};

class SealedPart final : public Part, public payload::FilterRows {
 public:
  /// Opens the files that `entry` names. A derived file that is missing or damaged is left out
  /// (needs_rebuild() tells); rows that the entry's dead file names are dead from lsn 1 on. If that
  /// file is missing or damaged, deaths_lost() tells, and the caller uses recover_deaths().
  /// The index goes where `definition` wants it.
  /// Errors: kCorruption, kNotFound: of the segment file; kIoError.
  static Result<std::shared_ptr<SealedPart>> open(Env& env, const store::Paths& paths,
                                                  CollectionId collection,
                                                  const manifest::SegmentEntry& entry,
                                                  const CollectionDefinition& definition);

  [[nodiscard]] const segment::Segment& segment() const { return *segment_; }
  [[nodiscard]] SegmentSeq seq() const { return segment_->footer().seq; }
  [[nodiscard]] Epoch epoch() const { return segment_->footer().epoch; }
  [[nodiscard]] std::shared_ptr<const Derived> derived() const { return derived_.load(); }
  void set_derived(std::shared_ptr<const Derived> derived) {
    derived_.store(std::move(derived));
    derived_failed_.store(false, std::memory_order_relaxed);
  }
  /// A graph was built for it, or would not be: it needs no indexing.
  [[nodiscard]] bool settled() const;
  /// Its derived files have been built by size (index::GraphPolicy::kBySize).
  void mark_settled() { settled_.store(true, std::memory_order_relaxed); }
  /// A derived file was missing or damaged at open, or failed since.
  [[nodiscard]] bool needs_rebuild() const {
    return derived_failed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool deaths_lost() const { return deaths_lost_; }
  [[nodiscard]] bool has_graph() const;
  /// Live rows as of now.
  [[nodiscard]] std::uint32_t live_rows() const { return row_count() - dead_.count(); }
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// Memory that it takes, without what the kernel keeps of mapped files.
  [[nodiscard]] std::uint64_t memory_bytes() const;

  // Part
  [[nodiscard]] std::uint32_t rows_at(Lsn) const override { return row_count(); }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return segment_->id(row); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return segment_->version(row); }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override {
    return segment_->row_hash(row);
  }
  [[nodiscard]] std::optional<std::uint32_t> find(PointId id, Lsn lsn) const override;
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    return segment_->vector(column, row);
  }
  void prefetch_dense(std::size_t column, std::uint32_t row) const override {
    segment_->prefetch_dense(column, row);
  }
  [[nodiscard]] const float* dense(std::size_t column, std::uint32_t row) const override {
    return segment_->dense(column, row);
  }
  Result<std::string> payload(std::uint32_t row) const override { return segment_->payload(row); }
  Result<index::RowSet> evaluate(const payload::Filter& filter, Lsn lsn,
                                 payload::EvaluateStats& stats) const override;
  Status candidates(std::size_t column, vector::Distance distance,
                    const index::CandidateRequest& request, std::vector<index::Candidate>& out,
                    index::CandidateStats& stats) const override;
  void rows_from(const std::optional<PointId>& from, Lsn lsn, const index::RowSet* allowed,
                 std::size_t limit, std::vector<std::uint32_t>& out) const override;
  [[nodiscard]] std::string damage() const override;
  [[nodiscard]] const index::DeadLsns& dead() const override { return dead_; }
  index::DeadLsns& dead() override { return dead_; }

  // payload::FilterRows
  [[nodiscard]] std::uint32_t row_count() const override { return segment_->row_count(); }
  [[nodiscard]] std::optional<std::uint32_t> find(PointId id) const override {
    return segment_->find(id);
  }
  [[nodiscard]] bool has_vector(std::string_view name, std::uint32_t row) const override;

 private:
  SealedPart(std::unique_ptr<segment::Segment> segment, std::string path);

  Status read_deaths(Env& env, const store::Paths& paths, CollectionId collection,
                     const manifest::SegmentEntry& entry);

  const std::unique_ptr<segment::Segment> segment_;
  const std::string path_;
  index::DeadLsns dead_;
  bool deaths_lost_ = false;  ///< constant after open
  Published<Derived> derived_;
  /// A derived file failed while it served: searches go on in float32, and it is rebuilt.
  mutable std::atomic<bool> derived_failed_{false};
  std::atomic<bool> settled_{false};
};

/// Marks again which rows of a whole collection are dead, from the segments alone: of the rows and
/// tombstones of an id the newest wins. Needs memory for every id.
void recover_deaths(std::span<const std::shared_ptr<SealedPart>> segments);

}  // namespace vz::collection
