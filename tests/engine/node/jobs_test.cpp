// Jobs: one of a kind and object at a time, files that outlive the process, cancel, hostile files.
#include "engine/node/jobs.h"

#include <future>

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"

using namespace vz;
using node::JobInfo;
using node::Jobs;
using node::JobStatus;

namespace {

constexpr const char* kDirectory = "/data";

void make_directories(FaultEnv& env) {
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory(kDirectory));
}

JobInfo ended(Jobs& jobs, const std::string& id) {
  std::promise<JobInfo> promise;
  REQUIRE(jobs.when_ended(id, [&](const JobInfo& info) { promise.set_value(info); }));
  auto answer = promise.get_future();
  REQUIRE(answer.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  return answer.get();
}

/// Runs until it is stopped.
Result<std::string> endless(const node::JobContext& context) {
  std::promise<void> stopped;
  const std::stop_callback on_stop(context.stop, [&] { stopped.set_value(); });
  stopped.get_future().wait();
  return fail(ErrorCode::kCancelled, "stopped");
}

std::string file_of(FaultEnv& env, const std::string& id) {
  const auto bytes = read_file(env, std::string(kDirectory) + "/jobs/" + id + ".json", 1u << 20);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "";
}

}  // namespace

TEST_CASE("jobs: the result of a job is in its file, and is found after a restart",
          "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  std::string id;
  {
    Jobs jobs(env, kDirectory);
    REQUIRE(jobs.open());
    const auto started = jobs.start("optimize", "docs", [](const node::JobContext& context) {
      context.on_progress(0.5);
      return Result<std::string>(R"({"b":1,"a":2})");
    });
    REQUIRE(started);
    id = started->id;
    CHECK(ended(jobs, id).status == JobStatus::kCompleted);
    env.lose_power_worst();
  }

  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());

  const auto found = jobs.find(id);
  REQUIRE(found);
  CHECK(found->status == JobStatus::kCompleted);
  CHECK(found->object == "docs");
  CHECK(found->progress == 1);
  CHECK(found->result == R"({"b":1,"a":2})");
}

TEST_CASE("jobs: a second start of a kind on an object finds the job that runs", "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());
  const auto first = jobs.start("optimize", "docs", endless);
  REQUIRE(first);

  const auto again = jobs.start("optimize", "docs", endless);
  const auto other = jobs.start("optimize", "words", endless);

  REQUIRE(again);
  REQUIRE(other);
  CHECK(again->id == first->id);
  CHECK(other->id != first->id);
  CHECK(jobs.running() == 2);
  REQUIRE(jobs.cancel(first->id));
  CHECK(ended(jobs, first->id).status == JobStatus::kCancelled);
  jobs.stop();
  CHECK(jobs.find(other->id)->status == JobStatus::kInterrupted);
  CHECK(jobs.start("gc", "", endless).error().code == ErrorCode::kUnavailable);
}

TEST_CASE("jobs: one that a crash ended is interrupted at the next open", "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  const JobInfo running{.id = "compact-7", .kind = "compact", .object = "", .started_us = 5};
  REQUIRE(env.make_directory(std::string(kDirectory) + "/jobs"));
  REQUIRE(env.put_file(std::string(kDirectory) + "/jobs/compact-7.json",
                       as_bytes(encode_job(running))));

  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());

  CHECK(jobs.find("compact-7")->status == JobStatus::kInterrupted);
  CHECK(file_of(env, "compact-7").find("\"interrupted\"") != std::string::npos);
  const auto next = jobs.start("gc", "", [](const node::JobContext&) -> Result<std::string> {
    return fail(ErrorCode::kNoSpace, "full");
  });
  REQUIRE(next);
  CHECK(next->id == "gc-8");
  CHECK(ended(jobs, "gc-8").error->code == ErrorCode::kNoSpace);
  CHECK(jobs.find("gc-8")->status == JobStatus::kFailed);
}

TEST_CASE("jobs: the oldest ended ones are forgotten, with their files", "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());
  jobs.keep(2);

  for (int i = 0; i < 4; ++i) {
    const auto started =
        jobs.start("gc", "", [](const node::JobContext&) { return Result<std::string>("{}"); });
    REQUIRE(started);
    (void)ended(jobs, started->id);
  }

  const auto left = jobs.list();
  REQUIRE(left.size() == 2);
  CHECK(left[0].id == "gc-4");
  CHECK(left[1].id == "gc-3");
  CHECK(file_of(env, "gc-2").empty());
  CHECK_FALSE(file_of(env, "gc-3").empty());
}

TEST_CASE("job file: no byte that is missing or changed is taken for something else",
          "[node][jobs]") {
  JobInfo job{.id = "gc-3", .kind = "gc", .object = "x", .started_us = 1};
  job.result = R"({"n":1})";
  const std::string good = encode_job(job);
  REQUIRE(node::decode_job(good, "gc-3"));
  CHECK(node::decode_job(good, "gc-4").error().code == ErrorCode::kCorruption);

  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(node::decode_job(std::string_view(good).substr(0, size), "gc-3"));
  }
  for (
      const char* bad :
      {"[]", "7", R"({"job_id":"gc-3"})",
       R"({"job_id":"gc-3","kind":"gc","object":"","status":"odd","progress":0,"started_at_us":1,"ended_at_us":0})",
       R"({"job_id":"gc-3","kind":"gc","object":"","status":"running","progress":7,"started_at_us":1,"ended_at_us":0})",
       R"({"job_id":"gc-3","kind":"gc","object":"","status":"running","progress":0,"started_at_us":-1,"ended_at_us":0})"}) {
    CAPTURE(bad);
    CHECK(node::decode_job(bad, "gc-3").error().code == ErrorCode::kCorruption);
  }
  CHECK_FALSE(node::decode_job(std::string(100'000, '['), "gc-3"));
}

TEST_CASE("jobs: a result that is too long for its file is left out, and said to be",
          "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());
  const auto started = jobs.start("compact", "", [](const node::JobContext&) {
    return Result<std::string>("{\"a\":\"" + std::string(limits::kJobResultBytesMax, 'x') + "\"}");
  });
  REQUIRE(started);

  const JobInfo job = ended(jobs, started->id);

  CHECK(job.status == JobStatus::kCompleted);
  CHECK(job.result == R"({"truncated":true})");
}

TEST_CASE("jobs: what is known so far is shown while it runs, and kept if it does not complete",
          "[node][jobs]") {
  FaultEnv env;
  make_directories(env);
  Jobs jobs(env, kDirectory);
  REQUIRE(jobs.open());
  std::promise<void> told;
  const auto started = jobs.start("integrity-check", "docs", [&](const node::JobContext& context) {
    context.on_partial(R"({"errors":1})");
    context.on_partial(std::string(limits::kJobResultBytesMax + 1, ' '));  // Too large: not kept.
    told.set_value();
    return endless(context);
  });
  REQUIRE(started);
  told.get_future().wait();

  const auto running = jobs.find(started->id);
  REQUIRE(jobs.cancel(started->id));
  const JobInfo cancelled = ended(jobs, started->id);

  REQUIRE(running);
  CHECK(running->status == JobStatus::kRunning);
  CHECK(running->result == R"({"errors":1})");
  CHECK(cancelled.status == JobStatus::kCancelled);
  CHECK(cancelled.result == R"({"errors":1})");
  const auto kept = node::decode_job(file_of(env, started->id), started->id);
  REQUIRE(kept);
  CHECK(kept->result == R"({"errors":1})");
  CHECK(kept->error);
}
