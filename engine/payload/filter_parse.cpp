// The boolean part of the filter grammar: groups, and conditions that are not about one field.
#include "engine/payload/filter_parse.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/payload/canonical.h"
#include "engine/payload/filter.h"

namespace vz::payload {
namespace {

/// Each filter level costs an object and an array, and a condition three more.
constexpr std::size_t kFilterJsonDepthMax = 2 * limits::kFilterDepthMax + 8;

class FilterParser {
 public:
  Result<FilterGroup> group(FlatValue object, std::size_t depth) {
    if (depth > limits::kFilterDepthMax) {
      return fail(ErrorCode::kOutOfRange, "filter is nested deeper than " +
                                              std::to_string(limits::kFilterDepthMax) + " levels");
    }
    FilterGroup out;
    Status status;
    for_each_member(object, [&](const FlatMember& member) {
      status = clause(member, depth, out);
      return status.has_value();
    });
    VZ_TRY(std::move(status));
    return out;
  }

 private:
  Status clause(const FlatMember& member, std::size_t depth, FilterGroup& out) {
    const FlatValue value = member.value();
    if (member.key == "must") return conditions("must", value, depth, out.must);
    if (member.key == "should") return conditions("should", value, depth, out.should);
    if (member.key == "must_not") return conditions("must_not", value, depth, out.must_not);
    if (member.key == "min_should") return min_should(value, depth, out);
    return bad_filter("unknown filter condition '" + std::string(member.key) +
                      "'; expected must, should, must_not, min_should, key, is_empty, is_null, "
                      "has_id or has_vector");
  }

  Status conditions(std::string_view name, FlatValue value, std::size_t depth,
                    std::vector<FilterNode>& out) {
    if (value.is_null()) return {};
    if (value.is_object()) return condition(value, depth, out);
    if (!value.is_array()) {
      return bad_filter(in_quotes(name) + " must be a condition or a list of them, not " +
                        std::string(type_name(value)));
    }
    Status status;
    for_each_element(value, [&](FlatValue element) {
      status = condition(element, depth, out);
      return status.has_value();
    });
    return status;
  }

  Status min_should(FlatValue value, std::size_t depth, FilterGroup& out) {
    if (value.is_null()) return {};
    if (!value.is_object()) return bad_filter("'min_should' must be an object");
    bool counted = false;
    Status status;
    for_each_member(value, [&](const FlatMember& member) {
      const FlatValue part = member.value();
      if (member.key == "conditions") {
        status = conditions("min_should.conditions", part, depth, out.min_should);
      } else if (member.key == "min_count") {
        counted = part.tag() == FlatTag::kInt && part.number().i >= 0;
        if (counted) out.min_count = static_cast<std::uint64_t>(part.number().i);
      } else {
        status = bad_filter("unknown key '" + std::string(member.key) + "' in min_should");
      }
      return status.has_value();
    });
    VZ_TRY(std::move(status));
    if (!counted) return bad_filter("'min_should.min_count' must be an integer of at least 0");
    return {};
  }

  Status condition(FlatValue value, std::size_t depth, std::vector<FilterNode>& out) {
    VZ_TRY(budget_.spend(1));
    if (!value.is_object()) {
      return bad_filter("a filter condition must be an object, not " +
                        std::string(type_name(value)));
    }
    bool has_key = false;
    for_each_member(value, [&](const FlatMember& member) {
      has_key = has_key || member.key == "key";
      return true;
    });
    if (has_key) {
      VZ_TRY_ASSIGN(auto field, parse_field_condition(value, budget_));
      out.push_back({std::move(field)});
      return {};
    }
    if (value.count() == 1) {
      const FlatMember only(value.body());
      VZ_TRY_ASSIGN(const bool done, single(only, out));
      if (done) return {};
    } else {
      VZ_TRY(refuse_mixed(value));
    }
    VZ_TRY_ASSIGN(auto nested, group(value, depth + 1));
    out.push_back({std::move(nested)});
    return {};
  }

  /// A condition that is alone in its object. False: it is none of them.
  Result<bool> single(const FlatMember& member, std::vector<FilterNode>& out) {
    const FlatValue value = member.value();
    if (member.key == "is_empty" || member.key == "is_null") {
      VZ_TRY_ASSIGN(auto field, absence(member.key, value));
      out.push_back({std::move(field)});
      return true;
    }
    if (member.key == "has_id") {
      VZ_TRY_ASSIGN(auto ids, has_id(value));
      out.push_back({std::move(ids)});
      return true;
    }
    if (member.key == "has_vector") {
      if (!value.is_string()) return bad_filter("'has_vector' must be the name of a vector");
      out.push_back({HasVector{std::string(value.string())}});
      return true;
    }
    if (member.key == "nested" || member.key == "slice") return not_yet(member.key);
    return false;
  }

  static Status refuse_mixed(FlatValue object) {
    static constexpr std::string_view kAlone[] = {"is_empty",   "is_null", "has_id",
                                                  "has_vector", "nested",  "slice"};
    Status status;
    for_each_member(object, [&](const FlatMember& member) {
      if (std::find(std::begin(kAlone), std::end(kAlone), member.key) != std::end(kAlone)) {
        status = bad_filter(in_quotes(member.key) +
                            " must be alone in its condition; put the others beside it in 'must'");
      }
      return status.has_value();
    });
    return status;
  }

