// A segment as its files are named.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/base/status.h"

namespace vz::offline {

/// "0001-00000007". seq is unique in a directory, unless two histories were put together.
struct SegmentName {
  Epoch epoch = 0;
  SegmentSeq seq = 0;
  friend auto operator<=>(const SegmentName&, const SegmentName&) = default;
};

/// Errors: kInvalidArgument, with an example of the form.
Result<SegmentName> parse_segment_name(std::string_view text);
std::string text_of(const SegmentName& name);

}  // namespace vz::offline
