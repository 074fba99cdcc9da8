#include "engine/api/body_error.h"

#include <exception>

#include <nlohmann/json.hpp>

#include "engine/api/status_map.h"
#include "engine/limits.h"

namespace vz::api {
namespace {

std::size_t path_start(std::string_view message) {
  if (message.starts_with(kFormatPrefix)) return kFormatPrefix.size();
  if (message.starts_with(kValidationPrefix)) return kValidationPrefix.size();
  return std::string_view::npos;
}

/// A SAX reader that keeps nothing but the first syntax error.
class SyntaxCheck final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    constexpr int kNumberOverflow = 406;
    const std::string_view text = error.what();
    const std::size_t reason = text.find(error.id == kNumberOverflow ? "] " : " - ");
    std::string said(reason == std::string_view::npos
                         ? text
                         : text.substr(reason + (error.id == kNumberOverflow ? 2 : 3)));
    problem_ = "at byte " + std::to_string(position) + ": " + said;
    return false;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::string problem_;
};

}  // namespace

Error format_error(std::string_view what) {
  return {ErrorCode::kInvalidArgument, std::string(kFormatPrefix) + ": " + std::string(what)};
}

Error missing_field(std::string_view name) {
  return format_error("missing field `" + std::string(name) + "`");
}

Error range_error(std::string_view value, std::string_view rule) {
  return {ErrorCode::kOutOfRange, std::string(kValidationPrefix) + ": value " + std::string(value) +
                                      " invalid, " + std::string(rule) + "]"};
}

Error unsupported(std::string_view what) {
  return {ErrorCode::kUnsupported, std::string(what) + " is not supported yet"};
}

Error adopted(Error error) {
  if (path_start(error.message) != std::string_view::npos) return error;
  if (error.code == ErrorCode::kInvalidArgument)
    error.message.insert(0, std::string(kFormatPrefix) + ": ");
  if (error.code == ErrorCode::kOutOfRange)
    error.message = std::string(kValidationPrefix) + ": " + error.message + "]";
  return error;
}

Error within(Error error, std::string_view outer) {
  const std::size_t start = path_start(error.message);
  if (start == std::string_view::npos) return error;
  const bool joins =
      start < error.message.size() && (error.message[start] == ':' || error.message[start] == '[');
  error.message.insert(start, std::string(outer) + (joins ? "" : "."));
  return error;
}

Error finished(Error error) {
  const std::size_t start = path_start(error.message);
  if (start != std::string_view::npos && error.message.compare(start, 2, ": ") == 0)
    error.message.erase(start, 2);
  return error;
}

Error explained(Error error, std::string_view body) {
  if (!error.message.starts_with(kFormatPrefix)) return finished(std::move(error));
  try {
    SyntaxCheck check;
    if (!nlohmann::json::sax_parse(body.begin(), body.end(), &check))
      return {ErrorCode::kInvalidArgument, std::string(kFormatPrefix) + check.problem()};
  } catch (const std::exception& caught) {
    return {ErrorCode::kInvalidArgument, std::string(kFormatPrefix) + caught.what()};
  }
  return finished(std::move(error));
}

Status check_depth(std::string_view json) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits::kJsonDepthMax)
        return fail(ErrorCode::kInvalidArgument,
                    std::string(kFormatPrefix) + "at byte " + std::to_string(at + 1) +
                        ": nested deeper than " + std::to_string(limits::kJsonDepthMax) +
                        " levels");
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return {};
}

}  // namespace vz::api
