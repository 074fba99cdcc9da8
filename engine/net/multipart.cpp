#include "engine/net/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/limits.h"
#include "engine/net/header_text.h"

namespace vz::net {
namespace {

tl::unexpected<Error> malformed(const std::string& what) {
  return fail(ErrorCode::kInvalidArgument, "multipart body: " + what);
}

/// RFC 2046, section 5.1.1; no space, which only confuses where one ends.
bool is_boundary_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos;
}

/// "form-data; name=\"x\"": what stands first, and the parameters.
struct HeaderValue {
  std::string_view first;
  std::vector<std::pair<std::string, std::string>> parameters{};  ///< names in lower case

  [[nodiscard]] std::optional<std::string> parameter(std::string_view lower) const {
    for (const auto& [name, value] : parameters)
      if (name == lower) return value;
    return std::nullopt;
  }
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// The value at the start of `text`, which loses it. Errors: kInvalidArgument.
Result<std::string> take_parameter_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string value(trimmed(text.substr(0, end)));
    text.remove_prefix(end);
    return value;
  }
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value += text[at];
  }
  if (at >= text.size()) return malformed("a quoted text in a header has no end");
  text = trimmed(text.substr(at + 1));
  if (!text.empty() && text.front() != ';')
    return malformed("something stands behind a quoted text in a header");
  return value;
}

