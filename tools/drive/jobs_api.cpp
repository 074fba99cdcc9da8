#include "tools/drive/jobs_api.h"

#include <algorithm>
#include <thread>

#include <nlohmann/json.hpp>

#include "tools/drive/answer.h"
#include "tools/drive/url.h"

namespace vz::drive {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kJobs = "/admin/jobs";
constexpr auto kFirstPause = std::chrono::milliseconds(20);
constexpr auto kLongestPause = std::chrono::milliseconds(500);
constexpr auto kSilencePatience = std::chrono::seconds(15);  ///< a restart of the node

std::string path_of(const std::string& id) {
  return std::string(kJobs) + "/" + path_part(id);
}

bool is_job(const json& said) {
  return said.is_object() && said.contains("job_id") && said["job_id"].is_string() &&
         said.contains("status") && said["status"].is_string();
}

/// Routes of jobs answer 202 while the job runs.
Result<json> call(HttpClient& http, std::string_view method, const std::string& path) {
  VZ_TRY_ASSIGN(HttpAnswer answer, http.request(method, path, ""));
  if (answer.status == 202) answer.status = 200;
  const std::string name = std::string(method) + " " + path;
  VZ_TRY_ASSIGN(json job, json_of(name, answer));
  if (is_job(job)) return job;
  return fail(ErrorCode::kIncompatible, name + " answered without a job: no node of ours");
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

double progress_of(const json& job) {
  const auto found = job.find("progress");
  return found != job.end() && found->is_number() ? found->get<double>() : 0.0;
}

ErrorCode code_named(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code)
    if (error_code_name(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  return ErrorCode::kInternal;
}

}  // namespace

Result<json> start_job(HttpClient& http, const std::string& path) {
  return call(http, "POST", path);
}

Result<json> find_job(HttpClient& http, const std::string& id) {
  return call(http, "GET", path_of(id));
}

Result<json> cancel_job(HttpClient& http, const std::string& id) {
  return call(http, "DELETE", path_of(id));
}

Result<json> list_jobs(HttpClient& http) {
  VZ_TRY_ASSIGN(json answer, call_json(http, "GET", kJobs, ""));
  const bool ours = answer.is_object() && answer.contains("jobs") && answer["jobs"].is_array() &&
                    std::all_of(answer["jobs"].begin(), answer["jobs"].end(), is_job);
  if (ours) return std::move(answer["jobs"]);
  return fail(ErrorCode::kIncompatible, "GET /admin/jobs answered without jobs: no node of ours");
}

Result<json> wait_for_job(HttpClient& http, const std::string& id, const JobWait& wait) {
  const auto begin = Clock::now();
  auto heard = begin;
  auto pause = kFirstPause;
  bool answered = false;
  for (double share = 0;;) {
    auto job = find_job(http, id);
    const auto now = Clock::now();
    if (job) {
      answered = true;
      heard = now;
      if ((*job)["status"] != "running") return job;
      share = progress_of(*job);
    } else if (!answered || job.error().code != ErrorCode::kUnavailable ||
               now - heard > kSilencePatience) {
      return job;
    }
    if (!wait.on_progress(share))
      return fail(ErrorCode::kCancelled, "no longer waiting for job " + id + ", which runs on");
    if (wait.timeout && now - begin >= *wait.timeout)
      return fail(ErrorCode::kDeadline, "job " + id + " still runs; it is not cancelled");
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::milliseconds>(pause * 3 / 2, kLongestPause);
  }
}

Status outcome_of_job(const json& job) {
  const std::string status = text_of(job, "status");
  if (status == "completed" || status == "running") return {};
  const std::string what = "job " + text_of(job, "job_id");
  if (status == "cancelled") return fail(ErrorCode::kCancelled, what + " was cancelled");
  if (status == "interrupted")
    return fail(ErrorCode::kUnavailable,
                what + " was interrupted by the end of the node: start it again");
  const json error = job.value("error", json::object());
  return fail(code_named(text_of(error, "code")), what + " failed: " + text_of(error, "message"));
}

}  // namespace vz::drive
