#include "engine/runtime/thread_pool.h"

#include <exception>
#include <utility>

#include <pthread.h>

#include "storage/base/log.h"

namespace vz::runtime {

ThreadPool::ThreadPool(std::string name, unsigned threads, std::size_t queue_max)
    : name_(std::move(name)), queue_max_(queue_max) {
  VZ_ASSERT(threads >= 1 && queue_max >= 1);
  MutexLock lock(stop_mutex_);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

ThreadPool::~ThreadPool() {
  stop();
}

Status ThreadPool::submit(std::function<void()> work) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return fail(ErrorCode::kUnavailable, "thread pool " + name_ + " is stopped");
    if (queue_.size() >= queue_max_)
      return fail(ErrorCode::kUnavailable, "thread pool " + name_ + " is full: " +
                                               std::to_string(queue_max_) + " wait already");
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return {};
}

void ThreadPool::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  MutexLock lock(stop_mutex_);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

std::size_t ThreadPool::queued() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

void ThreadPool::run(unsigned number) {
  const std::string name = name_ + '-' + std::to_string(number);
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      work();
    } catch (const std::exception& error) {
      LogEvent(LogLevel::kError, "pool_work_failed").with("pool", name_).with("what", error.what());
    }
  }
}

}  // namespace vz::runtime
