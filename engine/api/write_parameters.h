// Query parameters of writes: wait, ordering, timeout.
#pragma once

#include <string_view>

#include "engine/net/request.h"
#include "storage/base/status.h"

namespace vz::api {

enum class Wait : std::uint8_t { kNo, kYes };

/// Whether the caller waits: the parameter `wait`, or `otherwise` without one.
/// Errors: kInvalidArgument: neither true nor false.
Result<Wait> read_wait(const net::RequestHead& head, Wait otherwise);

/// Errors: kInvalidArgument, kOutOfRange: a value that Qdrant would refuse.
/// Every write here is durable and visible before it is answered; `wait` chooses the words only.
Result<Wait> read_write_parameters(const net::RequestHead& head);

inline std::string_view update_status(Wait wait) {
  return wait == Wait::kYes ? "completed" : "acknowledged";
}

}  // namespace vz::api
