#include "engine/server/bootstrap.h"

#include "engine/runtime/wall_clock.h"
#include "storage/base/log.h"

namespace vz::server {
namespace {

constexpr std::uint64_t kKeyFileBytesMax = 256;

/// Nothing that is not ours is overwritten.
Status check_replaceable(Env& env, const std::string& path) {
  if (!env.exists(path)) return {};
  const auto bytes = read_file(env, path, kKeyFileBytesMax);
  if (bytes) {
    std::string_view text = as_text(*bytes);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (security::id_of_key_text(text)) return {};
  } else if (bytes.error().code != ErrorCode::kTooLarge) {
    return tl::unexpected<Error>(bytes.error());
  }
  return fail(
      ErrorCode::kFailedPrecondition,
      "--bootstrap-key-file " + path + " holds something else than a key: name another file");
}

}  // namespace

Status bootstrap_admin_key(Env& env, node::Node& node, const security::State& security,
                           const std::string& path) {
  if (security.has_live_key(runtime::unix_time_us(), security::Scope::kAdmin)) return {};
  VZ_TRY(check_replaceable(env, path));
  const security::FreshSecret fresh = security::make_secret();
  VZ_TRY(publish_file(env, path, as_bytes(fresh.text + "\n")));
  security::CreateKey create;
  create.key.id = fresh.id;
  create.key.name = "bootstrap";
  create.key.secret_sha256 = fresh.sha256;
  create.key.scopes.add(security::Scope::kAdmin);
  VZ_TRY(node.change_security(std::move(create)));
  LogEvent(LogLevel::kInfo, "bootstrap_key_written").with("path", path).with("key_id", fresh.id);
  return {};
}

}  // namespace vz::server
