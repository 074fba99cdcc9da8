// The tree of a parsed filter. Immutable after parse_filter(); valid by construction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/payload/key_path.h"
#include "engine/payload/number.h"
#include "storage/base/ids.h"

namespace vz::payload {

/// match value, any and except. `strings` and `integers` are sorted and without duplicates.
struct ValueList {
  std::vector<std::string> strings;
  std::vector<Number> integers;
  std::optional<bool> boolean;
  bool except = false;  ///< passes a value that is not null and not listed
};

/// A missing bound does not constrain.
template <typename T>
struct Range {
  std::optional<T> lt, lte, gt, gte;

  [[nodiscard]] bool contains(const T& value) const {
    return (!lt || value < *lt) && (!lte || value <= *lte) && (!gt || *gt < value) &&
           (!gte || *gte <= value);
  }
};
using NumberRange = Range<Number>;
/// Microseconds of parse_datetime(), over strings that are datetimes.
struct DatetimeRange : Range<std::int64_t> {};
/// Over the count of values: elements of an array, 0 for null or missing, else 1.
struct ValuesCount : Range<std::uint64_t> {};
/// Missing, null or an empty array: at every place that the path leads to.
struct IsEmpty {};
/// Null, or an array with a null in it: at some place that the path leads to.
struct IsNull {};

using FieldTest = std::variant<ValueList, NumberRange, DatetimeRange, ValuesCount, IsEmpty, IsNull>;

struct FieldCondition {
  KeyPath path;
  std::string path_text;  ///< key_path_text(path): the name of its column
  FieldTest test;
  bool negated = false;  ///< {is_empty: false} and {is_null: false}
};

struct HasId {
  std::vector<PointId> ids;  ///< sorted
};
struct HasVector {
  std::string name;
};

struct FilterNode;

/// must: all pass; must_not: none passes; should: empty or one passes; min_should: that many pass.
struct FilterGroup {
  std::vector<FilterNode> must;
  std::vector<FilterNode> should;
  std::vector<FilterNode> must_not;
  std::vector<FilterNode> min_should;
  std::uint64_t min_count = 0;
};

struct FilterNode {
  std::variant<FilterGroup, FieldCondition, HasId, HasVector> body;
};

}  // namespace vz::payload
