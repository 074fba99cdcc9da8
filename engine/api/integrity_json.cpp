#include "engine/api/integrity_json.h"

#include <algorithm>
#include <string_view>

#include "engine/api/cold_body.h"
#include "engine/api/json_text.h"

namespace vz::api {
namespace {

constexpr std::size_t kTailBytes = 1'024;  ///< what comes behind the findings

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  append_string(out, name);
  out += ':';
  append_number(out, value);
  out += ',';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_string(out, name);
  out += ':';
  append_string(out, value);
  out += ',';
}

void append_finding(std::string& out, const node::IntegrityFinding& finding) {
  out += '{';
  append_member(out, "id", check::id_text(finding.what.id));
  append_member(out, "severity", check::severity_name(finding.what.severity));
  append_member(out, "damage", check::damage_name(finding.what.damage));
  append_member(out, "collection", finding.what.collection);
  append_member(out, "file", finding.what.file);
  append_member(out, "offset", finding.what.offset);
  append_member(out, "length", finding.what.length);
  append_member(out, "message", finding.what.message);
  out += finding.mended ? "\"mended\":true," : "\"mended\":false,";
  append_member(out, "done", finding.done);
  out.back() = '}';
}

Result<std::vector<std::string>> read_collections(const json& value) {
  if (!value.is_array()) return wrong_type("collections", "an array of names");
  if (value.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "collections: expected at least one name; leave it out to check all");
  }
  std::vector<std::string> names;
  std::size_t bytes = 0;
  for (const json& one : value) {
    VZ_TRY_ASSIGN(names.emplace_back(), read_text(one, "collections"));
    bytes += names.back().size() + 1;
  }
  // They are the job's object.
  if (bytes > limits::kJobTextBytesMax) {
    return fail(ErrorCode::kOutOfRange, "collections: names of " + std::to_string(bytes) +
                                            " bytes, the limit is " +
                                            std::to_string(limits::kJobTextBytesMax) +
                                            " (kJobTextBytesMax); leave it out to check all");
  }
  return names;
}

Result<std::uint64_t> read_rate(const json& value) {
  VZ_TRY_ASSIGN(const std::uint32_t mb, read_u32(value, "rate_limit_mb_per_s"));
  if (mb >= 1 && mb <= limits::kCheckRateMbMax) return std::uint64_t{mb} * 1'000'000;
  return fail(ErrorCode::kOutOfRange, "rate_limit_mb_per_s: value " + std::to_string(mb) +
                                          " invalid, must be from 1 to " +
                                          std::to_string(limits::kCheckRateMbMax));
}

}  // namespace

Result<node::IntegrityRequest> decode_integrity_request(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  node::IntegrityRequest request;
  for (const auto& [key, value] : object.items()) {
    if (key == "collections") {
      VZ_TRY_ASSIGN(request.collections, read_collections(value));
    } else if (key == "deep") {
      if (!value.is_boolean()) return wrong_type(key, "true or false");
      request.level = value.get<bool>() ? check::Level::kContents : check::Level::kBlocks;
    } else if (key == "rate_limit_mb_per_s") {
      VZ_TRY_ASSIGN(request.limit_rate_bytes, read_rate(value));
    } else {
      return fail(ErrorCode::kInvalidArgument, "unknown field '" + key.substr(0, 64) + "'");
    }
  }
  return request;
}

std::string integrity_json(const node::IntegrityReport& report) {
  std::string out = "{";
  append_member(out, "checked_vectors", report.checked_vectors);
  append_member(out, "errors", report.errors);
  append_member(out, "warnings", report.warnings);
  append_member(out, "notes", report.notes);
  out += "\"duration_seconds\":";
  append_number(out, report.duration_seconds);
  out += ',';
  append_member(out, "checked_files", report.checked_files);
  append_member(out, "checked_bytes", report.checked_bytes);
  append_member(out, "log_records", report.log_records);
  out += "\"findings\":[";
  std::uint64_t left_out = report.findings_left_out;
  std::string text;
  for (const node::IntegrityFinding& finding : report.findings) {
    text.clear();
    append_finding(text, finding);
    if (out.size() + text.size() + kTailBytes > limits::kJobResultBytesMax) {
      ++left_out;
      continue;
    }
    if (out.back() != '[') out += ',';
    out += text;
  }
  out += "],";
  append_member(out, "findings_left_out", left_out);
  out.back() = '}';
  return out;
}

}  // namespace vz::api
