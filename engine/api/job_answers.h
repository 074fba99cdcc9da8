// Answers about jobs, and how a handler starts one.
#pragma once

#include <memory>
#include <string>

#include "engine/api/call.h"
#include "engine/node/jobs.h"

namespace vz::api {

/// {"job_id","kind","object","status","progress","started_at","ended_at","result"?,"error"?}.
void append_job(std::string& out, const node::JobInfo& job);

/// Starts `work`, or finds the job of this kind and object that runs, and answers 202 with it; with
/// ?wait=true answers when it has ended: 200, the job's head and the members of its result, or its
/// error. No thread waits for that.
void run_job(std::shared_ptr<Call> call, std::string kind, std::string object, node::JobWork work);

}  // namespace vz::api
