#include "tools/offline/check_state.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "storage/base/bytes.h"
#include "tools/offline/json_number.h"

namespace vz::offline {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSchema = "vectorizerctl.data.check.state/1";
constexpr std::uint64_t kStateBytesMax = 1u << 30;

ordered_json json_of(const check::Finding& finding) {
  return {{"id", static_cast<unsigned>(finding.id)},
          {"file", finding.file},
          {"offset", finding.offset},
          {"length", finding.length},
          {"collection", finding.collection},
          {"message", finding.message}};
}

/// Errors by exception: nlohmann's, caught in decode_check_state.
check::Finding finding_of(const ordered_json& json) {
  const auto number = whole_number<unsigned>(json.at("id"));
  const auto kinds = check::finding_kinds();
  const auto kind = std::find_if(
      kinds.begin(), kinds.end(),
      [number](const check::FindingKind& one) { return static_cast<unsigned>(one.id) == number; });
  if (kind == kinds.end()) throw nlohmann::json::other_error::create(501, "id", nullptr);
  return {.id = kind->id,
          .severity = kind->severity,
          .damage = kind->damage,
          .file = json.at("file"),
          .offset = whole_number<std::uint64_t>(json.at("offset")),
          .length = whole_number<std::uint64_t>(json.at("length")),
          .collection = json.at("collection"),
          .message = json.at("message")};
}

}  // namespace

std::string encode_check_state(const CheckState& state) {
  ordered_json out = {{"schema", kSchema}, {"about", state.about}, {"seed", state.seed}};
  out["done"] = state.done;
  out["segments"] = ordered_json::array();
  for (const auto& [key, rows] : state.segments) {
    out["segments"].push_back({{"segment", key},
                               {"known", rows.known},
                               {"points", rows.points},
                               {"digest", rows.digest}});
  }
  out["findings"] = ordered_json::array();
  for (const check::Finding& finding : state.findings) out["findings"].push_back(json_of(finding));
  return out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<CheckState> decode_check_state(std::string_view text) {
  try {
    const auto json = ordered_json::parse(text);
    if (json.at("schema") != kSchema)
      return fail(ErrorCode::kInvalidArgument, "expected the schema " + std::string(kSchema));
    CheckState state{.about = json.at("about"),
                     .seed = whole_number<std::uint64_t>(json.at("seed"))};
    for (const auto& key : json.at("done")) state.done.insert(key.get<std::string>());
    for (const auto& one : json.at("segments")) {
      state.segments[one.at("segment").get<std::string>()] = {
          .known = one.at("known"),
          .points = whole_number<std::uint64_t>(one.at("points")),
          .digest = whole_number<std::uint64_t>(one.at("digest"))};
    }
    for (const auto& one : json.at("findings")) state.findings.push_back(finding_of(one));
    return state;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInvalidArgument, error.what());
  }
}

Result<CheckState> load_check_state(Env& env, const std::string& path) {
  if (!env.exists(path)) return CheckState{};
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, path, kStateBytesMax));
  auto state = decode_check_state(as_text(bytes));
  if (state) return state;
  return fail(ErrorCode::kInvalidArgument, path + " is not the state of a check (" +
                                               state.error().message +
                                               "): name another file, or remove it to begin anew");
}

Status save_check_state(Env& env, const std::string& path, const CheckState& state) {
  return publish_file(env, path, as_bytes(encode_check_state(state)));
}

}  // namespace vz::offline
