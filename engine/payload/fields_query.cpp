#include "engine/payload/fields_query.h"

#include <algorithm>

#include "engine/payload/fields_state.h"
#include "engine/payload/filter_match.h"

namespace vz::payload {
namespace {

using index::RowSet;

template <typename T>
Number as_number(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return Number::real(value);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return Number::natural(value);
  } else {
    return Number::integer(value);
  }
}

/// Inserts the rows of the values in `range`. `as` makes a value comparable with its bounds.
template <typename T, typename Bound, typename As>
void unite_range(const Column& column, format::NumberListKind kind, const Range<Bound>& range,
                 const As& as, RowSet& out) {
  const std::span<const T> values = column.values<T>(kind);
  const auto below = [&](const T& value) {
    return (range.gt && as(value) <= *range.gt) || (range.gte && as(value) < *range.gte);
  };
  const auto not_above = [&](const T& value) {
    return (!range.lt || as(value) < *range.lt) && (!range.lte || as(value) <= *range.lte);
  };
  const auto first = std::partition_point(values.begin(), values.end(), below);
  const auto last = std::partition_point(first, values.end(), not_above);
  const std::span<const std::uint32_t> rows = column.rows_of(kind);
  for (auto i = first - values.begin(); i < last - values.begin(); ++i) {
    const std::uint32_t row = rows[static_cast<std::size_t>(i)];
    out.insert(row);
  }
}

void unite_numbers(const Column& column, const NumberRange& range, RowSet& out) {
  unite_range<std::int64_t>(column, format::kInts, range, as_number<std::int64_t>, out);
  unite_range<std::uint64_t>(column, format::kUints, range, as_number<std::uint64_t>, out);
  unite_range<double>(column, format::kDoubles, range, as_number<double>, out);
}

/// Index of the first term that is not below `text`.
std::uint64_t lower_term(const Column& column, std::string_view text) {
  std::uint64_t low = 0;
  std::uint64_t high = column.term_count();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (column.term(middle) < text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void unite_listed(const Column& column, const ValueList& list, RowSet& out) {
  for (const std::string& text : list.strings) {
    const std::uint64_t at = lower_term(column, text);
    if (at < column.term_count() && column.term(at) == text) {
      column.unite(column.rows_of_term(at), out);
    }
  }
  for (const Number& number : list.integers) {
    NumberRange same;
    same.gte = number;
    same.lte = number;
    if (number.kind == Number::Kind::kInt) {
      unite_range<std::int64_t>(column, format::kInts, same, as_number<std::int64_t>, out);
    } else {
      unite_range<std::uint64_t>(column, format::kUints, same, as_number<std::uint64_t>, out);
    }
  }
  if (list.boolean.has_value()) {
    column.unite(column.set(*list.boolean ? format::kTrue : format::kFalse), out);
  }
}

/// Inserts rows with a leaf that is not null and not listed, from all lists of the column.
void unite_unlisted_slowly(const Column& column, const ValueList& list, RowSet& out) {
  column.unite(column.set(format::kOther), out);
  column.unite(column.set(format::kFalse), out);  // `except` lists no bools
  column.unite(column.set(format::kTrue), out);
  for (std::uint64_t i = 0; i < column.term_count(); ++i) {
    if (!lists(list.strings, column.term(i))) column.unite(column.rows_of_term(i), out);
  }
  const auto numbers = [&]<typename T>(format::NumberListKind kind, T /*type*/) {
    const std::span<const T> values = column.values<T>(kind);
    const std::span<const std::uint32_t> rows = column.rows_of(kind);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!lists(list.integers, as_number(values[i]))) out.insert(rows[i]);
    }
  };
  numbers(format::kInts, std::int64_t{});
  numbers(format::kUints, std::uint64_t{});
  numbers(format::kDoubles, double{});
}

RowSet rows_except(const Column& column, const ValueList& list, std::uint32_t rows) {
  RowSet out(rows);
  RowSet listed(rows);
  RowSet many(rows);
  column.unite(column.set(format::kValued), out);
  column.unite(column.set(format::kMany), many);
  unite_listed(column, list, listed);
  bool unsure = false;  // a row with a listed leaf and another one
  for (std::size_t i = 0; i < out.words().size(); ++i) {
    unsure = unsure || (listed.words()[i] & many.words()[i]) != 0;
    out.words()[i] &= ~listed.words()[i];
  }
  if (unsure) unite_unlisted_slowly(column, list, out);
  return out;
}

bool has_long_string(const ValueList& list) {
  return std::any_of(list.strings.begin(), list.strings.end(),
                     [](const std::string& text) { return text.size() > format::kTermBytesMax; });
}

/// One row set of the column for each kind of test.
struct Answer {
  const Column& column;
  std::uint32_t rows;

  RowSet operator()(const ValueList& list) const {
    if (list.except) return rows_except(column, list, rows);
    RowSet out(rows);
    unite_listed(column, list, out);
    return out;
  }
  RowSet operator()(const NumberRange& range) const {
    RowSet out(rows);
    unite_numbers(column, range, out);
    return out;
  }
  RowSet operator()(const DatetimeRange& range) const {
    RowSet out(rows);
    unite_range<std::int64_t>(
        column, format::kDatetimes, static_cast<const Range<std::int64_t>&>(range),
        [](std::int64_t micros) { return micros; }, out);
    return out;
  }
  RowSet operator()(const IsEmpty& /*test*/) const {
    RowSet out(rows);
    column.unite(column.set(format::kNotEmpty), out);
    complement(out);
    return out;
  }
  RowSet operator()(const IsNull& /*test*/) const {
    RowSet out(rows);
    column.unite(column.set(format::kNull), out);
    return out;
  }
  RowSet operator()(const ValuesCount& /*test*/) const { return RowSet(rows); }  // not asked
};

}  // namespace

void complement(RowSet& out) {
  for (std::uint64_t& word : out.words()) word = ~word;
  const std::uint32_t used = out.rows() % 64;
  if (used != 0) out.words().back() &= (std::uint64_t{1} << used) - 1;
}

Result<std::optional<RowSet>> rows_by_column(const FieldCondition& condition,
                                             const FieldsFile& fields) {
  const FieldsFile::State& state = fields.state();
  FieldsFile::State::Entry* entry = state.find(condition.path_text);
  if (entry == nullptr || std::holds_alternative<ValuesCount>(condition.test)) return std::nullopt;
  const auto* list = std::get_if<ValueList>(&condition.test);
  if (list != nullptr && has_long_string(*list)) return std::nullopt;
  VZ_TRY_ASSIGN(const Column column, state.column(*entry));
  return std::optional<RowSet>(std::visit(Answer{column, state.rows}, condition.test));
}

}  // namespace vz::payload