/// Errors: kInvalidArgument, a parameter that stands twice, too: readers differ in which they take.
Result<HeaderValue> parse_value(std::string_view text) {
  const std::size_t first_end = std::min(text.find(';'), text.size());
  HeaderValue out{.first = trimmed(text.substr(0, first_end))};
  text.remove_prefix(first_end);
  while (!text.empty()) {
    text = trimmed(text.substr(1));  // The semicolon.
    if (text.empty()) break;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return malformed("a parameter of a header has no value");
    std::string name = lower_case(trimmed(text.substr(0, equals)));
    text = trimmed(text.substr(equals + 1));
    VZ_TRY_ASSIGN(std::string value, take_parameter_value(text));
    if (out.parameter(name)) return malformed("a parameter of a header stands twice");
    out.parameters.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace

bool MultipartFile::is_form(std::string_view content_type) {
  return equals_ignoring_case(trimmed(content_type.substr(0, content_type.find(';'))),
                              "multipart/form-data");
}

Result<MultipartFile> MultipartFile::create(std::string_view content_type, std::string field) {
  if (!is_form(content_type)) return malformed("the Content-Type is not multipart/form-data");
  VZ_TRY_ASSIGN(const HeaderValue type, parse_value(content_type));
  const auto boundary = type.parameter("boundary");
  if (!boundary || boundary->empty()) return malformed("the Content-Type names no boundary");
  if (boundary->size() > limits::kMultipartBoundaryBytesMax)
    return malformed("the boundary is over " + std::to_string(limits::kMultipartBoundaryBytesMax) +
                     " bytes");
  if (!std::all_of(boundary->begin(), boundary->end(), is_boundary_char))
    return malformed("a character in the boundary that may not be in one");
  return MultipartFile("\r\n--" + *boundary, std::move(field));
}

Status MultipartFile::feed(std::string_view bytes, const TakeBytes& take) {
  while (!bytes.empty()) {
    std::size_t used = 1;
    switch (state_) {
      case State::kOpening:
        VZ_TRY(take_opening(bytes.front()));
        break;
      case State::kAfterLine:
        VZ_TRY(take_after_line(bytes.front()));
        break;
      case State::kHeader:
        VZ_TRY(take_header(bytes.front()));
        break;
      case State::kContent: {
        VZ_TRY_ASSIGN(used, take_content(bytes, take));
        break;
      }
      case State::kEpilogue:
        if (std::string_view(" \t\r\n").find(bytes.front()) == std::string_view::npos)
          return malformed("something stands behind its end");
        break;
    }
    bytes.remove_prefix(used);
  }
  return {};
}

Status MultipartFile::finish() const {
  if (state_ == State::kEpilogue) return {};
  return malformed("it ends before its closing boundary: cut short");
}

Status MultipartFile::take_opening(char byte) {
  if (byte != delimiter_[matched_])
    return malformed("it does not begin with the boundary that the Content-Type names");
  if (++matched_ == delimiter_.size()) state_ = State::kAfterLine;
  return {};
}

Status MultipartFile::take_after_line(char byte) {
  text_ += byte;
  if (text_ == "--") {
    if (!part_seen_) return malformed("it has no part");
    state_ = State::kEpilogue;
    text_.clear();
    return {};
  }
  if (text_ == "-") return {};
  const std::string_view padding = trimmed(text_);  // Which RFC 2046 lets stand before a line end.
  if (!padding.empty() && padding != "\r" && padding != "\r\n")
    return malformed("something stands behind a boundary");
  if (text_.size() > limits::kMultipartBoundaryBytesMax)
    return malformed("a line of a boundary is too long");
  if (padding != "\r\n") return {};
  if (part_seen_) return malformed("it has more than one part");
  part_seen_ = true;
  state_ = State::kHeader;
  text_.clear();
  return {};
}

Status MultipartFile::take_header(char byte) {
  text_ += byte;
  if (text_.size() > limits::kMultipartHeaderBytesMax)
    return malformed("the header of its part is over " +
                     std::to_string(limits::kMultipartHeaderBytesMax) + " bytes");
  if (!text_.ends_with("\r\n\r\n") && text_ != "\r\n") return {};
  VZ_TRY(check_header());
  state_ = State::kContent;
  matched_ = 0;
  text_.clear();
  text_.shrink_to_fit();
  return {};
}

/// The fields in text_.
Status MultipartFile::check_header() const {
  std::optional<HeaderValue> disposition;
  for (std::string_view rest = text_; rest.size() > 2;) {
    const std::size_t end = rest.find("\r\n");  // There is one: the header ends with two.
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return malformed("a header line without a colon");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-disposition")) {
      if (disposition) return malformed("its part has two Content-Dispositions");
      VZ_TRY_ASSIGN(disposition, parse_value(value));
    } else if (equals_ignoring_case(name, "content-transfer-encoding") &&
               !equals_ignoring_case(value, "binary") && !equals_ignoring_case(value, "8bit") &&
               !equals_ignoring_case(value, "7bit")) {
      return malformed("its part comes in a Content-Transfer-Encoding, which is not understood");
    }
  }
  if (!disposition || !equals_ignoring_case(disposition->first, "form-data"))
    return malformed("its part has no Content-Disposition: form-data");
  if (disposition->parameter("name") != field_)
    return malformed("its part is not the field '" + field_ + "'");
  return {};
}

/// Takes the content up to a delimiter, or what becomes of a begun one. The delimiter's first byte
/// stands in it only once: when a match breaks, another can begin only at the byte that broke it.
/// Returns how many bytes were taken; 0 after a broken match, whose bytes were content.
Result<std::size_t> MultipartFile::take_content(std::string_view bytes, const TakeBytes& take) {
  if (matched_ > 0) {
    std::size_t used = 0;
    while (used < bytes.size() && matched_ < delimiter_.size() &&
           bytes[used] == delimiter_[matched_]) {
      ++used;
      ++matched_;
    }
    if (matched_ == delimiter_.size()) {
      state_ = State::kAfterLine;
    } else if (used < bytes.size()) {
      VZ_TRY(take(std::string_view(delimiter_).substr(0, std::exchange(matched_, 0))));
    }
    return used;
  }
  std::size_t end = bytes.find(delimiter_);
  std::size_t used = bytes.size();
  if (end != std::string_view::npos) {
    used = end + delimiter_.size();
    state_ = State::kAfterLine;
  } else {
    end = std::min(bytes.rfind(delimiter_.front()), bytes.size());
    if (!delimiter_.starts_with(bytes.substr(end))) end = bytes.size();
    matched_ = bytes.size() - end;
  }
  if (end > 0) VZ_TRY(take(bytes.substr(0, end)));
  return used;
}

}  // namespace vz::net
