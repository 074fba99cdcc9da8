#include "storage/base/status.h"

#include <cstdio>
#include <cstdlib>

namespace vz {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kOutOfRange:
      return "out_of_range";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kFailedPrecondition:
      return "failed_precondition";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kRateLimited:
      return "rate_limited";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kExhausted:
      return "exhausted";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kDeadline:
      return "deadline";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kIoError:
      return "io_error";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kIncompatible:
      return "incompatible";
    case ErrorCode::kNoData:
      return "no_data";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

bool is_hindrance(const Error& error) {
  return error.code == ErrorCode::kPermissionDenied || error.code == ErrorCode::kExhausted;
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "vectorizerctl: bug: assertion failed: %s at %s:%d\n", expression, file,
               line);
  std::abort();
}

}  // namespace vz
