#include "engine/api/write_parameters.h"

#include <string>

#include "engine/api/status_map.h"

namespace vz::api {

Result<Wait> read_wait(const net::RequestHead& head, Wait otherwise) {
  const auto wait = head.parameter("wait");
  if (!wait) return otherwise;
  if (*wait == "true") return Wait::kYes;
  if (*wait == "false") return Wait::kNo;
  return fail(ErrorCode::kInvalidArgument,
              std::string(kParameterPrefix) + "wait: expected true or false");
}

Result<Wait> read_write_parameters(const net::RequestHead& head) {
  if (const auto ordering = head.parameter("ordering");
      ordering && *ordering != "weak" && *ordering != "medium" && *ordering != "strong")
    return fail(ErrorCode::kInvalidArgument,
                std::string(kParameterPrefix) + "ordering: expected weak, medium or strong");
  if (const auto timeout = head.parameter("timeout")) {
    if (timeout->empty() || timeout->size() > 9 ||
        timeout->find_first_not_of("0123456789") != std::string_view::npos)
      return fail(ErrorCode::kInvalidArgument,
                  std::string(kParameterPrefix) + "timeout: expected a number of seconds");
    if (timeout->find_first_not_of('0') == std::string_view::npos)
      return fail(ErrorCode::kOutOfRange,
                  "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or "
                  "larger]");
  }
  return read_wait(head, Wait::kNo);
}

}  // namespace vz::api
