// Shared by the files that parse filters: the flat JSON of a request with names for errors.
#pragma once

#include <string>
#include <string_view>

#include "engine/payload/filter_tree.h"
#include "engine/payload/flat.h"

namespace vz::payload {

/// Counts what a filter holds, so that its size has a bound.
class FilterBudget {
 public:
  /// Errors: kOutOfRange beyond limits::kFilterConditionsMax conditions and values.
  Status spend(std::size_t count);
  /// Errors: kOutOfRange beyond limits::kIdsPerReadMax ids.
  Status spend_ids(std::size_t count);

 private:
  std::size_t conditions_ = 0;
  std::size_t ids_ = 0;
};

/// "a string", "an object": for errors.
std::string_view type_name(FlatValue value);
std::string in_quotes(std::string_view text);
tl::unexpected<Error> bad_filter(const std::string& why);
/// kUnsupported, naming the form.
tl::unexpected<Error> not_yet(std::string_view form);

/// A condition object that has a `key`. Errors: as parse_filter.
Result<FieldCondition> parse_field_condition(FlatValue object, FilterBudget& budget);

/// The path of a `key`. Errors: kInvalidArgument.
Status parse_filter_key(FlatValue value, FieldCondition& into);

}  // namespace vz::payload
