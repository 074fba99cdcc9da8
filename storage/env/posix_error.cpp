#include "storage/env/posix_error.h"

#include <cerrno>
#include <system_error>

namespace vz {
namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
      return ErrorCode::kPermissionDenied;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kExhausted;
    default:
      return ErrorCode::kIoError;
  }
}

}  // namespace

tl::unexpected<Error> fail_errno(int error_number, std::string_view doing, std::string_view path) {
  std::string message(doing);
  message.append(" ").append(path).append(": ");
  message.append(std::generic_category().message(error_number));  // strerror is not thread-safe.
  if (error_number == EMFILE) message.append(" (ulimit -n says how many it may have)");
  return fail(code_of(error_number), std::move(message));
}

}  // namespace vz
