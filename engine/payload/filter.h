// Filters: a tree of conditions over payload, id and vectors, valid by construction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/index/row_filter.h"
#include "storage/base/ids.h"

namespace vz::payload {

struct FilterNode;  // engine/payload/filter_tree.h

/// Immutable and cheap to copy. A default one passes everything.
class Filter {
 public:
  Filter() = default;
  explicit Filter(std::shared_ptr<const FilterNode> root) : root_(std::move(root)) {}
  /// True if it passes every row.
  [[nodiscard]] bool empty() const { return root_ == nullptr; }
  [[nodiscard]] const FilterNode* root() const { return root_.get(); }

 private:
  std::shared_ptr<const FilterNode> root_;
};

/// Parses the JSON text of a filter (Qdrant's grammar; null and {} pass everything).
/// Errors: kInvalidArgument (unknown condition or key, wrong type; names it), kUnsupported (a
/// documented form that is not built yet; names it), kOutOfRange (depth, count).
Result<Filter> parse_filter(std::string_view json);

/// Passes rows with a value at `path`: not missing, not null, not an empty array.
/// Errors: kInvalidArgument (not a key path).
Result<Filter> has_value_at(std::string_view path);

/// A row's payload decoded once into a flat binary form, so that filters over a memtable parse no
/// JSON. Appends to `out`; deterministic.
void flatten(std::string_view canonical_payload, std::string& out);

/// One row under test.
struct RowUnderTest {
  PointId id;
  std::string_view flat;                    ///< made by flatten()
  const std::vector<std::string>* vectors;  ///< names of the vectors that the row has
};
bool matches(const Filter& filter, const RowUnderTest& row);

/// The rows of one segment as filters need them.
class FilterRows {
 public:
  virtual ~FilterRows() = default;
  [[nodiscard]] virtual std::uint32_t row_count() const = 0;
  [[nodiscard]] virtual PointId id(std::uint32_t row) const = 0;
  [[nodiscard]] virtual std::optional<std::uint32_t> find(PointId id) const = 0;
  [[nodiscard]] virtual bool has_vector(std::string_view name, std::uint32_t row) const = 0;
  virtual Result<std::string> payload(std::uint32_t row) const = 0;  ///< canonical text
};

class FieldsFile;  // engine/payload/fields_file.h

struct EvaluateStats {
  std::uint64_t rows_decoded = 0;  ///< payloads parsed because a field has no column
};
/// Rows that pass. `fields` may be null (then payloads are decoded).
/// Errors: kCorruption.
Result<index::RowSet> evaluate(const Filter& filter, const FilterRows& rows,
                               const FieldsFile* fields, EvaluateStats& stats);

}  // namespace vz::payload
