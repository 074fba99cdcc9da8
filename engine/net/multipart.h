// The one file of a multipart/form-data body (RFC 7578), taken out of it while it arrives.
// A plain class over bytes: no sockets, no files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::net {

/// Reads a body of exactly one part, the form's field that it was made for. What is kept between
/// two calls is the boundary and the part's header, both bounded, and never any content.
/// Stricter than RFC 2046: nothing stands before the first boundary, and only white space behind
/// the last one. Not thread-safe.
class MultipartFile {
 public:
  /// Gets the content piece by piece, none of them empty; borrowed for the call.
  using TakeBytes = std::function<Status(std::string_view)>;

  /// Whether a Content-Type announces such a body, soundly or not.
  static bool is_form(std::string_view content_type);

  /// content_type: of the request. field: the part's name.
  /// Errors: kInvalidArgument: another type; no boundary, or none that RFC 2046 allows (1 to
  /// limits::kMultipartBoundaryBytesMax of its characters).
  static Result<MultipartFile> create(std::string_view content_type, std::string field);

  /// Takes the next bytes of the body, cut wherever they happen to be.
  /// Errors: kInvalidArgument: the body is malformed, has a second part or another field, or a part
  /// with a header beyond limits::kMultipartHeaderBytesMax; those of `take`. After one the object
  /// may only be destroyed.
  Status feed(std::string_view bytes, const TakeBytes& take);

  /// After the last bytes. Errors: kInvalidArgument: the closing boundary is not there.
  [[nodiscard]] Status finish() const;

 private:
  enum class State : std::uint8_t {
    kOpening,    ///< within the first boundary
    kAfterLine,  ///< behind a boundary: a line end, or the two hyphens of the last one
    kHeader,
    kContent,
    kEpilogue,
  };

  MultipartFile(std::string delimiter, std::string field)
      : delimiter_(std::move(delimiter)), field_(std::move(field)) {}

  Status take_opening(char byte);
  Status take_after_line(char byte);
  Status take_header(char byte);
  Result<std::size_t> take_content(std::string_view bytes, const TakeBytes& take);
  [[nodiscard]] Status check_header() const;

  std::string delimiter_;  ///< CR LF "--" boundary
  std::string field_;
  State state_ = State::kOpening;
  /// So many bytes of the delimiter have come. They are no content if all come, and content if not;
  /// no need to keep them. The first delimiter has no line before it.
  std::size_t matched_ = 2;
  bool part_seen_ = false;
  std::string text_;  ///< behind a boundary, or the header so far
};

}  // namespace vz::net
