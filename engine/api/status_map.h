// The one place where an ErrorCode becomes an HTTP status and an error body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/net/response.h"
#include "storage/base/status.h"

namespace vz::api {

/// Which grammar a route's answers have.
enum class Envelope : std::uint8_t {
  kNative,  ///< plain JSON; errors {"error":{"code","message","request_id"}}
  kQdrant,  ///< {"result","status","time"}; errors {"status":{"error"},"time"}
};

/// Messages that begin with one of these are complete Qdrant texts already.
inline constexpr std::string_view kFormatPrefix = "Format error in JSON body: ";
inline constexpr std::string_view kParameterPrefix = "Deserialize error in query parameters: ";
inline constexpr std::string_view kValidationPrefix = "Validation error in JSON body: [";

/// HTTP status of `code`. Beyond a bound is 422 in Qdrant's grammar and 400 in ours.
int http_status(ErrorCode code, Envelope envelope);
/// The `code` of a native error body: one of the words of the API's manual.
std::string_view native_code(ErrorCode code);
/// The text of a Qdrant error: `error.message` with the prefix that its clients know.
std::string qdrant_text(const Error& error);

/// A whole error answer; 429, 503 and 507 carry Retry-After.
/// took_seconds  goes into Qdrant's `time`.
net::Response error_response(const Error& error, Envelope envelope, std::string_view request_id,
                             double took_seconds);

/// The same for an error that has an HTTP status but no ErrorCode, such as 405 or 431.
net::Response status_response(int status, std::string_view message, Envelope envelope,
                              std::string_view request_id);

}  // namespace vz::api
