// Answers of columns: which rows pass a condition, without a payload.
#pragma once

#include <optional>

#include "engine/index/row_filter.h"
#include "engine/payload/fields_file.h"
#include "engine/payload/filter_tree.h"

namespace vz::payload {

/// Exactly the rows that pass `condition`, of its negation aside; nullopt if no column can tell:
/// there is none, the condition counts values, or it lists a string longer than a dictionary keeps.
/// Errors: kCorruption.
Result<std::optional<index::RowSet>> rows_by_column(const FieldCondition& condition,
                                                    const FieldsFile& fields);

/// out = every row that is not in it.
void complement(index::RowSet& out);

}  // namespace vz::payload
