// Routes of the integrity check: a job, and the verdict of the last one.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/api/call.h"
#include "engine/api/handlers.h"
#include "engine/api/integrity_json.h"
#include "engine/api/job_answers.h"
#include "engine/api/json_text.h"
#include "engine/node/maintenance.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

constexpr const char* kKind = "integrity-check";

/// Names in place of aliases, sorted, each once: so that there is one job of the same collections.
/// Errors: kNotFound.
Result<std::vector<std::string>> resolve(const Call& call, const std::vector<std::string>& names) {
  std::set<std::string> resolved;
  for (const std::string& name : names) {
    const auto reader = call.node().find(name);
    if (reader == nullptr) return tl::unexpected<Error>(call.no_such_collection(name));
    resolved.insert(reader->name());
  }
  return std::vector<std::string>(resolved.begin(), resolved.end());
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

/// Seconds between two times; 0 if the clock went back.
double seconds_between(std::int64_t begin_us, std::int64_t end_us) {
  return static_cast<double>(std::max<std::int64_t>(end_us - begin_us, 0)) / 1e6;
}

std::string status_json(const node::JobInfo& job) {
  std::string out = "{\"status\":";
  append_string(out, job_status_name(job.status));
  out += ",\"job_id\":";
  append_string(out, job.id);
  out += ",\"object\":";
  append_string(out, job.object);
  out += ",\"progress\":";
  append_number(out, job.progress);
  out += ",\"started_at\":";
  append_string(out, rfc3339(job.started_us));
  out += ",\"ended_at\":";
  if (job.ended_us == 0) {
    out += "null";
  } else {
    append_string(out, rfc3339(job.ended_us));
  }
  if (job.error) {
    out += ",\"reason\":";
    append_string(out, job.error->message);
  }
  node::IntegrityReport none;
  if (job.ended_us != 0) none.duration_seconds = seconds_between(job.started_us, job.ended_us);
  const std::string result = job.result.size() > 2 ? job.result : integrity_json(none);
  out += ',';
  out.append(result, 1);
  out += '\n';
  return out;
}

}  // namespace

void check_integrity(std::shared_ptr<Call> call) {
  auto request = decode_integrity_request(call->body());
  if (!request) return call->answer_error(request.error());
  auto names = resolve(*call, request->collections);
  if (!names) return call->answer_error(names.error());
  request->collections = *std::move(names);
  std::string object = joined(request->collections);
  auto work = [node = call->shared_node(), request = *std::move(request)](
                  const node::JobContext& context) -> Result<std::string> {
    const node::Watch watch{.stop = context.stop, .on_progress = context.on_progress};
    VZ_TRY_ASSIGN(const auto report, node->maintenance().check_integrity(
                                         request, watch, [&](const node::IntegrityReport& so_far) {
                                           context.on_partial(integrity_json(so_far));
                                         }));
    return integrity_json(report);
  };
  run_job(std::move(call), kKind, std::move(object), std::move(work));
}

void get_integrity(std::shared_ptr<Call> call) {
  const auto jobs = call->service().nodes->jobs().list();
  const auto newest =
      std::find_if(jobs.begin(), jobs.end(), [](const auto& job) { return job.kind == kKind; });
  if (newest != jobs.end()) return call->answer(status_json(*newest));
  std::string out = "{\"status\":\"never_run\",\"progress\":0,";
  out.append(integrity_json({}), 1);
  out += '\n';
  call->answer(std::move(out));
}

}  // namespace vz::api
