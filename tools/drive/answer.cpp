#include "tools/drive/answer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace vz::drive {
namespace {

using nlohmann::json;

constexpr std::size_t kQuotedBytesMax = 500;  ///< of an unexpected answer

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 405:
    case 501:
      return ErrorCode::kUnsupported;
    case 408:
      return ErrorCode::kDeadline;
    case 409:
      return ErrorCode::kFailedPrecondition;
    case 413:
      return ErrorCode::kTooLarge;
    case 422:
      return ErrorCode::kOutOfRange;
    case 429:
      return ErrorCode::kRateLimited;
    case 503:
      return ErrorCode::kUnavailable;
    case 507:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kInternal;
  }
}

/// The text in either of the two envelopes of an error, else the body itself; one line.
std::string reason_of(std::string_view body) {
  const json parsed = json::parse(body, nullptr, false);
  std::string text(body.substr(0, kQuotedBytesMax));
  if (parsed.is_object()) {
    for (const char* path : {"/status/error", "/error/message"}) {
      const json::json_pointer pointer(path);
      if (parsed.contains(pointer) && parsed[pointer].is_string()) text = parsed[pointer];
    }
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

tl::unexpected<Error> refused(std::string_view call, int status, std::string_view body) {
  return fail(code_of(status),
              std::string(call) + " answered " + std::to_string(status) + ": " + reason_of(body));
}

Result<json> call_json(HttpClient& http, std::string_view method, std::string_view path,
                       std::string_view body) {
  VZ_TRY_ASSIGN(const auto answer, http.request(method, path, body));
  return json_of(std::string(method) + " " + std::string(path), answer);
}

Result<json> json_of(std::string_view call, const HttpAnswer& answer) {
  if (answer.status != 200) return refused(call, answer.status, answer.body);
  json parsed = json::parse(answer.body, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  return fail(ErrorCode::kIncompatible, std::string(call) + " answered without JSON: no node of " +
                                            "ours: " + answer.body.substr(0, kQuotedBytesMax));
}

}  // namespace vz::drive