  /// {"is_empty": {"key": "a"}}
  static Result<FieldCondition> absence(std::string_view name, FlatValue value) {
    FieldCondition out;
    if (name == "is_empty") {
      out.test = IsEmpty{};
    } else {
      out.test = IsNull{};
    }
    if (!value.is_object() || value.count() != 1 || FlatMember(value.body()).key != "key") {
      return bad_filter(in_quotes(name) + " must be an object with one key, 'key'");
    }
    VZ_TRY(parse_filter_key(FlatMember(value.body()).value(), out));
    return out;
  }

  Result<HasId> has_id(FlatValue value) {
    if (!value.is_array()) return bad_filter("'has_id' must be a list of point ids");
    VZ_TRY(budget_.spend_ids(value.count()));
    HasId out;
    out.ids.reserve(value.count());
    Status status;
    for_each_element(value, [&](FlatValue element) {
      auto id = point_id(element);
      if (id.has_value()) {
        out.ids.push_back(*id);
      } else {
        status = tl::unexpected<Error>(std::move(id).error());
      }
      return status.has_value();
    });
    VZ_TRY(std::move(status));
    std::sort(out.ids.begin(), out.ids.end());
    out.ids.erase(std::unique(out.ids.begin(), out.ids.end()), out.ids.end());
    return out;
  }

  static Result<PointId> point_id(FlatValue value) {
    std::string shown(type_name(value));
    if (value.is_number()) {
      const Number number = value.number();
      if (number.kind == Number::Kind::kUint) return PointId::number(number.u);
      if (number.kind == Number::Kind::kInt && number.i >= 0) {
        return PointId::number(static_cast<std::uint64_t>(number.i));
      }
      if (number.kind == Number::Kind::kInt) shown = std::to_string(number.i);
    } else if (value.is_string()) {
      auto id = PointId::parse_uuid(value.string());
      if (id.has_value()) return id;
      static constexpr std::size_t kShownMax = 64;
      shown = std::string(value.string().substr(0, kShownMax));
    }
    return bad_filter("value " + shown +
                      " is not a valid point ID, valid values are either an unsigned integer or a "
                      "UUID");
  }

  FilterBudget budget_;
};

}  // namespace

Status FilterBudget::spend(std::size_t count) {
  conditions_ += count;
  if (conditions_ <= limits::kFilterConditionsMax) return {};
  return fail(ErrorCode::kOutOfRange, "filter has more than " +
                                          std::to_string(limits::kFilterConditionsMax) +
                                          " conditions and values");
}

Status FilterBudget::spend_ids(std::size_t count) {
  ids_ += count;
  if (ids_ <= limits::kIdsPerReadMax) return {};
  return fail(ErrorCode::kOutOfRange,
              "filter has more than " + std::to_string(limits::kIdsPerReadMax) + " ids in has_id");
}

std::string_view type_name(FlatValue value) {
  switch (value.tag()) {
    case FlatTag::kNull:
      return "null";
    case FlatTag::kFalse:
    case FlatTag::kTrue:
      return "a bool";
    case FlatTag::kInt:
    case FlatTag::kUint:
      return "an integer";
    case FlatTag::kDouble:
      return "a float";
    case FlatTag::kString:
      return "a string";
    case FlatTag::kArray:
      return "a list";
    case FlatTag::kObject:
      break;
  }
  return "an object";
}

std::string in_quotes(std::string_view text) {
  std::string out(1, '\'');
  out.append(text).push_back('\'');
  return out;
}

tl::unexpected<Error> bad_filter(const std::string& why) {
  return fail(ErrorCode::kInvalidArgument, why);
}

tl::unexpected<Error> not_yet(std::string_view form) {
  return fail(ErrorCode::kUnsupported,
              "filter condition '" + std::string(form) + "' is not supported yet");
}

Result<Filter> parse_filter(std::string_view json) {
  static const ScanLimits kLimits{"filter", kFilterJsonDepthMax, limits::kBodyBytesMax};
  VZ_TRY_ASSIGN(const std::string text, canonical_text(json, kLimits));
  std::string flat;
  VZ_TRY(flatten_checked(text, kLimits, flat));
  VZ_TRY_ASSIGN(FilterGroup root, FilterParser().group(flat_root(flat), 1));
  if (root.must.empty() && root.should.empty() && root.must_not.empty() && root.min_count == 0) {
    return Filter();
  }
  return Filter(std::make_shared<const FilterNode>(FilterNode{std::move(root)}));
}

Result<Filter> has_value_at(std::string_view path) {
  VZ_TRY_ASSIGN(KeyPath parsed, parse_key_path(path));
  FieldCondition condition{.path = {}, .path_text = key_path_text(parsed), .test = IsEmpty{}};
  condition.path = std::move(parsed);
  condition.negated = true;
  return Filter(std::make_shared<const FilterNode>(FilterNode{std::move(condition)}));
}

}  // namespace vz::payload
