#include "cli/context/exit_code.h"

namespace vz::cli {

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kOutOfRange:
      return ExitCode::kUsage;
    case ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
      return ExitCode::kConflict;
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
      return ExitCode::kDenied;
    case ErrorCode::kUnavailable:
    case ErrorCode::kRateLimited:
      return ExitCode::kUnreachable;
    case ErrorCode::kExhausted:
      return ExitCode::kExhausted;
    case ErrorCode::kNoSpace:
      return ExitCode::kNoSpace;
    case ErrorCode::kDeadline:
      return ExitCode::kTimeout;
    case ErrorCode::kCorruption:
      return ExitCode::kFindings;
    case ErrorCode::kLocked:
      return ExitCode::kLocked;
    case ErrorCode::kIncompatible:
      return ExitCode::kIncompatible;
    case ErrorCode::kNoData:
      return ExitCode::kNoData;
    case ErrorCode::kInternal:
      return ExitCode::kBug;
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
    case ErrorCode::kCancelled:
    case ErrorCode::kIoError:
      return ExitCode::kFailed;
  }
  return ExitCode::kBug;
}

std::string exit_code_help() {
  return "Exit status:\n"
         "   0 ok          4 findings, damage     8 denied         12 no space\n"
         "   1 failed      5 not found            9 incompatible   13 unreachable\n"
         "   2 usage       6 conflict            10 no data        14 timeout\n"
         "   3 partial     7 declined            11 locked         15 unsafe\n"
         "  16 exhausted: no file descriptor or memory left (ulimit -n, ulimit -v)\n"
         "  70 bug       128+N ended by signal N";
}

}  // namespace vz::cli
