// A ColumnIndex over a validated view. Internal to engine/index.
#pragma once

#include <memory>

#include "engine/index/column_view.h"
#include "engine/index/index_file.h"

namespace vz::index {

/// `view`, `file` and `segment` must outlive the result.
std::unique_ptr<ColumnIndex> make_column_index(const ColumnView& view, std::size_t column,
                                               const segment::CheckedFile& file,
                                               const segment::Segment& segment);

}  // namespace vz::index
