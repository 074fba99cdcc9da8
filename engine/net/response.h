// An HTTP answer as handlers make it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/status.h"

namespace vz::net {

/// A body that is not in memory, as of a file: asked for piece by piece while it is sent.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
  /// The next piece, not empty, goes to `take`, at once or from another thread; no other is asked
  /// for before. Called on an io thread: must not wait for a disk. After an error the connection is
  /// closed, so that the peer sees a body cut short.
  using Take = std::function<void(Result<std::string>)>;
  virtual void read(Take take) = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides those the server sets
  std::shared_ptr<BodyStream> stream{};                      ///< instead of `body`; sent as it is
};

}  // namespace vz::net
