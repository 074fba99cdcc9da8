// The first admin key of a node.
#pragma once

#include <string>

#include "engine/node/node.h"
#include "storage/env/env.h"

namespace vz::server {

/// Makes an admin key and puts its text into the file `path`, mode 0600, unless there is one that
/// works: then the file is left as it is. The key itself goes nowhere else, no log included. The
/// file comes first: after a crash in between it holds a key that the node does not know, and the
/// next start makes another.
/// Errors: kFailedPrecondition (the file holds something else), kIoError, kNoSpace, those of
/// node::Node::change_security.
Status bootstrap_admin_key(Env& env, node::Node& node, const security::State& security,
                           const std::string& path);

}  // namespace vz::server
