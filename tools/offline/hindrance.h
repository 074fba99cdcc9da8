// What keeps a tool from judging a data directory. It is an error of the operation, never damage:
// nothing may be derived from a file that nobody has read.
#pragma once

#include "engine/check/watched_env.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Errors: kIoError: a link, pipe, socket, device or directory stands where a file of ours belongs,
/// or a file where a directory does. Names it and the fix. Looks at FORMAT, CURRENT, the manifests,
/// the log's files and those of segments, whether an image names them or not. What cannot be listed
/// is left to the caller.
Status require_plain_files(Env& env, const store::Paths& paths);

/// Whether all that was opened through `env` could be read. Errors: kPermissionDenied; kExhausted (no
/// memory, no descriptor). Names the file and the fix.
Status unhindered(const check::WatchedEnv& env);

}  // namespace vz::offline
