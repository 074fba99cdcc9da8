// What a node answered, as JSON or as an error.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// The error that an answer other than 200 stands for: "GET /stats answered 503: starting". Its
/// code is what the HTTP status says, such as kNotFound for 404; kInternal for 500 and the like.
tl::unexpected<Error> refused(std::string_view call, int status, std::string_view body);

/// Errors: kUnavailable (no answer), those of `refused`, kIncompatible (200, but no JSON: that is
/// no node).
Result<nlohmann::json> call_json(HttpClient& http, std::string_view method, std::string_view path,
                                 std::string_view body);

/// The same of an answer that came already. call: for the message of an error.
Result<nlohmann::json> json_of(std::string_view call, const HttpAnswer& answer);

}  // namespace vz::drive
