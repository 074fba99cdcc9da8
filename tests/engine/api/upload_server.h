// A node to upload snapshots to, and bodies of uploads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "storage/base/sha256.h"
#include "tests/engine/api/real_server.h"

namespace vz::api::test {

inline const Headers kRaw = {{"Content-Type", "application/octet-stream"}};
inline const Headers kForm = {{"Content-Type", "multipart/form-data; boundary=XbX"}};

inline std::string form_of(const std::string& content, const std::string& field = "snapshot") {
  return "--XbX\r\nContent-Disposition: form-data; name=\"" + field +
         "\"; filename=\"any name.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n" +
         content + "\r\n--XbX--\r\n";
}

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string sha256_of(const std::string& bytes) {
  Sha256 hash;
  hash.update(as_bytes(bytes));
  return to_hex(hash.finish());
}

/// A node of 30 points, and a snapshot of when it had ten.
struct UploadServer : RealServer {
  std::string archive;   ///< its bytes
  std::string checksum;  ///< of them
  json before;

  explicit UploadServer(const std::string& format = "tar.gz") {
    const json made = created(post("/snapshots", json{{"format", format}}.dump()));
    archive = bytes_of_file(RealServer::archive(made["name"]));
    checksum = made["checksum"];
    REQUIRE(sha256_of(archive) == checksum);
    put_points(server->port(), 11, 30);
    before = stats();
  }
  [[nodiscard]] HttpAnswer upload(const std::string& body, const Headers& headers = kRaw,
                                  const std::string& query = "") const {
    return call(server->port(), "POST", "/snapshots/upload" + query, body, headers);
  }
  [[nodiscard]] json stats() const {
    return json::parse(call(server->port(), "GET", "/stats").body);
  }
  /// Files of snapshots/ that are on their way.
  [[nodiscard]] std::size_t arriving() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory / "data/snapshots"))
      count += entry.path().extension() == ".tmp" ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::size_t kept_before() const {
    std::size_t kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory / "data"))
      kept += entry.path().filename().string().starts_with("previous-") ? 1 : 0;
    return kept;
  }
  /// As if nothing had been asked.
  void check_untouched() const {
    CHECK(count() == 30);
    CHECK(stats()["epoch"] == before["epoch"]);
    CHECK(stats()["lsn"] == before["lsn"]);
    CHECK(arriving() == 0);
    CHECK(kept_before() == 0);
    CHECK((!std::filesystem::exists(directory / "data/tmp") ||
           std::filesystem::is_empty(directory / "data/tmp")));
  }
};

inline std::string head_of(std::uint16_t port, const std::string& headers) {
  return "PUT /snapshots/upload HTTP/1.1\r\nHost: localhost:" + std::to_string(port) + "\r\n" +
         headers + "\r\n";
}

}  // namespace vz::api::test
