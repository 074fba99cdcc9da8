#include "engine/node/jobs.h"

#include <algorithm>
#include <ctime>
#include <system_error>
#include <thread>

#include <pthread.h>

#include "engine/runtime/background_thread.h"
#include "engine/runtime/wall_clock.h"
#include "storage/base/log.h"

namespace vz::node {
namespace {

constexpr std::string_view kExtension = ".json";

tl::unexpected<Error> no_such_job(const std::string& id) {
  return fail(ErrorCode::kNotFound,
              "there is no job '" + id.substr(0, limits::kNameBytesMax) + "'");
}

}  // namespace

Jobs::Jobs(Env& env, const std::string& data_dir, std::chrono::milliseconds save_every)
    : env_(env), data_dir_(data_dir), directory_(data_dir + "/jobs"), save_every_(save_every) {}

Jobs::~Jobs() {
  stop();
}

std::string Jobs::path_of(const std::string& id) const {
  return directory_ + "/" + id + std::string(kExtension);
}

Status Jobs::save(const JobInfo& info) {
  if (!env_.exists(directory_)) {
    VZ_TRY(env_.create_directory(directory_));
    VZ_TRY(env_.sync_directory(data_dir_));
  }
  return publish_file(env_, path_of(info.id), as_bytes(encode_job(info)));
}

void Jobs::save_or_log(const JobInfo& info) {
  if (const Status saved = save(info); !saved)
    LogEvent(LogLevel::kError, "job_not_recorded")
        .with("job", info.id)
        .with("reason", saved.error().message);
}

Status Jobs::open() {
  VZ_TRY(read_all());
  std::vector<JobInfo> interrupted;
  std::vector<std::string> old;
  {
    MutexLock lock(mutex_);
    for (const auto& [number, job] : jobs_) {
      if (job->info.status != JobStatus::kRunning) continue;
      job->info.status = JobStatus::kInterrupted;
      job->info.ended_us = runtime::unix_time_us();
      job->info.error = Error{ErrorCode::kCancelled, "the node ended before the job did"};
      interrupted.push_back(job->info);
    }
    old = forget_old();
  }
  for (const JobInfo& info : interrupted) save_or_log(info);
  for (const std::string& path : old) (void)env_.remove(path);
  return {};
}

Status Jobs::read_all() {
  if (!env_.exists(directory_)) return {};
  VZ_TRY_ASSIGN(const auto entries, env_.list(directory_));
  for (const DirectoryEntry& entry : entries) {
    if (!entry.name.ends_with(kExtension)) continue;
    const std::string id = entry.name.substr(0, entry.name.size() - kExtension.size());
    const auto number = job_number(id);
    if (!number) continue;  // Not ours.
    const auto read = [&]() -> Result<JobInfo> {
      if (entry.type != FileType::kRegular) return fail(ErrorCode::kCorruption, "is no file");
      VZ_TRY_ASSIGN(const Bytes bytes,
                    read_file(env_, directory_ + "/" + entry.name, limits::kJobFileBytesMax));
      return decode_job({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, id);
    };
    auto info = read();
    MutexLock lock(mutex_);
    // Whatever it holds, its number is taken.
    if (*number < UINT64_MAX) next_number_ = std::max(next_number_, *number + 1);
    if (info) {
      jobs_[*number] = std::make_shared<Job>(Job{.info = *std::move(info)});
    } else {
      LogEvent(LogLevel::kWarn, "job_file_unreadable")
          .with("path", directory_ + "/" + entry.name)
          .with("reason", info.error().message);
    }
  }
  return {};
}

Result<JobInfo> Jobs::start(const std::string& kind, const std::string& object, JobWork work) {
  Shared job;
  JobInfo info;
  auto guard = threads_.enter();
  {
    MutexLock lock(mutex_);
    for (const auto& [number, other] : jobs_)
      if (other->info.status == JobStatus::kRunning && other->info.kind == kind &&
          other->info.object == object)
        return other->info;
    if (stopping_ || !guard) return fail(ErrorCode::kUnavailable, "the node is stopping");
    if (running_locked() >= limits::kJobsRunningMax)
      return fail(ErrorCode::kUnavailable, std::to_string(limits::kJobsRunningMax) +
                                               " jobs are running (limit kJobsRunningMax): try "
                                               "again when one has ended, or cancel one");
    const std::uint64_t number = next_number_++;
    info = {.id = job_id(kind, number),
            .kind = kind,
            .object = object,
            .started_us = runtime::unix_time_us()};
    job = std::make_shared<Job>(Job{.info = info});
    jobs_[number] = job;
  }
  save_or_log(info);
  try {
    std::thread([this, job, work = std::move(work), held = *std::move(guard)]() mutable {
      const auto until_the_end = std::move(held);
      const JobWork ours = std::move(work);  // Ends before the guard: it may own a node.
      run(job, ours);
    }).detach();
  } catch (const std::system_error& thrown) {
    const Error error{ErrorCode::kUnavailable,
                      std::string("no thread can be made for the job: ") + thrown.what()};
    end(job, tl::unexpected<Error>(error));
    return tl::unexpected<Error>(error);
  }
  return info;
}

void Jobs::run(const Shared& job, const JobWork& work) {
  pthread_setname_np(pthread_self(), "vz-job");
  runtime::work_in_background();
  LogEvent(LogLevel::kInfo, "job_started")
      .with("job", job->info.id)
      .with("object", job->info.object);
  const JobContext context{
      .stop = job->stop.get_token(),
      .on_progress = [this, &job](double share) { progress(job, share); },
      .on_partial = [this, &job](std::string result) { partial(job, std::move(result)); }};
  Result<std::string> outcome = fail(ErrorCode::kInternal, "the job's work threw an exception");
  try {
    outcome = work(context);
  } catch (const std::exception& thrown) {
    outcome = fail(ErrorCode::kInternal, thrown.what());
  }
  end(job, std::move(outcome));
}

void Jobs::progress(const Shared& job, double share) {
  JobInfo info;
  {
    MutexLock lock(mutex_);
    job->info.progress = std::max(job->info.progress, std::clamp(share, 0.0, 1.0));
    const auto now = std::chrono::steady_clock::now();
    if (now - job->saved_at < save_every_) return;
    job->saved_at = now;
    info = job->info;
  }
  save_or_log(info);
}

/// Goes to its file with the progress.
void Jobs::partial(const Shared& job, std::string result) {
  if (result.size() > limits::kJobResultBytesMax) return;
  MutexLock lock(mutex_);
  job->info.result = std::move(result);
}

void Jobs::end(const Shared& job, Result<std::string> outcome) {
  JobInfo info;
  {
    MutexLock lock(mutex_);
    info = job->info;
    if (outcome) {
      info.status = JobStatus::kCompleted;
      info.progress = 1;
    } else if (outcome.error().code == ErrorCode::kCancelled) {
      info.status = job->cancelled ? JobStatus::kCancelled : JobStatus::kInterrupted;
    } else if (outcome.error().code == ErrorCode::kUnavailable && stopping_) {
      info.status = JobStatus::kInterrupted;  // It had not begun when what it works on closed.
    } else {
      info.status = JobStatus::kFailed;
    }
  }
  info.ended_us = std::max(runtime::unix_time_us(), info.started_us);
  if (outcome) {
    // A thousand collections with long names have more to tell than fits.
    const bool fits = outcome->size() <= limits::kJobResultBytesMax;
    info.result = fits ? *std::move(outcome) : R"({"truncated":true})";
  } else {
    info.error = std::move(outcome).error();
  }
  // The file first: whoever was told that the job has ended finds it so after a crash.
  save_or_log(info);
  LogEvent(LogLevel::kInfo, "job_ended")
      .with("job", info.id)
      .with("status", job_status_name(info.status))
      .with("took_ms", (info.ended_us - info.started_us) / 1'000)
      .with("reason", info.error ? info.error->message : "");
  std::vector<std::function<void(const JobInfo&)>> waiting;
  std::vector<std::string> old;
  {
    MutexLock lock(mutex_);
    job->info = info;
    waiting.swap(job->waiting);
    old = forget_old();
  }
  for (const std::string& path : old) (void)env_.remove(path);
  for (const auto& done : waiting) done(info);
}

std::vector<std::string> Jobs::forget_old() {
  std::vector<std::string> paths;
  std::size_t ended = jobs_.size() - running_locked();
  for (auto at = jobs_.begin(); at != jobs_.end() && ended > kept_;) {
    if (at->second->info.status == JobStatus::kRunning) {
      ++at;
      continue;
    }
    paths.push_back(path_of(at->second->info.id));
    at = jobs_.erase(at);
    --ended;
  }
  return paths;
}

std::size_t Jobs::running_locked() const {
  return static_cast<std::size_t>(std::count_if(
      jobs_.begin(), jobs_.end(),
      [](const auto& numbered) { return numbered.second->info.status == JobStatus::kRunning; }));
}

Result<Jobs::Shared> Jobs::job_of(const std::string& id) const {
  const auto number = job_number(id);
  const auto found = number ? jobs_.find(*number) : jobs_.end();
  if (found == jobs_.end() || found->second->info.id != id) return no_such_job(id);
  return found->second;
}

Status Jobs::when_ended(const std::string& id, std::function<void(const JobInfo&)> done) {
  JobInfo info;
  {
    MutexLock lock(mutex_);
    VZ_TRY_ASSIGN(const Shared job, job_of(id));
    if (job->info.status == JobStatus::kRunning) {
      job->waiting.push_back(std::move(done));
      return {};
    }
    info = job->info;
  }
  done(info);
  return {};
}

std::vector<JobInfo> Jobs::list() const {
  MutexLock lock(mutex_);
  std::vector<JobInfo> out;
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at) out.push_back(at->second->info);
  return out;
}

Result<JobInfo> Jobs::find(const std::string& id) const {
  MutexLock lock(mutex_);
  VZ_TRY_ASSIGN(const Shared job, job_of(id));
  return job->info;
}

Result<JobInfo> Jobs::cancel(const std::string& id) {
  Shared job;
  JobInfo info;
  {
    MutexLock lock(mutex_);
    VZ_TRY_ASSIGN(job, job_of(id));
    info = job->info;
    if (info.status != JobStatus::kRunning) return info;
    job->cancelled = true;
  }
  job->stop.request_stop();  // Runs callbacks of the work: not under the lock.
  return info;
}

std::size_t Jobs::running() const {
  MutexLock lock(mutex_);
  return running_locked();
}

void Jobs::keep(std::size_t count) {
  MutexLock lock(mutex_);
  kept_ = std::clamp(count, std::size_t{1}, limits::kJobsKeptMax);
}

void Jobs::request_stop() {
  std::vector<Shared> running;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [number, job] : jobs_)
      if (job->info.status == JobStatus::kRunning) running.push_back(job);
  }
  for (const Shared& job : running) job->stop.request_stop();
}

void Jobs::stop() {
  request_stop();
  threads_.close();
}

}  // namespace vz::node
