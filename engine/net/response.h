// An HTTP answer as handlers make it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vz::net {

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides those the server sets
};

}  // namespace vz::net
