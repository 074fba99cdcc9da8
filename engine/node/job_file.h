// What is known of a job, and the file it is kept in: DATA/jobs/<id>.json.
//
// One JSON object, such as
//   {"job_id":"optimize-17","kind":"optimize","object":"words","status":"completed","progress":1.0,
//    "started_at_us":1764039600000000,"ended_at_us":1764039612000000,"result":{..}}
// with "error":{"code","message"} in place of "result", or beside what was known by then, when it
// failed. Published whole (publish_file), so a crash leaves the version before or this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::node {

enum class JobStatus : std::uint8_t {
  kRunning,
  kCompleted,
  kFailed,
  kCancelled,    ///< somebody asked for that
  kInterrupted,  ///< the node ended, or its content was replaced, before the job was done
};
std::string_view job_status_name(JobStatus status);

struct JobInfo {
  std::string id;      ///< "<kind>-<number>"; no number is given out twice
  std::string kind;    ///< lower-case letters and '-', such as "optimize"
  std::string object;  ///< what it works on, such as a collection's name; "": the node
  JobStatus status = JobStatus::kRunning;
  double progress = 0;  ///< 0 .. 1
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;                  ///< 0 while it runs
  std::string result = {};                    ///< text of a JSON object; "" without one; else so far
  std::optional<Error> error = std::nullopt;  ///< why it is not completed
};

/// "optimize" and 17: "optimize-17".
std::string job_id(std::string_view kind, std::uint64_t number);
/// The number of a job's id; nothing for any other text.
std::optional<std::uint64_t> job_number(std::string_view id);

std::string encode_job(const JobInfo& job);
/// `text` may be anything. id: what the file's name says. Errors: kCorruption, naming the member.
Result<JobInfo> decode_job(std::string_view text, std::string_view id);

}  // namespace vz::node
