// key and ip against a live node, and the key that every command may send.
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/live_node.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

json parsed(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE(ran.status == 0);
  return json::parse(ran.out);
}

/// A command with variables of its own.
Ran run_with(const Scratch& scratch, const std::vector<std::string>& words,
             const std::vector<std::pair<std::string, std::string>>& environment) {
  Process process(scratch, words, environment);
  const int status = process.wait();
  return {.status = status, .out = process.out(), .err = process.err()};
}

}  // namespace

TEST_CASE("key: made, listed, shown, rotated and revoked", "[cli][keys]") {
  const Scratch scratch;
  Node node(scratch);

  const json made = parsed(node.run({"key", "create", "--name", "app", "--scope", "read,write",
                                     "--collection", "a*", "-o", "json"}));
  const std::string id = made["key_id"];
  const json listed = parsed(node.run({"key", "list", "-o", "json"}));
  const json shown = parsed(node.run({"key", "show", id, "-o", "json"}));
  const json rotated = parsed(node.run({"key", "rotate", id, "--overlap", "1h", "-o", "json"}));

  CHECK(made["schema"] == "vectorizerctl.key.create/1");
  CHECK(made["scopes"] == "read,write");
  CHECK(made["key"].get<std::string>().starts_with("vz_" + id + "_"));
  CHECK(listed["count"] == 1);
  CHECK_FALSE(listed["keys"][0].contains("key"));
  CHECK(shown["collections"] == "a*");
  CHECK(rotated["replaces"] == id);
  CHECK(rotated["key_id"] != id);

  CHECK(node.run({"key", "revoke", id}).status == 2);  // Nobody to ask.
  const json revoked = parsed(node.run({"key", "revoke", id, "-y", "-o", "json"}));
  CHECK(revoked["status"] == "revoked");
  CHECK(node.run({"key", "revoke", id, "-y"}).status == 0);  // It is so already.
  const Ran table = node.run({"key", "list"});
  CHECK(table.out.find("revoked") != std::string::npos);
  CHECK(node.run({"key", "show", "unknown"}).status == 5);
  CHECK(node.run({"key", "revoke", "unknown", "-y"}).status == 5);
  CHECK(node.run({"key", "create", "--name", "x", "--scope", "root"}).status == 2);
  CHECK(node.run({"key", "create", "--name", "x"}).status == 2);
}

TEST_CASE("key: a key file is new, private, and the key is nowhere else", "[cli][keys]") {
  const Scratch scratch;
  Node node(scratch);
  const std::string path = scratch.file("app.key");
  const std::vector<std::string> create = {"key",   "create",     "--name", "app", "--scope",
                                           "admin", "--key-file", path,     "-o",  "json"};

  const Ran made = node.run(create);

  const std::string key = read_text(path);
  CHECK(parsed(made)["key_file"] == path);
  CHECK(key.starts_with("vz_"));
  CHECK(made.out.find(key.substr(20, 40)) == std::string::npos);
  CHECK(node.log().find(key.substr(20, 40)) == std::string::npos);
  namespace fs = std::filesystem;
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(node.run(create).status != 0);  // It is there already.
  CHECK(parsed(node.run({"key", "list", "-o", "json"}))["count"] == 1);
}

