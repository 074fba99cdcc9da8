// Field conditions: {"key": path, "match" | "range" | "values_count" | "is_empty" | "is_null":
// ...}.
#include <algorithm>

#include "engine/payload/datetime.h"
#include "engine/payload/filter_parse.h"

namespace vz::payload {
namespace {

/// Calls take(key, value) -> Status for the members of `object` that are not null.
template <typename Take>
Status each_given(std::string_view name, FlatValue object, const Take& take) {
  if (!object.is_object()) {
    return bad_filter(in_quotes(name) + " must be an object, not " +
                      std::string(type_name(object)));
  }
  Status status;
  for_each_member(object, [&](const FlatMember& member) {
    if (!member.value().is_null()) status = take(member.key, member.value());
    return status.has_value();
  });
  return status;
}

std::string unknown_in(std::string_view key, std::string_view where, std::string_view expected) {
  return "unknown key '" + std::string(key) + "' in '" + std::string(where) + "'; expected " +
         std::string(expected);
}

Status add_scalar(std::string_view form, FlatValue value, ValueList& out) {
  if (value.is_string()) {
    out.strings.emplace_back(value.string());
  } else if (value.is_number() && value.number().is_integer()) {
    out.integers.push_back(value.number());
  } else {
    return bad_filter("'match." + std::string(form) + "' takes strings or integers, not " +
                      std::string(type_name(value)));
  }
  return {};
}

/// The list of `any` or `except`: all strings or all integers, as Qdrant has it.
Status add_list(std::string_view form, FlatValue value, FilterBudget& budget, ValueList& out) {
  if (!value.is_array()) {
    return bad_filter("'match." + std::string(form) + "' must be a list, not " +
                      std::string(type_name(value)));
  }
  VZ_TRY(budget.spend(value.count()));
  Status status;
  for_each_element(value, [&](FlatValue element) {
    status = add_scalar(form, element, out);
    return status.has_value();
  });
  VZ_TRY(std::move(status));
  if (!out.strings.empty() && !out.integers.empty()) {
    return bad_filter("'match." + std::string(form) + "' mixes strings and integers");
  }
  return {};
}

void sort_unique(ValueList& list) {
  std::sort(list.strings.begin(), list.strings.end());
  list.strings.erase(std::unique(list.strings.begin(), list.strings.end()), list.strings.end());
  std::sort(list.integers.begin(), list.integers.end());
  list.integers.erase(
      std::unique(list.integers.begin(), list.integers.end(),
                  [](const Number& a, const Number& b) { return compare(a, b) == 0; }),
      list.integers.end());
}

Result<FieldTest> parse_match(FlatValue object, FilterBudget& budget) {
  ValueList list;
  int forms = 0;
  VZ_TRY(each_given("match", object, [&](std::string_view key, FlatValue value) -> Status {
    ++forms;
    if (key == "value") {
      if (value.is_bool()) {
        list.boolean = value.tag() == FlatTag::kTrue;
        return {};
      }
      return add_scalar(key, value, list);
    }
    if (key == "any" || key == "except") {
      list.except = key == "except";
      return add_list(key, value, budget, list);
    }
    if (key == "text" || key == "text_any" || key == "phrase" || key == "prefix") {
      return not_yet("match." + std::string(key));
    }
    return bad_filter(
        unknown_in(key, "match", "value, any, except, text, text_any, phrase or prefix"));
  }));
  if (forms != 1) return bad_filter("'match' must hold exactly one of value, any and except");
  sort_unique(list);
  return FieldTest(std::move(list));
}

template <typename T>
std::optional<T>* bound(Range<T>& range, std::string_view key) {
  if (key == "lt") return &range.lt;
  if (key == "lte") return &range.lte;
  if (key == "gt") return &range.gt;
  if (key == "gte") return &range.gte;
  return nullptr;
}

Result<FieldTest> parse_range(FlatValue object) {
  NumberRange numbers;
  DatetimeRange moments;
  int number_bounds = 0;
  int moment_bounds = 0;
  VZ_TRY(each_given("range", object, [&](std::string_view key, FlatValue value) -> Status {
    std::optional<Number>* as_number = bound(numbers, key);
    if (as_number == nullptr) {
      return bad_filter(unknown_in(key, "range", "lt, lte, gt or gte"));
    }
    if (value.is_number()) {
      *as_number = value.number();
      ++number_bounds;
      return {};
    }
    if (!value.is_string()) {
      return bad_filter("'range." + std::string(key) +
                        "' must be a number or an RFC 3339 datetime, not " +
                        std::string(type_name(value)));
    }
    const auto moment = parse_datetime(value.string());
    if (!moment.has_value()) {
      static constexpr std::size_t kShownMax = 64;
      return bad_filter("'range." + std::string(key) + "': '" +
                        std::string(value.string().substr(0, kShownMax)) +
                        "' is not an RFC 3339 datetime");
    }
    *bound<std::int64_t>(moments, key) = *moment;
    ++moment_bounds;
    return {};
  }));
  if (number_bounds > 0 && moment_bounds > 0) {
    return bad_filter("'range' mixes numbers and datetimes");
  }
  if (number_bounds + moment_bounds == 0) {
    return bad_filter("'range' needs at least one of lt, lte, gt and gte");
  }
  if (number_bounds > 0) return FieldTest(numbers);
  return FieldTest(moments);
}

Result<FieldTest> parse_values_count(FlatValue object) {
  ValuesCount range;
  int bounds = 0;
  VZ_TRY(each_given("values_count", object, [&](std::string_view key, FlatValue value) -> Status {
    std::optional<std::uint64_t>* to = bound<std::uint64_t>(range, key);
    if (to == nullptr) return bad_filter(unknown_in(key, "values_count", "lt, lte, gt or gte"));
    if (value.tag() != FlatTag::kInt || value.number().i < 0) {
      return bad_filter("'values_count." + std::string(key) +
                        "' must be an integer of at least 0, not " + std::string(type_name(value)));
    }
    *to = static_cast<std::uint64_t>(value.number().i);
    ++bounds;
    return {};
  }));
  if (bounds == 0) return bad_filter("'values_count' needs at least one of lt, lte, gt and gte");
  return FieldTest(range);
}

Result<FieldTest> parse_test(std::string_view key, FlatValue value, FilterBudget& budget,
                             bool& negated) {
  if (key == "match") return parse_match(value, budget);
  if (key == "range") return parse_range(value);
  if (key == "values_count") return parse_values_count(value);
  if (key == "is_empty" || key == "is_null") {
    if (!value.is_bool()) {
      return bad_filter(in_quotes(key) + " beside 'key' must be true or false");
    }
    negated = value.tag() == FlatTag::kFalse;
    if (key == "is_empty") return FieldTest(IsEmpty{});
    return FieldTest(IsNull{});
  }
  if (key == "geo_radius" || key == "geo_bounding_box" || key == "geo_polygon") {
    return not_yet(key);
  }
  return bad_filter("unknown filter condition '" + std::string(key) +
                    "' beside 'key'; expected match, range, values_count, is_empty, is_null, "
                    "geo_radius, geo_bounding_box or geo_polygon");
}

}  // namespace

Status parse_filter_key(FlatValue value, FieldCondition& into) {
  if (!value.is_string()) {
    return bad_filter("'key' must be a string, not " + std::string(type_name(value)));
  }
  VZ_TRY_ASSIGN(into.path, parse_key_path(value.string()));
  into.path_text = key_path_text(into.path);
  return {};
}

Result<FieldCondition> parse_field_condition(FlatValue object, FilterBudget& budget) {
  FieldCondition out;
  int tests = 0;
  VZ_TRY(each_given("condition", object, [&](std::string_view key, FlatValue value) -> Status {
    if (key == "key") return parse_filter_key(value, out);
    VZ_TRY_ASSIGN(out.test, parse_test(key, value, budget, out.negated));
    ++tests;
    return {};
  }));
  if (out.path.empty()) return bad_filter("'key' must be a string, not null");
  // Qdrant would pass a row that meets any of them, which nobody who writes two expects.
  if (tests != 1) {
    return bad_filter("the condition on key '" + out.path_text + "' holds " +
                      std::to_string(tests) +
                      " tests; expected one, put others beside it in 'must' or 'should'");
  }
  return out;
}

}  // namespace vz::payload
