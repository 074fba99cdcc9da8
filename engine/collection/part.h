// A part of a collection: a memtable or a segment. What search, scroll and edits need of either.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/collection/definition.h"
#include "engine/index/index_file.h"
#include "engine/index/row_filter.h"
#include "engine/payload/filter.h"
#include "storage/segment/segment.h"

namespace vz::collection {

/// Rows in a part are numbered from 0 and never move. Readers on any thread; mark_dead only on the
/// writer thread.
class Part {
 public:
  virtual ~Part() = default;

  /// Rows that a reader at `lsn` may look at; each of them may still be dead.
  [[nodiscard]] virtual std::uint32_t rows_at(Lsn lsn) const = 0;
  [[nodiscard]] virtual PointId id(std::uint32_t row) const = 0;
  [[nodiscard]] virtual Lsn version(std::uint32_t row) const = 0;
  [[nodiscard]] virtual std::uint64_t row_hash(std::uint32_t row) const = 0;
  /// The row of `id` that lives at `lsn`, if it is in this part.
  [[nodiscard]] virtual std::optional<std::uint32_t> find(PointId id, Lsn lsn) const = 0;
  virtual Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                           std::uint32_t row) const = 0;
  /// Dense vector, or nullptr if the row has none or its block is damaged (see damage()).
  [[nodiscard]] virtual const float* dense(std::size_t column, std::uint32_t row) const = 0;
  /// Asks for the dense vector before it is read; only a hint.
  virtual void prefetch_dense(std::size_t /*column*/, std::uint32_t /*row*/) const {}
  virtual Result<std::string> payload(std::uint32_t row) const = 0;

  /// Rows below rows_at(lsn) that pass, dead ones included.
  virtual Result<index::RowSet> evaluate(const payload::Filter& filter, Lsn lsn,
                                         payload::EvaluateStats& stats) const = 0;
  /// The best rows by approximate similarity; at least `request.wanted` if so many pass. Appends.
  virtual Status candidates(std::size_t column, vector::Distance distance,
                            const index::CandidateRequest& request,
                            std::vector<index::Candidate>& out,
                            index::CandidateStats& stats) const = 0;
  /// Appends up to `limit` rows that live at `lsn`, pass `allowed` (null: all) and have an id not
  /// below `from`, ascending by id.
  virtual void rows_from(const std::optional<PointId>& from, Lsn lsn, const index::RowSet* allowed,
                         std::size_t limit, std::vector<std::uint32_t>& out) const = 0;

  /// "" while all that was read was sound; else what is damaged. A result that was read before a
  /// non-empty answer must not leave.
  [[nodiscard]] virtual std::string damage() const = 0;

  [[nodiscard]] bool alive(std::uint32_t row, Lsn lsn) const {
    return version(row) <= lsn && !dead().dead_at(row, lsn);
  }
  [[nodiscard]] virtual const index::DeadLsns& dead() const = 0;
  virtual index::DeadLsns& dead() = 0;
};

}  // namespace vz::collection
