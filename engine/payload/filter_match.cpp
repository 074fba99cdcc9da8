#include "engine/payload/filter_match.h"

#include <algorithm>

#include "engine/payload/datetime.h"

namespace vz::payload {
namespace {

bool listed(const ValueList& list, FlatValue value) {
  if (value.is_string()) return !list.strings.empty() && lists(list.strings, value.string());
  if (value.is_number()) return !list.integers.empty() && lists(list.integers, value.number());
  return value.is_bool() && list.boolean.has_value() &&
         *list.boolean == (value.tag() == FlatTag::kTrue);
}

struct LeafTest {
  FlatValue value;

  bool operator()(const ValueList& list) const {
    if (list.except) return !value.is_null() && !listed(list, value);
    return listed(list, value);
  }
  bool operator()(const NumberRange& range) const {
    return value.is_number() && range.contains(value.number());
  }
  bool operator()(const DatetimeRange& range) const {
    if (!value.is_string()) return false;
    const auto moment = parse_datetime(value.string());
    return moment.has_value() && range.contains(*moment);
  }
};

template <typename Test>
bool any_leaf(FlatValue root, const KeyPath& path, const Test& test) {
  return !values_at(root, path, [&](FlatValue value) {
    return leaves_of(value, [&](FlatValue leaf) { return !LeafTest{leaf}(test); });
  });
}

bool count_passes(FlatValue root, const KeyPath& path, const ValuesCount& range) {
  bool missing = true;
  const bool found = !values_at(root, path, [&](FlatValue value) {
    missing = false;
    const std::uint64_t count = value.is_null() ? 0 : value.is_array() ? value.count() : 1;
    return !range.contains(count);
  });
  return found || (missing && range.contains(0));
}

bool field_passes(const FieldCondition& condition, FlatValue root) {
  const KeyPath& path = condition.path;
  const auto test = [&](const auto& what) {
    using Test = std::decay_t<decltype(what)>;
    if constexpr (std::is_same_v<Test, IsEmpty>) {
      return is_empty_at(root, path);
    } else if constexpr (std::is_same_v<Test, IsNull>) {
      return is_null_at(root, path);
    } else if constexpr (std::is_same_v<Test, ValuesCount>) {
      return count_passes(root, path, what);
    } else {
      return any_leaf(root, path, what);
    }
  };
  return std::visit(test, condition.test) != condition.negated;
}

bool group_passes(const FilterGroup& group, const RowUnderTest& row) {
  const auto passing = [&](const FilterNode& node) { return passes(node, row); };
  if (!std::all_of(group.must.begin(), group.must.end(), passing)) return false;
  if (std::any_of(group.must_not.begin(), group.must_not.end(), passing)) return false;
  if (!group.should.empty() && std::none_of(group.should.begin(), group.should.end(), passing)) {
    return false;
  }
  std::uint64_t wanted = group.min_count;
  for (auto node = group.min_should.begin(); wanted > 0 && node != group.min_should.end(); ++node) {
    if (passes(*node, row)) --wanted;
  }
  return wanted == 0;
}

}  // namespace

bool lists(const std::vector<Number>& sorted, const Number& number) {
  return number.is_integer() && std::binary_search(sorted.begin(), sorted.end(), number);
}

bool lists(const std::vector<std::string>& sorted, std::string_view text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}

bool is_empty_at(FlatValue root, const KeyPath& path) {
  return values_at(root, path, [](FlatValue value) {
    return value.is_null() || (value.is_array() && value.count() == 0);
  });
}

bool is_null_at(FlatValue root, const KeyPath& path) {
  return !values_at(root, path, [](FlatValue value) {
    return leaves_of(value, [](FlatValue leaf) { return !leaf.is_null(); });
  });
}

bool passes(const FilterNode& node, const RowUnderTest& row) {
  if (const auto* field = std::get_if<FieldCondition>(&node.body)) {
    return field_passes(*field, flat_root(row.flat));
  }
  if (const auto* group = std::get_if<FilterGroup>(&node.body)) return group_passes(*group, row);
  if (const auto* ids = std::get_if<HasId>(&node.body)) {
    return std::binary_search(ids->ids.begin(), ids->ids.end(), row.id);
  }
  const auto& vector = std::get<HasVector>(node.body);
  return row.vectors != nullptr &&
         std::find(row.vectors->begin(), row.vectors->end(), vector.name) != row.vectors->end();
}

bool matches(const Filter& filter, const RowUnderTest& row) {
  return filter.empty() || passes(*filter.root(), row);
}

}  // namespace vz::payload
