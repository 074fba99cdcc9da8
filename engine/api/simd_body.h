// Request bodies read with simdjson on demand. Internal to the codecs: include it in the .cpp files
// codec_*.cpp only, for it brings simdjson in.
//
// Rules that hold for every body here: a field whose value is null counts as absent; of duplicate
// fields the last wins; fields that nobody knows are checked for syntax and ignored, as Qdrant
// does.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "engine/api/body_error.h"
#include "engine/limits.h"
#include "storage/base/ids.h"
#include "storage/base/status.h"

namespace vz::api::body {

namespace od = simdjson::ondemand;

inline tl::unexpected<Error> expected(std::string_view what) {
  return tl::unexpected<Error>(format_error("expected " + std::string(what)));
}

/// Calls on_field(key, value) -> Status for every field that is not null.
template <typename OnField>
Status each_field(od::value from, const OnField& on_field) {
  od::object object;
  if (from.get_object().get(object)) return expected("an object");
  for (auto entry : object) {
    od::field field;
    if (std::move(entry).get(field)) return expected("an object");
    std::string_view key;
    if (field.unescaped_key().get(key)) return expected("an object with UTF-8 keys");
    od::value value = field.value();
    bool absent = false;
    if (value.is_null().get(absent)) return expected("a value");
    if (absent) continue;
    if (Status read = on_field(key, value); !read)
      return tl::unexpected<Error>(within(std::move(read).error(), key));
  }
  return {};
}

/// Calls on_element(value, index) -> Status for every element.
template <typename OnElement>
Status each_element(od::value from, const OnElement& on_element) {
  od::array array;
  if (from.get_array().get(array)) return expected("an array");
  std::size_t index = 0;
  for (auto entry : array) {
    od::value value;
    if (std::move(entry).get(value)) return expected("an array");
    if (Status read = on_element(value, index); !read)
      return tl::unexpected<Error>(
          within(std::move(read).error(), "[" + std::to_string(index) + "]"));
    ++index;
  }
  return {};
}

Result<double> number(od::value value);
Result<std::uint64_t> unsigned_number(od::value value);
Result<bool> boolean(od::value value);
Result<std::string_view> text(od::value value);  ///< borrowed from the parser
Result<PointId> point_id(od::value value);
Result<std::vector<PointId>> point_ids(od::value value, std::size_t count_max);
Result<std::vector<std::string>> texts(od::value value);
/// Finite float32 numbers, appended to `out`.
Status floats(od::value value, std::vector<float>& out);
Result<std::vector<std::uint32_t>> indices(od::value value);
/// The source text of an object; its content is not checked here.
Result<std::string_view> object_source(od::value value);
/// Reads over a value, checking its syntax. Bounded by limits::kJsonDepthMax.
Status skip(od::value value, std::size_t depth = 0);
Result<od::json_type> type_of(od::value& value);

/// `value` as an unsigned number in [min, max]; 422 otherwise.
Result<std::size_t> bounded(od::value value, std::size_t min, std::size_t max);

using Decoder = Status (*)(od::value, void*);
Status decode_with(std::string& body, Decoder decoder, void* context);

/// Reads `body` (an empty one is {}) with decode(od::value) -> Status. `body` may get more
/// capacity. Errors: those of `decode` with their path complete; kInvalidArgument with the byte
/// offset if the body is not well-formed JSON.
template <typename Decode>
Status decode(std::string& body, Decode decode_root) {
  return decode_with(
      body, [](od::value root, void* context) { return (*static_cast<Decode*>(context))(root); },
      &decode_root);
}

}  // namespace vz::api::body
