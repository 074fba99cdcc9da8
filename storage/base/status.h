// Operating errors as values: Status, Result<T>, and the macros that pass them on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace vz {

/// What kind of failure it was. Mapped to HTTP in engine/api/status_map.cpp and to exit codes in
/// cli/exit_code.cpp, and nowhere else.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,     ///< the caller's input has the wrong form or type
  kOutOfRange,          ///< well-typed input beyond a bound of limits.h
  kNotFound,            ///< the named thing does not exist
  kAlreadyExists,       ///< the named thing exists already
  kFailedPrecondition,  ///< not in this state
  kUnsupported,         ///< a documented form that is not built yet
  kPermissionDenied,    ///< the caller may not
  kUnauthenticated,     ///< the caller is unknown
  kTooLarge,            ///< body or record over its limit
  kRateLimited,         ///< come back later, this caller
  kUnavailable,         ///< come back later, everybody
  kExhausted,           ///< this process has no descriptor or memory left; the disk may be sound
  kNoSpace,             ///< the disk is full
  kDeadline,            ///< time ran out
  kCancelled,           ///< stopped on request
  kCorruption,          ///< bytes on disk are not what was written
  kIoError,             ///< a system call failed
  kLocked,              ///< another process holds the data directory
  kIncompatible,        ///< a format newer than this program
  kNoData,              ///< the directory is not ours
  kInternal,            ///< a bug of ours
};

/// Lower-case name as it stands in JSON and logs, such as "not_found".
std::string_view error_code_name(ErrorCode code);

/// An operating error. `message` names the thing, what was expected and found, and the fix.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

/// True for what says nothing about the bytes on the disk, and for now: no permission, no memory, no
/// descriptor. Nothing may be derived from a file that nobody has read.
bool is_hindrance(const Error& error);

using Status = tl::expected<void, Error>;
template <typename T>
using Result = tl::expected<T, Error>;

/// Makes the failure value of any Status or Result.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// The same error with what was being done before it: "reading x: no such file".
[[nodiscard]] inline tl::unexpected<Error> while_doing(Error error, std::string_view doing) {
  error.message.insert(0, std::string(doing) + ": ");
  return tl::unexpected<Error>(std::move(error));
}

/// Prints and aborts; used by VZ_ASSERT.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace vz

#define VZ_CONCAT_INNER(a, b) a##b
#define VZ_CONCAT(a, b) VZ_CONCAT_INNER(a, b)

/// Returns from the calling function with the error of `expression`, if it has one.
#define VZ_TRY(expression)                                                \
  do {                                                                    \
    if (auto vz_status = (expression); !vz_status.has_value())            \
      return ::tl::unexpected<::vz::Error>(std::move(vz_status).error()); \
  } while (false)

/// Declares `target` with the value of `expression`, or returns its error.
#define VZ_TRY_ASSIGN(target, expression)                                                     \
  auto VZ_CONCAT(vz_result_, __LINE__) = (expression);                                        \
  if (!VZ_CONCAT(vz_result_, __LINE__).has_value())                                           \
    return ::tl::unexpected<::vz::Error>(std::move(VZ_CONCAT(vz_result_, __LINE__)).error()); \
  target = std::move(*VZ_CONCAT(vz_result_, __LINE__))

/// A bug of ours if false. Always on; never for user input.
#define VZ_ASSERT(expression) \
  ((expression) ? (void)0 : ::vz::assertion_failed(#expression, __FILE__, __LINE__))
