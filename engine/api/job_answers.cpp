#include "engine/api/job_answers.h"

#include <utility>

#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/write_parameters.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

using node::JobInfo;
using node::JobStatus;

void append_head(std::string& out, const JobInfo& job) {
  out += "\"job_id\":";
  append_string(out, job.id);
  out += ",\"kind\":";
  append_string(out, job.kind);
  out += ",\"object\":";
  append_string(out, job.object);
  out += ",\"status\":";
  append_string(out, job_status_name(job.status));
}

void append_time(std::string& out, std::int64_t time_us) {
  if (time_us == 0) {
    out += "null";
  } else {
    append_string(out, rfc3339(time_us));
  }
}

/// The job's head, then the members of its result.
std::string result_json(const JobInfo& job) {
  std::string out = "{";
  append_head(out, job);
  if (job.result.size() > 2) {  // More than {}.
    out += ',';
    out.append(job.result, 1, job.result.size() - 2);
  }
  out += "}\n";
  return out;
}

std::string job_json(const JobInfo& job) {
  std::string out;
  append_job(out, job);
  out += '\n';
  return out;
}

void answer_ended(Call& call, const JobInfo& job) {
  if (job.status == JobStatus::kCompleted) return call.answer(result_json(job));
  const std::string what = "job " + job.id + " was " + std::string(job_status_name(job.status));
  if (job.status == JobStatus::kCancelled)
    return call.answer_error({ErrorCode::kFailedPrecondition, what});
  if (job.status == JobStatus::kInterrupted || !job.error)
    return call.answer_error(
        {ErrorCode::kUnavailable, what + " by the end of the node: start it again"});
  call.answer_error({job.error->code, "job " + job.id + " failed: " + job.error->message});
}

}  // namespace

void append_job(std::string& out, const JobInfo& job) {
  out += '{';
  append_head(out, job);
  out += ",\"progress\":";
  append_number(out, job.progress);
  out += ",\"started_at\":";
  append_time(out, job.started_us);
  out += ",\"ended_at\":";
  append_time(out, job.ended_us);
  if (!job.result.empty()) {
    out += ",\"result\":";
    out += job.result;
  }
  if (job.error) {
    out += ",\"error\":{\"code\":";
    append_string(out, error_code_name(job.error->code));
    out += ",\"message\":";
    append_string(out, job.error->message);
    out += '}';
  }
  out += '}';
}

void run_job(std::shared_ptr<Call> call, std::string kind, std::string object, node::JobWork work) {
  const auto wait = read_write_parameters(call->head());
  if (!wait) return call->answer_error(wait.error());
  // Its file is written before it is answered: not on the io thread.
  Call::offload(call, [call, kind = std::move(kind), object = std::move(object),
                       work = std::move(work), wait = *wait] {
    node::Jobs& jobs = call->service().nodes->jobs();
    const auto started = jobs.start(kind, object, work);
    if (!started) return call->answer_error(started.error());
    if (wait == Wait::kNo) return call->answer_json(202, job_json(*started));
    const Status known =
        jobs.when_ended(started->id, [call](const JobInfo& ended) { answer_ended(*call, ended); });
    if (!known) call->answer_error(known.error());
  });
}

void list_jobs(std::shared_ptr<Call> call) {
  const auto jobs = call->service().nodes->jobs().list();
  std::string out = "{\"jobs\":[";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (i > 0) out += ',';
    append_job(out, jobs[i]);
  }
  out += "]}\n";
  call->answer(std::move(out));
}

void get_job(std::shared_ptr<Call> call) {
  const auto job = call->service().nodes->jobs().find(call->argument(0));
  if (!job) return call->answer_error(job.error());
  call->answer(job_json(*job));
}

void cancel_job(std::shared_ptr<Call> call) {
  const auto job = call->service().nodes->jobs().cancel(call->argument(0));
  if (!job) return call->answer_error(job.error());
  call->answer_json(job->status == JobStatus::kRunning ? 202 : 200, job_json(*job));
}

}  // namespace vz::api
