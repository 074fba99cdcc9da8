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
      return ErrorCode::kUnavailable;  // Of this process or machine, and for now: not of the disk.
    default:
      return ErrorCode::kIoError;
  }
}

}  // namespace

tl::unexpected<Error> fail_errno(int error_number, std::string_view doing, std::string_view path) {
  std::string message(doing);
  message.append(" ").append(path).append(": ");
  message.append(std::generic_category().message(error_number));  // strerror is not thread-safe.
  return fail(code_of(error_number), std::move(message));
}

}  // namespace vz
