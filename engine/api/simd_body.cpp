#include "engine/api/simd_body.h"

#include "engine/api/json_text.h"
#include "engine/api/status_map.h"

namespace vz::api::body {
namespace {

constexpr std::size_t kKeptParserBytesMax = 4u << 20;
constexpr std::size_t kShownBytesMax = 64;

std::string shown(od::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= 0x20) token.remove_suffix(1);
  return std::string(token.substr(0, kShownBytesMax));
}

tl::unexpected<Error> no_point_id(const std::string& found) {
  return tl::unexpected<Error>(
      format_error("value " + found +
                   " is not a valid point ID, valid values are either an unsigned integer or a "
                   "UUID"));
}

Status parse_and_decode(od::parser& parser, std::string& body, Decoder decoder, void* context) {
  od::document document;
  if (parser.iterate(body.data(), body.size(), body.capacity()).get(document))
    return expected("JSON");
  od::value root;
  if (document.get_value().get(root)) return expected("an object");
  VZ_TRY(decoder(root, context));
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
    return expected("nothing after the object");
  return {};
}

}  // namespace

Result<double> number(od::value value) {
  double read = 0;
  if (value.get_double().get(read)) return expected("a number");
  return read;
}

Result<std::uint64_t> unsigned_number(od::value value) {
  std::uint64_t read = 0;
  if (value.get_uint64().get(read)) return expected("an unsigned integer");
  return read;
}

Result<bool> boolean(od::value value) {
  bool read = false;
  if (value.get_bool().get(read)) return expected("true or false");
  return read;
}

Result<std::string_view> text(od::value value) {
  std::string_view read;
  if (value.get_string().get(read)) return expected("a string");
  return read;
}

Result<od::json_type> type_of(od::value& value) {
  od::json_type type{};
  if (value.type().get(type)) return expected("a value");
  return type;
}

Result<PointId> point_id(od::value value) {
  VZ_TRY_ASSIGN(const od::json_type type, type_of(value));
  if (type == od::json_type::number) {
    std::string found = shown(value);
    std::uint64_t read = 0;
    if (value.get_uint64().get(read)) return no_point_id(found);
    return PointId::number(read);
  }
  if (type == od::json_type::string) {
    VZ_TRY_ASSIGN(const std::string_view read, text(value));
    auto id = PointId::parse_uuid(read);
    if (!id) return no_point_id(std::string(read.substr(0, kShownBytesMax)));
    return *id;
  }
  return no_point_id(type == od::json_type::object  ? "{..}"
                     : type == od::json_type::array ? "[..]"
                                                    : shown(value));
}

Result<std::vector<PointId>> point_ids(od::value value, std::size_t count_max) {
  std::vector<PointId> ids;
  VZ_TRY(each_element(value, [&](od::value element, std::size_t) -> Status {
    if (ids.size() == count_max)
      return fail(ErrorCode::kOutOfRange, std::string(kValidationPrefix) + ": at most " +
                                              std::to_string(count_max) + " ids in one request]");
    VZ_TRY_ASSIGN(const PointId id, point_id(element));
    ids.push_back(id);
    return {};
  }));
  return ids;
}

Result<std::vector<std::string>> texts(od::value value) {
  std::vector<std::string> read;
  VZ_TRY(each_element(value, [&](od::value element, std::size_t) -> Status {
    VZ_TRY_ASSIGN(const std::string_view one, text(element));
    read.emplace_back(one);
    return {};
  }));
  return read;
}

Status floats(od::value value, std::vector<float>& out) {
  od::array array;
  if (value.get_array().get(array)) return expected("an array of numbers");
  const std::size_t first = out.size();
  for (auto element : array) {  // The hot loop: no path is built unless something is wrong.
    double read = 0;
    const bool ok = !element.get_double().get(read);
    const auto narrow = static_cast<float>(read);
    if (!ok || !std::isfinite(narrow)) {
      Error error = format_error(ok ? "expected a finite 32-bit number" : "expected a number");
      return tl::unexpected<Error>(
          within(std::move(error), "[" + std::to_string(out.size() - first) + "]"));
    }
    out.push_back(narrow);
  }
  return {};
}

Result<std::vector<std::uint32_t>> indices(od::value value) {
  std::vector<std::uint32_t> read;
  VZ_TRY(each_element(value, [&](od::value element, std::size_t) -> Status {
    VZ_TRY_ASSIGN(const std::uint64_t index, unsigned_number(element));
    if (index > UINT32_MAX) return expected("an index below 2^32");
    read.push_back(static_cast<std::uint32_t>(index));
    return {};
  }));
  return read;
}

Result<std::string_view> object_source(od::value value) {
  od::object object;
  if (value.get_object().get(object)) return expected("an object");
  std::string_view source;
  if (object.raw_json().get(source)) return expected("an object");
  while (!source.empty() && static_cast<unsigned char>(source.back()) <= 0x20)
    source.remove_suffix(1);
  // simdjson counts brackets here and does not look at their kinds: "{]" would end an object.
  if (!source.ends_with('}')) return expected("an object");
  return source;
}

Status skip(od::value value, std::size_t depth) {
  if (depth > limits::kJsonDepthMax)
    return tl::unexpected<Error>(
        format_error("nested deeper than " + std::to_string(limits::kJsonDepthMax) + " levels"));
  VZ_TRY_ASSIGN(const od::json_type type, type_of(value));
  switch (type) {
    case od::json_type::object:
      return each_field(value,
                        [&](std::string_view, od::value inner) { return skip(inner, depth + 1); });
    case od::json_type::array:
      return each_element(value,
                          [&](od::value inner, std::size_t) { return skip(inner, depth + 1); });
    case od::json_type::number:
      return number(value).map([](double) {});
    case od::json_type::string:
      return text(value).map([](std::string_view) {});
    case od::json_type::boolean:
      return boolean(value).map([](bool) {});
    case od::json_type::null: {
      bool is_null = false;
      if (value.is_null().get(is_null) || !is_null) return expected("a value");
      return {};
    }
  }
  return expected("a value");
}

Result<std::size_t> bounded(od::value value, std::size_t min, std::size_t max) {
  VZ_TRY_ASSIGN(const std::uint64_t read, unsigned_number(value));
  if (read < min)
    return tl::unexpected<Error>(
        range_error(std::to_string(read), "must be " + std::to_string(min) + " or larger"));
  if (read > max)
    return tl::unexpected<Error>(
        range_error(std::to_string(read),
                    "must be from " + std::to_string(min) + " to " + std::to_string(max)));
  return static_cast<std::size_t>(read);
}

Status decode_with(std::string& body, Decoder decoder, void* context) {
  fill_empty(body);
  if (body.capacity() - body.size() < simdjson::SIMDJSON_PADDING)
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  Status decoded;
  if (body.size() > kKeptParserBytesMax) {
    od::parser parser;
    decoded = parse_and_decode(parser, body, decoder, context);
  } else {
    // Kept by each io thread, so that a steady load does not allocate; its tables are about six
    // times as large as the body, hence the bound.
    thread_local od::parser parser;
    decoded = parse_and_decode(parser, body, decoder, context);
  }
  if (!decoded) return tl::unexpected<Error>(explained(std::move(decoded).error(), body));
  return {};
}

}  // namespace vz::api::body
