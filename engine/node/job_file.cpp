#include "engine/node/job_file.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "engine/node/bounded_json.h"

namespace vz::node {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array kStatuses{JobStatus::kRunning, JobStatus::kCompleted, JobStatus::kFailed,
                               JobStatus::kCancelled, JobStatus::kInterrupted};
constexpr std::size_t kKindBytesMax = 32;

bool is_kind(std::string_view text) {
  return !text.empty() && text.size() <= kKindBytesMax && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || c == '-';
         });
}

std::optional<JobStatus> status_of(std::string_view name) {
  for (const JobStatus status : kStatuses)
    if (job_status_name(status) == name) return status;
  return std::nullopt;
}

std::optional<ErrorCode> code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i)
    if (error_code_name(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  return std::nullopt;
}

tl::unexpected<Error> wrong(std::string_view member, std::string_view wanted) {
  return fail(ErrorCode::kCorruption, std::string(member) + ": expected " + std::string(wanted));
}

Result<std::string> read_text(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return wrong(member, "a string");
  auto text = found->get<std::string>();
  if (text.size() > limits::kJobTextBytesMax) return wrong(member, "a shorter string");
  return text;
}

Result<std::int64_t> read_time(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_number_unsigned()) return wrong(member, "microseconds");
  constexpr std::uint64_t kYear3000Us = 32'503'680'000'000'000;
  const auto time_us = found->get<std::uint64_t>();
  if (time_us > kYear3000Us) return wrong(member, "a time before the year 3000");
  return static_cast<std::int64_t>(time_us);
}

Result<Error> read_error(const json& value) {
  if (!value.is_object()) return wrong("error", "an object");
  VZ_TRY_ASSIGN(const std::string name, read_text(value, "code"));
  VZ_TRY_ASSIGN(std::string message, read_text(value, "message"));
  const auto code = code_of(name);
  if (!code) return wrong("error.code", "the name of an error");
  return Error{*code, std::move(message)};
}

}  // namespace

std::string_view job_status_name(JobStatus status) {
  switch (status) {
    case JobStatus::kRunning:
      return "running";
    case JobStatus::kCompleted:
      return "completed";
    case JobStatus::kFailed:
      return "failed";
    case JobStatus::kCancelled:
      return "cancelled";
    case JobStatus::kInterrupted:
      return "interrupted";
  }
  return "";
}

std::string job_id(std::string_view kind, std::uint64_t number) {
  VZ_ASSERT(is_kind(kind));
  return std::string(kind) + "-" + std::to_string(number);
}

std::optional<std::uint64_t> job_number(std::string_view id) {
  const std::size_t dash = id.rfind('-');
  if (dash == std::string_view::npos || !is_kind(id.substr(0, dash))) return std::nullopt;
  const std::string_view digits = id.substr(dash + 1);
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  // Rendered again, so that no second spelling of an id is taken for ours.
  if (read.ec != std::errc() || std::to_string(number) != digits) return std::nullopt;
  return number;
}

std::string encode_job(const JobInfo& job) {
  json out = {{"job_id", job.id},           {"kind", job.kind},
              {"object", job.object},       {"status", job_status_name(job.status)},
              {"progress", job.progress},   {"started_at_us", job.started_us},
              {"ended_at_us", job.ended_us}};
  if (!job.result.empty()) out["result"] = json::parse(job.result);
  if (job.error)
    out["error"] = {{"code", error_code_name(job.error->code)},
                    {"message", job.error->message.substr(0, limits::kJobTextBytesMax)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<JobInfo> decode_job(std::string_view text, std::string_view id) {
  const auto parsed = parse_bounded(text);
  if (!parsed) return wrong("the file", "JSON");
  const json& object = *parsed;
  if (!object.is_object()) return wrong("the file", "a JSON object");
  JobInfo job;
  VZ_TRY_ASSIGN(job.id, read_text(object, "job_id"));
  VZ_TRY_ASSIGN(job.kind, read_text(object, "kind"));
  const auto number = job_number(job.id);
  if (job.id != id || !number || !is_kind(job.kind) || job_id(job.kind, *number) != job.id)
    return wrong("job_id", "'" + std::string(id) + "', of its kind");
  VZ_TRY_ASSIGN(job.object, read_text(object, "object"));
  VZ_TRY_ASSIGN(const std::string status_name, read_text(object, "status"));
  const auto status = status_of(status_name);
  if (!status) return wrong("status", "the name of a status");
  job.status = *status;
  const auto progress = object.find("progress");
  if (progress == object.end() || !progress->is_number()) return wrong("progress", "a number");
  job.progress = progress->get<double>();
  if (!(job.progress >= 0 && job.progress <= 1)) return wrong("progress", "a share of 0 to 1");
  VZ_TRY_ASSIGN(job.started_us, read_time(object, "started_at_us"));
  VZ_TRY_ASSIGN(job.ended_us, read_time(object, "ended_at_us"));
  if (const auto result = object.find("result"); result != object.end()) {
    if (!result->is_object()) return wrong("result", "an object");
    job.result = result->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  if (const auto error = object.find("error"); error != object.end()) {
    VZ_TRY_ASSIGN(job.error, read_error(*error));
  }
  return job;
}

}  // namespace vz::node
