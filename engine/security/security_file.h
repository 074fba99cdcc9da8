// DATA/security.json: the checkpoint of keys and rules. Mode 0600; in no snapshot and no archive,
// so that whatever data is restored, who may call stays as it is.
#pragma once

#include <string>

#include "engine/security/security_json.h"
#include "storage/env/env.h"

namespace vz::security {

std::string file_path(const std::string& data_dir);

/// An empty one, as of lsn 0, if there is no file.
/// Errors: kCorruption, kIncompatible, both naming the file and what to do; kIoError. A node must
/// not start then: without its keys it would be open, or closed to all.
Result<Checkpoint> load(Env& env, const std::string& data_dir);

/// Durable when it returns; a crash leaves the old file or the new one. Errors: kIoError, kNoSpace.
Status save(Env& env, const std::string& data_dir, const Checkpoint& checkpoint);

}  // namespace vz::security
