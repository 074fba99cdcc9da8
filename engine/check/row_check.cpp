#include "engine/check/row_check.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/collection/row_hash.h"
#include "engine/payload/payload.h"
#include "engine/vector/distance.h"

namespace vz::check {
namespace {

using segment::Segment;
using segment::VectorKind;

constexpr std::uint32_t kRowsPerStep = 1024;  ///< between two calls of Pace

/// Rows with one kind of damage.
struct Tally {
  std::uint64_t rows = 0;
  std::string first{};

  void add(std::uint32_t row, const PointId& id, const std::string& what) {
    if (rows++ == 0) first = fmt::format("row {}, id {}: {}", row, id.to_string(), what);
  }
  void report(const Run& run, NamedFile& file, FindingId id) const {
    if (rows == 0) return;
    run.report(file, id, {}, rows == 1 ? first : fmt::format("{}; {} rows in all", first, rows));
  }
};

class RowCheck {
 public:
  explicit RowCheck(const Segment& segment) : segment_(segment) {}

  /// The row's hash as the file says it.
  std::uint64_t check(std::uint32_t row) {
    const PointId id = segment_.id(row);
    const std::uint64_t recorded = segment_.row_hash(row);
    const bool vectors = read_vectors(row, id);
    const auto payload = segment_.payload(row);
    if (!payload) {
      payloads_.add(row, id, payload.error().message);
      return recorded;
    }
    const auto canonical = payload::canonical(*payload);
    if (!canonical) {
      payloads_.add(row, id, canonical.error().message);
    } else if (*canonical != *payload) {
      payloads_.add(row, id, "the text is not in the form that is stored");
    } else if (vectors) {
      const std::uint64_t computed = collection::row_hash(id, vectors_of_row_, *payload);
      if (computed != recorded)
        hashes_.add(row, id, fmt::format("expected {:016x}, found {:016x}", recorded, computed));
    }
    return recorded;
  }

  void report(const Run& run, NamedFile& file) const {
    vectors_.report(run, file, FindingId::kVector);
    payloads_.report(run, file, FindingId::kPayload);
    hashes_.report(run, file, FindingId::kRowHash);
  }

 private:
  /// Fills vectors_of_row_. False if one of them cannot be read or is invalid.
  bool read_vectors(std::uint32_t row, const PointId& id) {
    vectors_of_row_.clear();
    bool valid = true;
    for (std::size_t column = 0; column < segment_.footer().columns.size(); ++column) {
      const auto vector = segment_.vector(column, row);
      if (vector && !vector->has_value()) continue;
      const std::string problem =
          vector ? problem_of(segment_.footer().columns[column], **vector) : vector.error().message;
      if (problem.empty()) {
        vectors_of_row_.push_back({column, **vector});
        continue;
      }
      const std::string& name = segment_.footer().columns[column].name;
      vectors_.add(row, id, name.empty() ? problem : fmt::format("vector {}: {}", name, problem));
      valid = false;
    }
    return valid;
  }

  const Segment& segment_;
  std::vector<collection::ColumnVector> vectors_of_row_;
  Tally vectors_;
  Tally payloads_;
  Tally hashes_;
};

}  // namespace

std::string problem_of(const segment::VectorColumn& column, const segment::VectorRef& vector) {
  const std::size_t size = vector.values.size();
  if (!vector::all_finite(vector.values)) return "a value is not finite";
  if (column.kind == VectorKind::kDense && size != column.dimension)
    return fmt::format("expected {} values, found {}", column.dimension, size);
  if (column.kind == VectorKind::kMulti && (column.dimension == 0 || size % column.dimension != 0))
    return fmt::format("expected a multiple of {} values, found {}", column.dimension, size);
  if (column.kind != VectorKind::kSparse) return "";
  for (std::size_t i = 1; i < vector.indices.size(); ++i)
    if (vector.indices[i - 1] >= vector.indices[i]) return "its indices are not ascending";
  return "";
}

LiveRows check_rows(const Run& run, NamedFile& file, const Segment& segment,
                    std::span<const std::uint32_t> dead) {
  LiveRows live;
  RowCheck rows(segment);
  const std::uint32_t count = segment.row_count();
  const std::uint64_t bytes_per_row = count == 0 ? 0 : file.info.size_bytes / count;
  auto next_dead = dead.begin();
  for (std::uint32_t row = 0; row < count && !run.pace.stopped(); ++row) {
    const std::uint64_t hash = rows.check(row);
    if (next_dead != dead.end() && *next_dead == row) {
      ++next_dead;
    } else {
      ++live.points;
      live.digest += hash;
    }
    if ((row + 1) % kRowsPerStep == 0) run.pace.spend(bytes_per_row * kRowsPerStep);
  }
  run.pace.spend(file.info.size_bytes - bytes_per_row * (count - count % kRowsPerStep));
  rows.report(run, file);
  if (!file.damaged && segment.failed()) {
    run.report(file, FindingId::kSegmentStructure, {}, "a page of the file cannot be read");
  }
  live.known = !file.damaged && !run.pace.stopped();
  return live;
}

}  // namespace vz::check
