// A server on the real file system, which is where archives come from and go to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"
#include "tests/storage/env/temporary_directory.h"

namespace vz::api::test {

using nlohmann::json;

inline constexpr const char* kPoint = R"({"points":[{"id":ID,"vector":[1,2,3,4]}]})";

inline std::string points(const std::string& id) {
  std::string body = kPoint;
  return body.replace(body.find("ID"), 2, id);
}

inline void put_points(std::uint16_t port, int first, int last) {
  for (int id = first; id <= last; ++id)
    REQUIRE(call(port, "PUT", "/collections/docs/points", points(std::to_string(id))).status ==
            200);
}

/// With a collection "docs" of ten points.
struct RealServer {
  vz::test::TemporaryDirectory directory;
  std::unique_ptr<Env> env = make_posix_env();
  std::unique_ptr<server::Server> server;

  RealServer() {
    server::ServerOptions options = test_options();
    options.node.data_dir = directory / "data";
    options.restore_dirs = {directory / "backups"};
    REQUIRE(std::filesystem::create_directory(directory / "backups"));
    auto started = server::Server::start(*env, std::move(options));
    REQUIRE(started);
    server = *std::move(started);
    REQUIRE(server->wait_until_loaded());
    REQUIRE(call(server->port(), "PUT", "/collections/docs",
                 R"({"vectors":{"size":4,"distance":"Dot"}})")
                .status == 200);
    put_points(server->port(), 1, 10);
  }
  HttpAnswer post(const std::string& target, const std::string& body = "") const {
    return call(server->port(), "POST", target, body);
  }
  HttpAnswer recover(const std::string& location, const std::string& checksum = "") const {
    json body = {{"location", location}};
    if (!checksum.empty()) body["checksum"] = checksum;
    return post("/qdrant/snapshots/recover", body.dump());
  }
  [[nodiscard]] std::uint64_t count() const {
    const auto answer = post("/collections/docs/points/count", "{}");
    return answer.status == 200 ? json::parse(answer.body)["result"]["count"].get<std::uint64_t>()
                                : 0;
  }
  [[nodiscard]] std::string archive(const std::string& name) const {
    return directory / ("data/snapshots/" + name);
  }
  /// Copies the archive to the allowed directory, where a test may spoil it.
  [[nodiscard]] std::string copy_of(const std::string& name, const std::string& as) const {
    const std::string to = directory / ("backups/" + as);
    std::filesystem::copy_file(archive(name), to);
    return to;
  }
};

inline json created(const HttpAnswer& answer) {
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body)["result"];
}

}  // namespace vz::api::test
