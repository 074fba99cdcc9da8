// What a condition means for one row. Columns and payload decoding use the same functions.
#pragma once

#include "engine/payload/filter.h"
#include "engine/payload/filter_tree.h"
#include "engine/payload/flat.h"

namespace vz::payload {

bool is_empty_at(FlatValue root, const KeyPath& path);
bool is_null_at(FlatValue root, const KeyPath& path);
/// `integer` or not is decided by the token: 1.0 is in no list of integers.
bool lists(const std::vector<Number>& sorted, const Number& number);
bool lists(const std::vector<std::string>& sorted, std::string_view text);

bool passes(const FilterNode& node, const RowUnderTest& row);

}  // namespace vz::payload
