#include "engine/api/status_map.h"

#include "engine/api/json_text.h"

namespace vz::api {
namespace {

constexpr std::string_view kRetryAfterSeconds = "1";

std::string_view native_code_of_status(int status) {
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "deadline";
    case 409:
      return "conflict";
    case 413:
      return "too_large";
    case 429:
      return "rate_limited";
    case 503:
      return "unavailable";
    case 507:
      return "no_space";
    default:
      return status >= 500 ? "internal" : "invalid_argument";
  }
}

std::string native_body(std::string_view code, std::string_view message,
                        std::string_view request_id) {
  std::string body = R"({"error":{"code":)";
  append_string(body, code);
  body += R"(,"message":)";
  append_string(body, message);
  body += R"(,"request_id":)";
  append_string(body, request_id);
  body += "}}";
  return body;
}

std::string qdrant_body(std::string_view text, double took_seconds) {
  std::string body = R"({"status":{"error":)";
  append_string(body, text);
  body += R"(},"time":)";
  append_number(body, took_seconds);
  body += '}';
  return body;
}

void add_retry_after(net::Response& response) {
  if (response.status == 429 || response.status == 503 || response.status == 507)
    response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
}

bool is_complete(std::string_view message) {
  return message.starts_with(kFormatPrefix) || message.starts_with(kParameterPrefix) ||
         message.starts_with("Validation error in ");
}

std::string_view qdrant_prefix(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kTooLarge:
      return "Wrong input: ";
    case ErrorCode::kOutOfRange:
      return kValidationPrefix;
    case ErrorCode::kNotFound:
      return "Not found: ";
    case ErrorCode::kFailedPrecondition:
      return "Wrong input: ";
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
      return "Forbidden: ";
    case ErrorCode::kRateLimited:
      return "Rate limiting exceeded: ";
    case ErrorCode::kUnavailable:
    case ErrorCode::kExhausted:
    case ErrorCode::kCancelled:
      return "Shard temporarily unavailable: ";
    case ErrorCode::kNoSpace:
      return "Insufficient storage: ";
    case ErrorCode::kDeadline:
      return "Timeout: ";
    default:
      return "Service internal error: ";
  }
}

}  // namespace

int http_status(ErrorCode code, Envelope envelope) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
      return 400;
    case ErrorCode::kOutOfRange:
      return envelope == Envelope::kQdrant ? 422 : 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
      return 409;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kRateLimited:
      return 429;
    case ErrorCode::kUnavailable:
    case ErrorCode::kExhausted:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kNoSpace:
      return 507;
    case ErrorCode::kDeadline:
      return 408;
    case ErrorCode::kCorruption:
    case ErrorCode::kIoError:
    case ErrorCode::kLocked:
    case ErrorCode::kIncompatible:
    case ErrorCode::kNoData:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

std::string_view native_code(ErrorCode code) {
  if (code == ErrorCode::kAlreadyExists || code == ErrorCode::kFailedPrecondition)
    return error_code_name(code);
  return native_code_of_status(http_status(code, Envelope::kNative));
}

std::string qdrant_text(const Error& error) {
  if (is_complete(error.message)) return error.message;
  std::string text(qdrant_prefix(error.code));
  text += error.message;
  if (error.code == ErrorCode::kOutOfRange) text += ']';
  return text;
}

net::Response error_response(const Error& error, Envelope envelope, std::string_view request_id,
                             double took_seconds) {
  net::Response response;
  response.status = http_status(error.code, envelope);
  response.body = envelope == Envelope::kQdrant
                      ? qdrant_body(qdrant_text(error), took_seconds)
                      : native_body(native_code(error.code), error.message, request_id);
  add_retry_after(response);
  return response;
}

net::Response status_response(int status, std::string_view message, Envelope envelope,
                              std::string_view request_id) {
  net::Response response;
  response.status = status;
  response.body = envelope == Envelope::kQdrant
                      ? qdrant_body(message, 0)
                      : native_body(native_code_of_status(status), message, request_id);
  add_retry_after(response);
  return response;
}

}  // namespace vz::api