TEST_CASE("api key: from a file, from the environment, never from the command line",
          "[cli][keys]") {
  const Scratch scratch;
  const std::string file = scratch.file("admin.key");
  Node node(scratch, {"--no-trust-loopback", "--bootstrap-key-file", file});
  const std::vector<std::string> stats = {"stats", "--endpoint", node.url};
  for (int i = 0; i < 1'000 && !std::filesystem::exists(file); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const std::string key = read_text(file).substr(0, read_text(file).size() - 1);

  const Ran without = run(scratch, stats);
  std::vector<std::string> with_file = stats;
  with_file.insert(with_file.end(), {"--api-key-file", file});
  std::ofstream(scratch.file("other")) << "my other secret\n";
  std::vector<std::string> with_other = stats;
  with_other.insert(with_other.end(), {"--api-key-file", scratch.file("other")});
  std::vector<std::string> on_the_line = stats;
  on_the_line.insert(on_the_line.end(), {"--api-key", key});

  CHECK(without.status == 8);
  CHECK(run(scratch, with_file).status == 0);
  CHECK(run_with(scratch, stats, {{"VECTORIZERCTL_API_KEY", key}}).status == 0);
  CHECK(run_with(scratch, stats, {{"VECTORIZERCTL_API_KEY_FILE", file}}).status == 0);
  const Ran other = run(scratch, with_other);
  CHECK(other.status == 2);
  CHECK(other.err.find("my other secret") == std::string::npos);
  CHECK(run(scratch, on_the_line).status == 2);
  CHECK(node.log().find("bootstrap_key_written") != std::string::npos);
  CHECK(node.log().find(key.substr(20)) == std::string::npos);
}

TEST_CASE("ip: blocked, listed and let in again", "[cli][ip]") {
  const Scratch scratch;
  Node node(scratch);

  const json blocked = parsed(node.run(
      {"ip", "block", "1.2.3.4", "10.0.0.0/8", "--ttl", "1h", "--reason", "scan", "-o", "json"}));
  const Ran own = node.run({"ip", "block", "127.0.0.0/8"});
  const Ran table = node.run({"ip", "list"});
  const json left = parsed(node.run({"ip", "unblock", "10.0.0.0/8", "-o", "json"}));

  CHECK(blocked["schema"] == "vectorizerctl.ip.block/1");
  CHECK(blocked["count"] == 2);
  CHECK(blocked["rules"][0]["reason"] == "scan");
  CHECK(own.status == 6);
  CHECK(own.err.find("force") != std::string::npos);
  CHECK(table.out.find("10.0.0.0/8") != std::string::npos);
  CHECK(left["count"] == 1);
  CHECK(left["rules"][0]["ip"] == "1.2.3.4");
  CHECK(node.run({"ip", "block", "x"}).status == 2);
  CHECK(node.run({"ip", "block"}).status == 2);
}

TEST_CASE("keys: a revocation that was answered survives kill -9, whenever that comes",
          "[cli][keys]") {
  const Scratch scratch;
  std::vector<std::string> revoked;
  std::vector<std::string> kept;
  for (int round = 0; round < 5; ++round) {
    CAPTURE(round);
    Node node(scratch);
    for (const std::string& key : revoked)
      REQUIRE(run_with(scratch, {"stats", "--endpoint", node.url},
                       {{"VECTORIZERCTL_API_KEY", key}})
                  .status == 8);
    for (const std::string& key : kept)
      REQUIRE(run_with(scratch, {"stats", "--endpoint", node.url},
                       {{"VECTORIZERCTL_API_KEY", key}})
                  .status == 0);
    const auto make = [&] {
      const auto answer = node.ask("POST", "/admin/keys", R"({"name":"k","scopes":["admin"]})");
      REQUIRE(answer.status == 201);
      return json::parse(answer.body);
    };
    const json one = make();
    const json two = make();
    REQUIRE(node.ask("POST", "/admin/keys/revoke", json{{"key_id", one["key_id"]}}.dump()).status ==
            200);
    node.kill();
    revoked.push_back(one["key"]);
    kept.push_back(two["key"]);
  }
}

TEST_CASE("serve: a damaged security.json is exit 4, named; check finds it", "[cli][keys]") {
  const Scratch scratch;
  {
    Node node(scratch);
    REQUIRE(node.ask("POST", "/admin/keys", R"({"name":"k","scopes":["admin"]})").status == 201);
    node.kill();
  }
  const std::string path = scratch.file("data/security.json");
  std::string text = read_text(path);
  text[100] ^= 1;
  std::ofstream(path, std::ios::trunc) << text;

  const Ran served =
      run(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  const Ran checked = run(scratch, {"data", "check", scratch.file("data")});
  const Ran dumped = run(scratch, {"data", "wal", "dump", scratch.file("data")});

  CHECK(served.status == 4);
  CHECK(served.err.find("security.json") != std::string::npos);
  CHECK(checked.status == 4);
  CHECK(checked.out.find("VZ-1016") != std::string::npos);
  CHECK(dumped.out.find("\"kind\":\"put_keys\"") != std::string::npos);
  CHECK(dumped.out.find("\"secret_sha256\":\"redacted\"") != std::string::npos);
}
