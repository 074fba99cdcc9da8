// Calls that start jobs on a node, watch, await and cancel them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

// Every call: errors are kUnavailable (no answer) and those of answer.h. A job is the JSON object
// of GET /admin/jobs/{id}.

/// POST of a route that starts a job, or finds the same one running.
Result<nlohmann::json> start_job(HttpClient& http, const std::string& path);
Result<nlohmann::json> find_job(HttpClient& http, const std::string& id);
/// Newest first.
Result<nlohmann::json> list_jobs(HttpClient& http);
/// Asks it to end, if it runs; the job as it is then, which may still be running.
Result<nlohmann::json> cancel_job(HttpClient& http, const std::string& id);

struct JobWait {
  std::optional<std::chrono::milliseconds> timeout{};  ///< none: as long as it takes
  /// Called after each look, with 0 .. 1. False: the caller wants to wait no longer.
  std::function<bool(double share)> on_progress = [](double) { return true; };
};
/// Asks again and again until the job has ended, its last state. A node that stops to answer for a
/// few seconds, as in a restart, is waited for.
/// Errors: kDeadline (the timeout), kCancelled (on_progress said so): the job runs on.
Result<nlohmann::json> wait_for_job(HttpClient& http, const std::string& id, const JobWait& wait);

/// What became of a job that has ended, as the error that it stands for; its message names the job.
/// Errors: kCancelled; kUnavailable (interrupted by the end of the node); what a failed one says.
Status outcome_of_job(const nlohmann::json& job);

}  // namespace vz::drive
