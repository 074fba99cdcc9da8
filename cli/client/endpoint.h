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

/// Adds --endpoint, which VECTORIZERCTL_ENDPOINT may give, too. `url` must outlive `command`.
void add_endpoint_option(CLI::App& command, std::string& url);

/// http://HOST[:PORT][/]; without a port it is 80, as in any URL.
/// Errors: kInvalidArgument; kUnsupported (https, unix sockets).
Result<drive::Endpoint> parse_endpoint(const std::string& url);

/// The collection, which must exist.
/// Errors: kNotFound naming those that do exist, and those of drive::collection_shape.
Result<drive::CollectionShape> require_collection(const drive::Endpoint& endpoint,
                                                  const std::string& collection);

/// The error of a call, with how to reach another node if this one could not be reached.
Error with_endpoint_hint(Error error);

}  // namespace vz::cli
