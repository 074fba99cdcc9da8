// Jobs: long work that a caller starts, and may watch, wait for and cancel. Each is a file in
// DATA/jobs/ from its start on, so that a restart does not forget what was asked for.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "engine/node/job_file.h"
#include "engine/runtime/gate.h"
#include "storage/base/mutex.h"
#include "storage/env/env.h"

namespace vz::node {

/// What the work of a job gets. Valid while the work runs.
struct JobContext {
  std::stop_token stop;                           ///< the job was cancelled, or the node ends
  std::function<void(double share)> on_progress;  ///< 0 .. 1; never goes back
  /// What is known so far, as the text of a result: shown while it runs, and kept if it does not
  /// complete.
  std::function<void(std::string result)> on_partial;
};
/// Runs on a niced thread of its own. Returns the text of a JSON object of at most
/// limits::kJobResultBytesMax bytes. When `stop` is requested it ends soon, with kCancelled, and
/// leaves the old state or the new one.
using JobWork = std::function<Result<std::string>(const JobContext&)>;

/// Thread-safe.
class Jobs {
 public:
  /// `env` must outlive it. save_every: how often the progress of a running job goes to its file.
  Jobs(Env& env, const std::string& data_dir,
       std::chrono::milliseconds save_every = std::chrono::seconds(10));
  ~Jobs();  ///< stop()
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  /// Reads the files of jobs; those that were running are interrupted now. A file that is no job's
  /// is logged, left where it is and not listed. Once, with the directory locked, before start().
  /// Errors: kIoError.
  Status open() VZ_EXCLUDES(mutex_);

  /// Begins `work`, or finds the job of this kind and object that runs already: one at a time.
  /// Blocks for the write of its file; a file that cannot be written is logged, and the job runs
  /// all the same, because on a full disk it may be the one that makes room.
  /// Errors: kUnavailable (limits::kJobsRunningMax are running; the node is stopping).
  Result<JobInfo> start(const std::string& kind, const std::string& object, JobWork work)
      VZ_EXCLUDES(mutex_);

  /// Calls `done` once the job has ended and its file says so: at once if it has, else on the job's
  /// thread. Errors: kNotFound; `done` is not called.
  Status when_ended(const std::string& id, std::function<void(const JobInfo&)> done)
      VZ_EXCLUDES(mutex_);

  /// Newest first.
  [[nodiscard]] std::vector<JobInfo> list() const VZ_EXCLUDES(mutex_);
  /// Errors: kNotFound.
  [[nodiscard]] Result<JobInfo> find(const std::string& id) const VZ_EXCLUDES(mutex_);
  /// Asks a running job to end; returns at once, and does nothing to one that has ended.
  /// Errors: kNotFound.
  Result<JobInfo> cancel(const std::string& id) VZ_EXCLUDES(mutex_);
  [[nodiscard]] std::size_t running() const VZ_EXCLUDES(mutex_);

  /// How many ended jobs are kept, 1 .. limits::kJobsKeptMax; older ones go at the next end.
  void keep(std::size_t count) VZ_EXCLUDES(mutex_);

  /// Starts none any more and asks all to end; does not wait. Idempotent.
  void request_stop() VZ_EXCLUDES(mutex_);
  /// The same, and waits for them: what does not complete is interrupted. Idempotent.
  void stop() VZ_EXCLUDES(mutex_);

 private:
  struct Job {
    JobInfo info;
    std::stop_source stop = {};
    bool cancelled = false;  ///< by a caller
    std::vector<std::function<void(const JobInfo&)>> waiting = {};
    std::chrono::steady_clock::time_point saved_at = std::chrono::steady_clock::now();
  };
  using Shared = std::shared_ptr<Job>;

  void run(const Shared& job, const JobWork& work);
  void progress(const Shared& job, double share) VZ_EXCLUDES(mutex_);
  void partial(const Shared& job, std::string result) VZ_EXCLUDES(mutex_);
  void end(const Shared& job, Result<std::string> outcome) VZ_EXCLUDES(mutex_);
  Status read_all() VZ_EXCLUDES(mutex_);
  Status save(const JobInfo& info);
  void save_or_log(const JobInfo& info);
  /// Forgets the oldest ended jobs beyond those kept; returns their files.
  std::vector<std::string> forget_old() VZ_REQUIRES(mutex_);
  [[nodiscard]] std::size_t running_locked() const VZ_REQUIRES(mutex_);
  [[nodiscard]] std::string path_of(const std::string& id) const;
  Result<Shared> job_of(const std::string& id) const VZ_REQUIRES(mutex_);

  Env& env_;
  const std::string data_dir_;
  const std::string directory_;
  const std::chrono::milliseconds save_every_;

  mutable Mutex mutex_;
  std::map<std::uint64_t, Shared> jobs_ VZ_GUARDED_BY(mutex_);  ///< by number, so by age
  std::uint64_t next_number_ VZ_GUARDED_BY(mutex_) = 1;
  std::size_t kept_ VZ_GUARDED_BY(mutex_) = 200;
  bool stopping_ VZ_GUARDED_BY(mutex_) = false;
  runtime::Gate threads_;  ///< each job's thread holds a guard
};

}  // namespace vz::node
