#include "engine/api/upload_body.h"

#include <array>
#include <exception>
#include <utility>

#include "engine/api/write_parameters.h"
#include "engine/net/header_text.h"

namespace vz::api {
namespace {

constexpr const char* kField = "snapshot";  ///< of the form, as Qdrant names it
constexpr std::array<std::string_view, 3> kRawTypes = {"application/octet-stream",
                                                       "application/gzip", "application/zstd"};

bool is_raw(std::string_view content_type) {
  const std::string_view type = net::trimmed(content_type.substr(0, content_type.find(';')));
  return type.empty() || std::any_of(kRawTypes.begin(), kRawTypes.end(), [type](auto raw) {
           return net::equals_ignoring_case(type, raw);
         });
}

}  // namespace

UploadBody::UploadBody(Service& service, const Route& route, std::string request_id,
                       std::optional<std::uint64_t> length_bytes)
    : service_(service),
      route_(route),
      request_id_(std::move(request_id)),
      length_bytes_(length_bytes) {}

Result<std::shared_ptr<UploadBody>> UploadBody::create(Service& service, const Route& route,
                                                       const net::RequestHead& head,
                                                       std::optional<std::uint64_t> length_bytes) {
  const std::shared_ptr<UploadBody> body(
      new UploadBody(service, route, head.request_id, length_bytes));
  VZ_TRY(read_wait(head, Wait::kYes));  // The handler asks again, when it is too late to refuse.
  VZ_TRY_ASSIGN(body->expected_,
                node::parse_checksum(std::string(head.parameter("checksum").value_or(""))));
  const std::string_view type = head.header("content-type").value_or("");
  if (net::MultipartFile::is_form(type)) {
    VZ_TRY_ASSIGN(body->form_, net::MultipartFile::create(type, kField));
  } else if (!is_raw(type)) {
    return fail(ErrorCode::kInvalidArgument,
                "a snapshot comes as multipart/form-data with the file in the field 'snapshot', or "
                "as it is with the Content-Type application/octet-stream, application/gzip, "
                "application/zstd or none");
  }
  return body;
}

/// A large file takes its time to go: not on an io thread.
UploadBody::~UploadBody() {
  if (archive_ == nullptr) return;
  (void)service_.upload_pool->submit([archive = std::move(archive_)] {});
}

std::optional<net::Response> UploadBody::refusal(const Status& status) const {
  if (status) return std::nullopt;
  auto response = error_response(status.error(), route_.envelope, request_id_, 0);
  service_.numbers.count_refused(route_, response.status);
  return response;
}

void UploadBody::run(const Done& done, std::function<Status(UploadBody&)> work) {
  auto guarded = [self = shared_from_this(), done, work = std::move(work)] {
    Status status;
    try {
      status = work(*self);
    } catch (const std::exception&) {
      status = fail(ErrorCode::kExhausted, "no memory is left for the upload");
    }
    done(self->refusal(status));
  };
  if (Status taken = service_.upload_pool->submit(std::move(guarded)); !taken) done(refusal(taken));
}

void UploadBody::begin(Done done) {
  run(done, [](UploadBody& self) -> Status {
    VZ_TRY_ASSIGN(self.archive_, self.service_.snapshots->begin_upload(self.length_bytes_));
    return {};
  });
}

void UploadBody::write(std::string bytes, Done done) {
  run(done, [bytes = std::move(bytes)](UploadBody& self) { return self.take(bytes); });
}

Status UploadBody::take(std::string_view bytes) {
  if (!form_) return archive_->write(as_bytes(bytes));
  return form_->feed(
      bytes, [this](std::string_view content) { return archive_->write(as_bytes(content)); });
}

Result<std::shared_ptr<node::SnapshotUpload>> UploadBody::take_archive() {
  if (form_) VZ_TRY(form_->finish());
  return std::exchange(archive_, nullptr);
}

Result<std::shared_ptr<net::BodySink>> receive_snapshot(Service& service, const Route& route,
                                                        const net::RequestHead& head,
                                                        std::optional<std::uint64_t> length_bytes) {
  VZ_TRY_ASSIGN(auto body, UploadBody::create(service, route, head, length_bytes));
  return std::static_pointer_cast<net::BodySink>(std::move(body));
}

}  // namespace vz::api
