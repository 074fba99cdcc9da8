// Security incidents: who is to be kept out is out from that moment on.
#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

namespace {

/// Status of a request, which comes from `headers` as curl takes them.
std::string status_of(Stage& stage, const std::string& headers, const std::string& path) {
  const Ran ran = stage.shell("curl -s -o /dev/null -w '%{http_code}' " + headers +
                              " http://localhost:15002" + path);
  return ran.output;
}

nlohmann::json make_key(Stage& stage, const std::string& scope) {
  const Ran ran = stage.shell("curl -s http://localhost:15002/admin/keys -d '{\"name\":\"" + scope +
                              "\",\"scopes\":[\"" + scope + "\"]}'");
  return nlohmann::json::parse(ran.output);
}

std::string bearer(const nlohmann::json& key) {
  return "-H 'Authorization: Bearer " + key.at("key").get<std::string>() + "'";
}

}  // namespace

TEST_CASE("runbook: a suspicious address is blocked at once, and after a restart") {
  // Nobody here has that address; so it is told by a proxy that the node trusts.
  Stage stage({"--trusted-proxy", "127.0.0.1"});
  const std::string suspect = "-H 'X-Forwarded-For: 1.2.3.4'";
  REQUIRE(status_of(stage, suspect, "/livez") == "200");

  const auto blocked = stage.json(lines::kBlockIps);

  CHECK(blocked.at("rules").at(0).at("ip") == "1.2.3.4");
  CHECK(status_of(stage, suspect, "/livez") == "403");
  CHECK(status_of(stage, "-H 'X-Forwarded-For: 1.2.3.5'", "/livez") == "200");
  stage.restart();
  CHECK(status_of(stage, suspect, "/livez") == "403");
  CHECK(status_of(stage, "", "/livez") == "200");
}

TEST_CASE("runbook: a compromised key is revoked by the line, with the admin's key") {
  Stage stage;
  const auto admin = make_key(stage, "admin");
  const auto stolen = make_key(stage, "write");
  ::setenv("ADMIN_KEY", admin.at("key").get<std::string>().c_str(), 1);
  REQUIRE(status_of(stage, bearer(stolen), "/collections") == "200");

  const auto unknown = stage.json(lines::kRevokeKey);  // As it is written.
  stage.stand_for("compromised_key_id", stolen.at("key_id"));
  const auto revoked = stage.json(lines::kRevokeKey);

  CHECK(unknown.at("error").at("code") == "not_found");
  CHECK(revoked.at("status") == "revoked");
  CHECK(status_of(stage, bearer(stolen), "/collections") == "401");
  CHECK(status_of(stage, bearer(admin), "/collections") == "200");
  stage.restart();
  CHECK(status_of(stage, bearer(stolen), "/collections") == "401");

  ::setenv("ADMIN_KEY", stolen.at("key").get<std::string>().c_str(), 1);
  const auto by_thief = stage.json(lines::kRevokeKey);
  CHECK(by_thief.at("error").at("code") == "unauthenticated");
}
