// The body of an upload: a snapshot's archive, raw or as the one file of a form, written to a file
// of the snapshots' folder while it arrives.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/api/call.h"
#include "engine/net/multipart.h"
#include "engine/node/snapshot_upload.h"
#include "storage/base/sha256.h"

namespace vz::api {

/// As net::BodySink asks for; all that may wait for the disk is done on Service::upload_pool. When
/// it is destroyed, so is the file, unless take_archive() has given it away.
class UploadBody final : public net::BodySink, public std::enable_shared_from_this<UploadBody> {
 public:
  /// What the head says of the body. Errors: kInvalidArgument: a Content-Type that is neither
  /// multipart/form-data, sound, nor application/octet-stream, /gzip or /zstd; ?checksum that is no
  /// SHA-256; ?wait.
  static Result<std::shared_ptr<UploadBody>> create(Service& service, const Route& route,
                                                    const net::RequestHead& head,
                                                    std::optional<std::uint64_t> length_bytes);
  ~UploadBody() override;

  void begin(Done done) override;
  void write(std::string bytes, Done done) override;

  /// The archive, once, after the last piece. Errors: kInvalidArgument: the form was cut short.
  Result<std::shared_ptr<node::SnapshotUpload>> take_archive();
  [[nodiscard]] const std::optional<Sha256Digest>& expected_sha256() const { return expected_; }

 private:
  UploadBody(Service& service, const Route& route, std::string request_id,
             std::optional<std::uint64_t> length_bytes);

  Status take(std::string_view bytes);
  void run(const Done& done, std::function<Status(UploadBody&)> work);
  [[nodiscard]] std::optional<net::Response> refusal(const Status& status) const;

  Service& service_;
  const Route& route_;
  const std::string request_id_;
  const std::optional<std::uint64_t> length_bytes_;
  std::optional<net::MultipartFile> form_;  ///< none: the body is the archive
  std::optional<Sha256Digest> expected_;
  std::shared_ptr<node::SnapshotUpload> archive_;
};

/// The receiver of the routes of uploads.
Result<std::shared_ptr<net::BodySink>> receive_snapshot(Service& service, const Route& route,
                                                        const net::RequestHead& head,
                                                        std::optional<std::uint64_t> length_bytes);

}  // namespace vz::api
