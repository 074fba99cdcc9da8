// Errors of request bodies, in the words that Qdrant's clients know.
//
// A format error's message is kFormatPrefix + path + ": " + what; decoders build the path from the
// inside out with within().
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::api {

/// Ill-formed or of the wrong type: 400. `what` says what was expected.
Error format_error(std::string_view what);
/// A required field is absent: 400.
Error missing_field(std::string_view name);
/// Well-typed but out of range: 422 `[path: value V invalid, RULE]`.
Error range_error(std::string_view value, std::string_view rule);
/// A documented form that is not built yet: 400 `WHAT is not supported yet`.
Error unsupported(std::string_view what);
/// An error of payload:: or of a check that has no path of its own: gets prefix and path.
Error adopted(Error error);

/// The same error one level further out: `points[3]` before `.vector[2]: expected a number`.
/// Errors without a path (Wrong input, Not found) stay as they are.
Error within(Error error, std::string_view outer);

/// Drops the separators that an error of the outermost level begins with.
Error finished(Error error);

/// If `body` is not well-formed JSON, the error that says where and why (byte offset, 0-based);
/// otherwise `error`.
Error explained(Error error, std::string_view body);

/// Errors: kInvalidArgument: deeper than limits::kJsonDepthMax. Looks at brackets only.
Status check_depth(std::string_view json);

}  // namespace vz::api
