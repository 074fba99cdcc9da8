// A filter over a segment: columns answer what they can, and payloads are decoded for the rows that
// are still possible and still undecided.
#include <algorithm>

#include "engine/payload/fields_file.h"
#include "engine/payload/fields_query.h"
#include "engine/payload/filter.h"
#include "engine/payload/filter_match.h"

namespace vz::payload {
namespace {

using index::RowSet;

/// Rows that may pass; exactly those that pass if `exact`.
struct Bound {
  RowSet rows;
  bool exact = true;
};

RowSet all_rows(std::uint32_t count) {
  RowSet out(count);
  complement(out);
  return out;
}

class Evaluator {
 public:
  Evaluator(const FilterRows& rows, const FieldsFile* fields)
      : rows_(rows), fields_(fields), count_(rows.row_count()) {}

  Result<Bound> bound(const FilterNode& node) const {
    if (const auto* group = std::get_if<FilterGroup>(&node.body)) return bound_of_group(*group);
    if (const auto* field = std::get_if<FieldCondition>(&node.body)) return bound_of_field(*field);
    Bound out{RowSet(count_), true};
    if (const auto* ids = std::get_if<HasId>(&node.body)) {
      for (const PointId& id : ids->ids) {
        const auto row = rows_.find(id);
        if (row.has_value()) out.rows.insert(*row);
      }
      return out;
    }
    const auto& vector = std::get<HasVector>(node.body);
    for (std::uint32_t row = 0; row < count_; ++row) {
      if (rows_.has_vector(vector.name, row)) out.rows.insert(row);
    }
    return out;
  }

 private:
  Result<Bound> bound_of_field(const FieldCondition& condition) const {
    if (fields_ == nullptr) return Bound{all_rows(count_), false};
    VZ_TRY_ASSIGN(auto answer, rows_by_column(condition, *fields_));
    if (!answer.has_value()) return Bound{all_rows(count_), false};
    if (condition.negated) complement(*answer);
    return Bound{std::move(*answer), true};
  }

  Result<Bound> bound_of_group(const FilterGroup& group) const {
    Bound out{all_rows(count_), true};
    for (const FilterNode& node : group.must) {
      VZ_TRY_ASSIGN(const Bound part, bound(node));
      keep(out, part);
    }
    for (const FilterNode& node : group.must_not) {
      VZ_TRY_ASSIGN(Bound part, bound(node));
      if (!part.exact) {
        out.exact = false;  // Rows that may fail the condition: any.
        continue;
      }
      complement(part.rows);
      keep(out, part);
    }
    if (!group.should.empty()) {
      VZ_TRY_ASSIGN(const Bound part, bound_of_count(group.should, 1));
      keep(out, part);
    }
    if (group.min_count > 0) {
      VZ_TRY_ASSIGN(const Bound part, bound_of_count(group.min_should, group.min_count));
      keep(out, part);
    }
    return out;
  }

  /// Rows that pass at least `wanted` (above 0) of `nodes`.
  Result<Bound> bound_of_count(const std::vector<FilterNode>& nodes, std::uint64_t wanted) const {
    Bound out{RowSet(count_), true};
    if (wanted > nodes.size()) return out;
    std::vector<std::uint32_t> passed(wanted > 1 ? count_ : 0);
    for (const FilterNode& node : nodes) {
      VZ_TRY_ASSIGN(const Bound part, bound(node));
      out.exact = out.exact && part.exact;
      if (wanted == 1) {
        for (std::size_t i = 0; i < out.rows.words().size(); ++i) {
          out.rows.words()[i] |= part.rows.words()[i];
        }
        continue;
      }
      for (std::uint32_t row = 0; row < count_; ++row) {
        if (part.rows.contains(row) && ++passed[row] == wanted) out.rows.insert(row);
      }
    }
    return out;
  }

  static void keep(Bound& out, const Bound& part) {
    out.exact = out.exact && part.exact;
    for (std::size_t i = 0; i < out.rows.words().size(); ++i) {
      out.rows.words()[i] &= part.rows.words()[i];
    }
  }

  const FilterRows& rows_;
  const FieldsFile* fields_;
  std::uint32_t count_;
};

/// The vector names that a filter asks for.
void collect_vectors(const FilterNode& node, std::vector<std::string>& out) {
  if (const auto* vector = std::get_if<HasVector>(&node.body)) out.push_back(vector->name);
  const auto* group = std::get_if<FilterGroup>(&node.body);
  if (group == nullptr) return;
  for (const auto* part : {&group->must, &group->should, &group->must_not, &group->min_should}) {
    for (const FilterNode& child : *part) collect_vectors(child, out);
  }
}

/// Takes the rows that do not pass out of `candidates`, by their payloads.
Status decide_by_payload(const FilterNode& root, const FilterRows& rows, RowSet& candidates,
                         EvaluateStats& stats) {
  std::vector<std::string> asked;
  collect_vectors(root, asked);
  std::vector<std::string> vectors;
  std::string flat;
  for (std::uint32_t row = 0; row < candidates.rows(); ++row) {
    if (!candidates.contains(row)) continue;
    VZ_TRY_ASSIGN(const std::string text, rows.payload(row));
    flat.clear();
    Status status = flatten_checked(text, flat);
    if (!status.has_value()) {
      return fail(ErrorCode::kCorruption,
                  "payload of row " + std::to_string(row) + ": " + status.error().message);
    }
    ++stats.rows_decoded;
    vectors.clear();
    for (const std::string& name : asked) {
      if (rows.has_vector(name, row)) vectors.push_back(name);
    }
    if (!passes(root, {rows.id(row), flat, &vectors})) candidates.erase(row);
  }
  return {};
}

}  // namespace

Result<RowSet> evaluate(const Filter& filter, const FilterRows& rows, const FieldsFile* fields,
                        EvaluateStats& stats) {
  if (filter.empty()) return all_rows(rows.row_count());
  // open() compared the row counts; other columns than this segment's are a bug of ours.
  VZ_ASSERT(fields == nullptr || fields->row_count() == rows.row_count());
  VZ_TRY_ASSIGN(Bound out, Evaluator(rows, fields).bound(*filter.root()));
  if (fields != nullptr && fields->file().failed()) {
    return fail(ErrorCode::kCorruption, fields->file().path() + ": a page could not be read");
  }
  if (!out.exact) VZ_TRY(decide_by_payload(*filter.root(), rows, out.rows, stats));
  return std::move(out.rows);
}

}  // namespace vz::payload
