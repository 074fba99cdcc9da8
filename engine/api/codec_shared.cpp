#include "engine/api/codec_shared.h"

#include <array>

#include "engine/payload/payload.h"

namespace vz::api::body {
namespace {

using od::json_type;
using od::value;

Result<payload::Selection> read_with_payload(value field) {
  using Mode = payload::Selection::Mode;
  payload::Selection selection;
  VZ_TRY_ASSIGN(const json_type type, type_of(field));
  if (type == json_type::boolean) {
    VZ_TRY_ASSIGN(const bool all, boolean(field));
    selection.mode = all ? Mode::kAll : Mode::kNone;
    return selection;
  }
  if (type == json_type::array) {
    selection.mode = Mode::kInclude;
    VZ_TRY_ASSIGN(selection.keys, texts(field));
  } else if (type == json_type::object) {
    VZ_TRY(each_field(field, [&](std::string_view key, value inner) -> Status {
      if (key != "include" && key != "exclude") return expected("`include` or `exclude`");
      if (selection.mode != Mode::kNone) return expected("either `include` or `exclude`");
      selection.mode = key == "include" ? Mode::kInclude : Mode::kExclude;
      VZ_TRY_ASSIGN(selection.keys, texts(inner));
      return {};
    }));
    if (selection.mode == Mode::kNone) return expected("`include` or `exclude`");
  } else {
    return expected("true, false, a list of keys, {include} or {exclude}");
  }
  for (const std::string& key : selection.keys)
    if (Status path = payload::check_key_path(key); !path)
      return failed(adopted(std::move(path).error()));
  return selection;
}

Result<collection::VectorSelection> read_with_vector(value field) {
  using Mode = collection::VectorSelection::Mode;
  collection::VectorSelection selection;
  VZ_TRY_ASSIGN(const json_type type, type_of(field));
  if (type == json_type::boolean) {
    VZ_TRY_ASSIGN(const bool all, boolean(field));
    selection.mode = all ? Mode::kAll : Mode::kNone;
    return selection;
  }
  if (type != json_type::array) return expected("true, false or a list of vector names");
  selection.mode = Mode::kNamed;
  VZ_TRY_ASSIGN(selection.names, texts(field));
  return selection;
}

}  // namespace

Result<std::string> payload_text(od::value field) {
  VZ_TRY_ASSIGN(const std::string_view source, object_source(field));
  auto canonical = payload::canonical(source);
  if (!canonical) return failed(adopted(std::move(canonical).error()));
  return *std::move(canonical);
}

Result<payload::Filter> filter(od::value field) {
  VZ_TRY_ASSIGN(const std::string_view source, object_source(field));
  auto parsed = payload::parse_filter(source);
  if (!parsed) return failed(adopted(std::move(parsed).error()));
  return *std::move(parsed);
}

/// Fields that would change what a write means, and that are not built yet.
Status other_write_field(std::string_view key, od::value field) {
  if (key == "shard_key" || key == "update_filter")
    return failed(unsupported("`" + std::string(key) + "`"));
  return skip(field);
}

Status too_many_points() {
  return failed(
      within(range_error("more", "must be at most " + std::to_string(limits::kPointsPerWriteMax)),
             "number of points"));
}

/// Reads with_payload or with_vector. false: it is another field.
Result<bool> selection_field(std::string_view key, od::value field,
                             collection::PointSelection& selection) {
  if (key == "with_payload") {
    VZ_TRY_ASSIGN(selection.payload, read_with_payload(field));
    return true;
  }
  if (key == "with_vector" || key == "with_vectors") {
    VZ_TRY_ASSIGN(selection.vectors, read_with_vector(field));
    return true;
  }
  return false;
}

/// Fields that would change the answer, and that are not built yet; all else is ignored.
Status other_read_field(std::string_view key, od::value field) {
  constexpr std::array kUnbuilt{std::string_view("shard_key"),   std::string_view("lookup_from"),
                                std::string_view("order_by"),    std::string_view("group_by"),
                                std::string_view("with_lookup"), std::string_view("mmr")};
  for (const std::string_view name : kUnbuilt)
    if (key == name) return failed(unsupported("`" + std::string(key) + "`"));
  return skip(field);
}

payload::Selection whole_payload() {
  return {.mode = payload::Selection::Mode::kAll, .keys = {}};
}

}  // namespace vz::api::body
