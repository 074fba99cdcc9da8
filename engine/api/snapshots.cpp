// Routes of snapshots, of the whole node and of one collection. What lasts long runs on the
// snapshots' own thread.
#include <algorithm>

#include "engine/api/call.h"
#include "engine/api/cold_body.h"
#include "engine/api/file_answer.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/upload_body.h"
#include "engine/api/write_parameters.h"
#include "storage/base/log.h"

namespace vz::api {
namespace {

struct RecoverRequest {
  std::string location;
  std::string checksum;
};

/// Errors: kInvalidArgument naming the field.
Status check_fields(const json& body, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : body.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      return tl::unexpected<Error>(within(format_error("unknown field"), key));
  }
  return {};
}

Result<archive::ArchiveFormat> decode_create_snapshot(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  VZ_TRY(check_fields(object, {"format"}));
  const json* format = find(object, "format");
  if (format == nullptr) return archive::ArchiveFormat::kTarGzip;
  VZ_TRY_ASSIGN(const std::string name, read_text(*format, "format"));
  if (name == "tar.gz") return archive::ArchiveFormat::kTarGzip;
  if (name == "tar.zst") return archive::ArchiveFormat::kTarZstd;
  return wrong_type("format", "\"tar.gz\" or \"tar.zst\"");
}

/// `priority` and `api_key` are Qdrant's, and mean nothing to one node and a local file.
Result<RecoverRequest> decode_recover_snapshot(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  VZ_TRY(check_fields(object, {"location", "checksum", "priority", "api_key"}));
  const json* location = find(object, "location");
  if (location == nullptr) return tl::unexpected<Error>(missing_field("location"));
  RecoverRequest out;
  VZ_TRY_ASSIGN(out.location, read_text(*location, "location"));
  if (const json* checksum = find(object, "checksum"); checksum != nullptr) {
    VZ_TRY_ASSIGN(out.checksum, read_text(*checksum, "checksum"));
  }
  return out;
}

/// Runs `work` on the snapshots' thread and answers what it gives, JSON text. Qdrant waits unless
/// it is told otherwise: then the answer is 202, and what becomes of it stands in the log.
void run_long(const std::shared_ptr<Call>& call, std::string_view what,
              std::function<Result<std::string>()> work) {
  const auto waits = read_wait(call->head(), Wait::kYes);
  if (!waits) return call->answer_error(waits.error());
  const bool waited = *waits == Wait::kYes;
  const Status taken = call->service().snapshot_pool->submit(
      [call = waited ? call : nullptr, what, work = std::move(work)] {
        auto result = work();
        if (!result)
          LogEvent(LogLevel::kWarn, "snapshot_failed")
              .with("work", what)
              .with("code", error_code_name(result.error().code))
              .with("reason", result.error().message);
        if (call != nullptr) call->answer_result(std::move(result));
      });
  if (!taken) return call->answer_error(taken.error());
  if (!waited) call->answer_accepted();
}

/// Qdrant's SnapshotDescription.
void append_description(std::string& out, const snapshot::ArchiveInfo& info) {
  const auto text_or_null = [&out](const std::string& text) {
    if (text.empty()) {
      out += "null";
    } else {
      append_string(out, text);
    }
  };
  out += "{\"name\":";
  append_string(out, info.name);
  out += ",\"creation_time\":";
  text_or_null(info.created);
  out += ",\"size\":";
  append_number(out, info.size_bytes);
  out += ",\"checksum\":";
  text_or_null(info.sha256);
  out += '}';
}

/// Whose snapshots the path means. Of a collection that is gone they may still be there.
node::Snapshots::Of whose(const Call& call) {
  if (!call.route().pattern.starts_with("/collections/")) return node::Snapshots::kNode;
  const std::string& name = call.argument(0);
  const auto found = call.node().find(name);
  return found != nullptr ? found->name() : name;  // It may be an alias.
}

/// What a recovery is to become: a collection under just this name, which need not exist.
node::Snapshots::Of target_of(const Call& call) {
  if (!call.route().pattern.starts_with("/collections/")) return node::Snapshots::kNode;
  return call.argument(0);
}

/// The snapshot's name in the path.
const std::string& snapshot_name(const Call& call, const node::Snapshots::Of& of) {
  return call.argument(of ? 1 : 0);
}

}  // namespace

void create_snapshot(std::shared_ptr<Call> call) {
  const auto format = decode_create_snapshot(call->body());
  if (!format) return call->answer_error(format.error());
  const auto of = whose(*call);
  if (of && call->node().find(*of) == nullptr)
    return call->answer_error(call->no_such_collection(*of));
  node::Snapshots* snapshots = call->service().snapshots;
  run_long(call, "create", [snapshots, of, format = *format]() -> Result<std::string> {
    VZ_TRY_ASSIGN(const auto made, snapshots->create(of, format));
    std::string out;
    append_description(out, made);
    return out;
  });
}

void list_snapshots(std::shared_ptr<Call> call) {
  Call::offload(call, [call] {
    const auto of = whose(*call);
    const auto list = call->service().snapshots->list(of);
    if (!list) return call->answer_error(list.error());
    if (of && list->empty() && call->node().find(*of) == nullptr)
      return call->answer_error(call->no_such_collection(*of));
    std::string out = "[";
    for (const auto& info : *list) {
      if (out.size() > 1) out += ',';
      append_description(out, info);
    }
    out += ']';
    call->answer(std::move(out));
  });
}

void get_snapshot(std::shared_ptr<Call> call) {
  Call::offload(call, [call] {
    const auto of = whose(*call);
    const std::string& name = snapshot_name(*call, of);
    auto opened = call->service().snapshots->open(of, name);
    if (!opened) return call->answer_error(opened.error());
    net::Response response =
        file_response(call->head(), std::move(opened->file), opened->size_bytes,
                      name + "-" + std::to_string(opened->size_bytes), *call->service().pool);
    if (name.ends_with(".json")) response.content_type = "application/json";
    call->answer_response(std::move(response));
  });
}

void delete_snapshot(std::shared_ptr<Call> call) {
  Call::offload(call, [call] {
    const auto of = whose(*call);
    const Status removed = call->service().snapshots->remove(of, snapshot_name(*call, of));
    if (!removed) return call->answer_error(removed.error());
    call->answer("true");
  });
}

void recover_snapshot(std::shared_ptr<Call> call) {
  auto request = decode_recover_snapshot(call->body());
  if (!request) return call->answer_error(request.error());
  node::Snapshots* snapshots = call->service().snapshots;
  const auto of = target_of(*call);
  call->tell_audit("location=" + request->location);
  run_long(call, "recover",
           [snapshots, of, request = *std::move(request)]() -> Result<std::string> {
             VZ_TRY(snapshots->recover(of, request.location, request.checksum));
             return std::string("true");
           });
}

void upload_snapshot(std::shared_ptr<Call> call) {
  const auto body = std::dynamic_pointer_cast<UploadBody>(call->sink());
  if (body == nullptr)
    return call->answer_error({ErrorCode::kInternal, "the body has gone elsewhere"});
  node::Snapshots* snapshots = call->service().snapshots;
  const auto of = target_of(*call);
  run_long(call, "upload", [snapshots, of, body]() -> Result<std::string> {
    VZ_TRY_ASSIGN(const auto archive, body->take_archive());
    VZ_TRY(snapshots->recover(of, *archive, body->expected_sha256()));
    return std::string("true");
  });
}

}  // namespace vz::api
