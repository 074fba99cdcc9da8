// The node that a command speaks to: flag, then environment, then default.
#pragma once

#include <string>

#include "storage/base/status.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/endpoint.h"

namespace CLI {
class App;
}

namespace vz::cli {

inline constexpr const char* kDefaultEndpoint = "http://127.0.0.1:15002";

struct EndpointOptions {
  std::string url = kDefaultEndpoint;
  std::string api_key_file;  ///< "-": standard input
};

/// Adds --endpoint and --api-key-file, which VECTORIZERCTL_ENDPOINT and VECTORIZERCTL_API_KEY_FILE
/// may give, too. No option takes a key itself: everybody on the machine sees what a command is
/// called with. `options` must outlive `command`.
void add_endpoint_option(CLI::App& command, EndpointOptions& options);

/// http://HOST[:PORT][/]; without a port it is 80, as in any URL. Its key is that of the file, else
/// of VECTORIZERCTL_API_KEY, else none.
/// Errors: kInvalidArgument (also: that is no key, which is not told then), kUnsupported (https,
/// unix sockets), kNotFound, kIoError (the file).
Result<drive::Endpoint> parse_endpoint(const EndpointOptions& options);

/// The collection, which must exist.
/// Errors: kNotFound naming those that do exist, and those of drive::collection_shape.
Result<drive::CollectionShape> require_collection(const drive::Endpoint& endpoint,
                                                  const std::string& collection);

/// The error of a call, with how to reach another node if this one could not be reached.
Error with_endpoint_hint(Error error);

}  // namespace vz::cli
