// The HTTP interface of a node: from requests to answers.
#pragma once

#include "engine/api/call.h"
#include "engine/net/http_server.h"

namespace vz::api {

/// The handlers for net::HttpServer. `service` must outlive every call that they answer.
/// on_head decides by route and caller before a body byte is read; on_request runs the route.
net::HttpHandlers make_handlers(Service& service);

}  // namespace vz::api
