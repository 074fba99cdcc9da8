#include "engine/security/security_file.h"

#include "engine/limits.h"

namespace vz::security {

std::string file_path(const std::string& data_dir) {
  return data_dir + "/security.json";
}

Result<Checkpoint> load(Env& env, const std::string& data_dir) {
  const std::string path = file_path(data_dir);
  auto bytes = read_file(env, path, limits::kSecurityFileBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return Checkpoint{};
  if (!bytes && bytes.error().code == ErrorCode::kTooLarge)
    bytes = fail(ErrorCode::kCorruption, bytes.error().message);
  if (!bytes) return tl::unexpected<Error>(std::move(bytes).error());
  auto checkpoint = decode_file(as_text(*bytes));
  if (checkpoint) return checkpoint;
  Error error = std::move(checkpoint).error();
  error.message = path + ": " + error.message;
  if (error.code == ErrorCode::kCorruption)
    error.message +=
        "; put a copy of it back, or move it away to start without any key and rule: a revoked key "
        "is not known then, but no key works";
  return tl::unexpected<Error>(std::move(error));
}

Status save(Env& env, const std::string& data_dir, const Checkpoint& checkpoint) {
  return publish_file(env, file_path(data_dir), as_bytes(encode_file(checkpoint)));
}

}  // namespace vz::security
