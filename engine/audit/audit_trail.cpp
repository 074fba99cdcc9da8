#include "engine/audit/audit_trail.h"

#include <pthread.h>

#include "storage/base/hex.h"
#include "storage/base/log.h"

namespace vz::audit {
namespace {

constexpr auto kTick = std::chrono::milliseconds(500);

void bound(Event& event) {
  for (std::string* text :
       {&event.actor, &event.ip, &event.action, &event.target, &event.detail, &event.request_id})
    if (text->size() > limits::kAuditTextBytesMax) text->resize(limits::kAuditTextBytesMax);
}

void print(const Event& event) {
  LogEvent(event.outcome == Outcome::kOk ? LogLevel::kInfo : LogLevel::kWarn, "audit")
      .with("actor", event.actor)
      .with("ip", event.ip)
      .with("action", event.action)
      .with("target", event.target)
      .with("detail", event.detail)
      .with("result", outcome_name(event.outcome))
      .with("status", event.status)
      .with("count", event.count)
      .with("request_id", event.request_id);
}

}  // namespace

Trail::Trail(Env& env, std::string directory, const Options& options)
    : env_(env), directory_(std::move(directory)), options_(options) {
  thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), "vz-audit");
    loop();
  });
}

Trail::~Trail() {
  stop();
}

Status Trail::open() {
  Status opened;
  {
    MutexLock lock(log_mutex_);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    auto log =
        Log::open(env_, directory_,
                  std::chrono::duration_cast<std::chrono::microseconds>(now).count(), options_.log);
    if (log) log_ = *std::move(log);
    if (!log) opened = tl::unexpected<Error>(std::move(log).error());
  }
  MutexLock lock(mutex_);
  opened_ = true;
  trouble_ = opened ? "" : opened.error().message;
  wake_.notify_one();
  return opened;
}

void Trail::record(Event event, std::function<void()> then) {
  bound(event);
  print(event);
  {
    MutexLock lock(mutex_);
    if (!stopping_ && queue_.size() < limits::kAuditQueueMax) {
      const bool waits = opened_;
      queue_.push_back({std::move(event), waits ? std::move(then) : std::function<void()>()});
      wake_.notify_one();
      if (waits) return;
    }
  }
  if (then) then();
}

void Trail::count_refusal(Event event) {
  bound(event);
  MutexLock lock(mutex_);
  if (stopping_) return;
  if (refusals_.empty()) refusals_since_ = std::chrono::steady_clock::now();
  std::pair<std::string, std::string> who{event.actor, event.ip};
  if (refusals_.size() >= limits::kAuditRefusalsMax && !refusals_.contains(who))
    who = {"others", ""};
  const auto [at, is_new] = refusals_.try_emplace(who, event);
  if (!is_new) ++at->second.count;
  at->second.actor = who.first;
  at->second.ip = who.second;
}

std::vector<Event> Trail::due_refusals(bool all) {
  std::vector<Event> due;
  const auto age = std::chrono::steady_clock::now() - refusals_since_;
  if (refusals_.empty() || (!all && age < options_.refusals_every)) return due;
  for (auto& [who, event] : refusals_) due.push_back(std::move(event));
  refusals_.clear();
  return due;
}

void Trail::write(const Event& event) {
  Status written;
  {
    MutexLock lock(log_mutex_);
    if (log_ == nullptr) {
      auto log = Log::open(env_, directory_, event.time_us, options_.log);
      if (log) log_ = *std::move(log);
      if (!log) written = tl::unexpected<Error>(std::move(log).error());
    }
    if (log_ != nullptr) written = log_->append(event);
  }
  MutexLock lock(mutex_);
  if (!written && trouble_.empty())
    LogEvent(LogLevel::kError, "audit_not_written").with("reason", written.error().message);
  trouble_ = written ? "" : written.error().message;
}

void Trail::print_head() {
  const Head head = this->head();
  LogEvent(LogLevel::kInfo, "audit_head").with("seq", head.seq).with("hash", to_hex(head.hash));
}

void Trail::loop() {
  auto head_printed = std::chrono::steady_clock::now();
  for (bool last = false; !last;) {
    std::deque<Waiting> work;
    std::vector<Event> refusals;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (queue_.empty() || !opened_)) {
        if (opened_ && !(refusals = due_refusals(false)).empty()) break;
        if (wake_.wait_for(mutex_, kTick) == std::cv_status::timeout) break;
      }
      last = stopping_;
      if (opened_ && refusals.empty()) refusals = due_refusals(last);
      if (opened_) work.swap(queue_);
    }
    for (const Waiting& one : work) {
      write(one.event);
      if (one.then) one.then();
    }
    for (const Event& refusal : refusals) {
      print(refusal);
      write(refusal);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - head_printed < options_.head_every) continue;
    head_printed = now;
    print_head();
  }
}

Result<Verdict> Trail::verify() {
  MutexLock lock(log_mutex_);  // Between two lines.
  VZ_TRY_ASSIGN(Verdict verdict, audit::verify(env_, directory_));
  // Whoever removes all of it, the head too, leaves nothing that is wrong, but for what we know.
  if (log_ != nullptr && verdict.sound() && verdict.head != log_->head() && !log_->head_behind())
    verdict.problems.push_back({directory_, 0,
                                "it is not the log that this node has written: its last line is " +
                                    std::to_string(log_->head().seq)});
  return verdict;
}

Result<std::vector<std::string>> Trail::read(const Query& query) {
  MutexLock lock(log_mutex_);
  return audit::read(env_, directory_, query);
}

std::string Trail::trouble() const {
  MutexLock lock(mutex_);
  return trouble_;
}

Head Trail::head() const {
  MutexLock lock(log_mutex_);
  return log_ == nullptr ? Head{} : log_->head();
}

void Trail::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  std::deque<Waiting> late;
  {
    MutexLock lock(mutex_);
    late.swap(queue_);
  }
  for (const Waiting& one : late)
    if (one.then) one.then();
}

}  // namespace vz::audit
