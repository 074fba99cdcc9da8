#include "engine/log/writer.h"

#include <algorithm>
#include <chrono>

#include <pthread.h>

#include "engine/limits.h"
#include "engine/log/apply.h"
#include "engine/log/resolve.h"
#include "engine/log/write_size.h"
#include "engine/runtime/wall_clock.h"
#include "engine/security/security_json.h"
#include "storage/base/log.h"

namespace vz::log {
namespace {

/// How long a group that is in memory already waits for a disk that is full, before the log counts
/// as failed, and how often it looks.
constexpr std::chrono::seconds kFullDiskPatience{10};
constexpr std::chrono::milliseconds kFullDiskPause{50};

}  // namespace

Writer::Writer(NodeState state, std::unique_ptr<wal::LogWriter> log, std::int64_t last_time_us,
               WriterOptions options)
    : options_(std::move(options)),
      state_(std::move(state)),
      log_(std::move(log)),
      last_time_us_(last_time_us) {
  publish_visible();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "vz-writer");
    loop();
  });
}

Writer::~Writer() {
  stop();
}

WriteCallback Writer::counted(const WriteRequest& request, WriteCallback done) const {
  if (!upserts(request)) return done;
  return [numbers = options_.numbers, begin = std::chrono::steady_clock::now(),
          done = std::move(done)](Result<WriteOutcome> outcome) {
    if (outcome) {
      numbers->insert.record(std::chrono::steady_clock::now() - begin);
    } else {
      numbers->inserts_failed.fetch_add(1, std::memory_order_relaxed);
    }
    done(std::move(outcome));
  };
}

void Writer::submit(WriteRequest request, WriteCallback done) {
  done = counted(request, std::move(done));
  const std::uint64_t bytes = bytes_of(request);
  Error refusal{ErrorCode::kUnavailable, {}};
  {
    MutexLock lock(mutex_);
    if (!poison_reason_.empty()) {
      refusal.message =
          "the log has failed and no write is accepted until a restart: " + poison_reason_;
    } else if (stopping_) {
      refusal.message = "the node is stopping";
    } else if (is_urgent(request)) {
      urgent_.push_back({std::move(request), std::move(done), bytes});
      wake_.notify_one();
      return;
    } else if (queue_.size() >= limits::kWriteQueueMax ||
               (queue_bytes_ + bytes > limits::kWriteQueueBytesMax && !queue_.empty())) {
      refusal.message = "the write queue is full (" + std::to_string(queue_.size()) +
                        " requests): try again later";
    } else {
      queue_bytes_ += bytes;
      queue_.push_back({std::move(request), std::move(done), bytes});
      wake_.notify_one();
      return;
    }
  }
  done(tl::unexpected<Error>(std::move(refusal)));
}

void Writer::run_between_groups(const std::function<void(NodeState&)>& task) {
  {
    MutexLock lock(mutex_);
    if (!stopped_) {
      Task entry{&task};
      tasks_.push_back(&entry);
      wake_.notify_one();
      while (!entry.done) ended_.wait(mutex_);
      return;
    }
  }
  task(state_);
}

Status Writer::begin_next_log_file() {
  Status begun;
  run_between_groups([&](NodeState&) {
    if (poisoned()) {
      begun = fail(ErrorCode::kUnavailable, "the log has failed");
      return;
    }
    begun = log_->begin_next_file();
    if (!begun && log_->broken()) poison(begun.error());
  });
  return begun;
}

void Writer::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::string Writer::poison_reason() const {
  MutexLock lock(mutex_);
  return poison_reason_;
}

std::size_t Writer::queue_size() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

bool Writer::stalled() const {
  if (options_.frozen_max == 0) return false;
  std::size_t frozen = 0;
  // One of each collection does not count: a cut freezes those that were active, all at once, and
  // they take no more memory than before.
  for (const auto& [id, collection] : state_.collections)
    frozen += std::max<std::size_t>(collection->frozen_count(), 1) - 1;
  return frozen > options_.frozen_max;
}

void Writer::loop() {
  std::deque<Waiting> group;
  while (wait_for_work(group)) {
    run_tasks();
    process(std::move(group));
    group.clear();
  }
  run_tasks();
  MutexLock lock(mutex_);
  stopped_ = true;
  for (Task* task : tasks_) {  // Came after the last look: this thread still owns the state.
    (*task->run)(state_);
    task->done = true;
  }
  tasks_.clear();
  ended_.notify_all();
}

/// Waits until there is a group to write or a task to run. False: stopping, and nothing is left.
bool Writer::wait_for_work(std::deque<Waiting>& group) {
  MutexLock lock(mutex_);
  for (;;) {
    if (!tasks_.empty()) return true;
    if (!urgent_.empty()) {
      group.swap(urgent_);
      return true;
    }
    if (!queue_.empty() && (stopping_ || !stalled())) break;
    if (stopping_ && queue_.empty()) return false;
    wake_.wait(mutex_);
  }
  std::uint64_t bytes = 0;
  while (!queue_.empty() &&
         (group.empty() || bytes + queue_.front().bytes <= limits::kGroupBytesMax)) {
    bytes += queue_.front().bytes;
    queue_bytes_ -= queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return true;
}

void Writer::run_tasks() {
  std::deque<Task*> tasks;
  {
    MutexLock lock(mutex_);
    tasks.swap(tasks_);
  }
  if (tasks.empty()) return;
  for (const Task* task : tasks) (*task->run)(state_);
  publish_visible();
  MutexLock lock(mutex_);
  for (Task* task : tasks) task->done = true;
  ended_.notify_all();
}

/// Whether the log has room for the whole group, with what the ballast gives if need be.
Status Writer::make_room(const std::deque<Waiting>& group) {
  std::uint64_t bytes = 0;
  for (const Waiting& waiting : group) bytes += waiting.bytes;
  Status room = log_->make_room(bytes);
  if (!room && !log_->broken() && options_.on_no_space()) room = log_->make_room(bytes);
  return room;
}

/// On a full disk deletes get what room there is; the others are answered here. Nothing of them was
/// applied.
void Writer::refuse_growth(std::deque<Waiting>& group, const Error& error) {
  std::deque<Waiting> deletes;
  for (Waiting& waiting : group) {
    if (grows_data(waiting.request)) {
      waiting.done(tl::unexpected<Error>(error));
    } else {
      deletes.push_back(std::move(waiting));
    }
  }
  group.swap(deletes);
  if (group.empty()) return;
  const Status room = make_room(group);
  if (room) return;
  for (Waiting& waiting : group) waiting.done(tl::unexpected<Error>(room.error()));
  group.clear();
}

/// The group is in memory: it cannot be taken back, so a full disk is given time.
Status Writer::commit() {
  const auto until = std::chrono::steady_clock::now() + kFullDiskPatience;
  for (;;) {
    Status durable = log_->commit();
    if (durable || log_->broken()) return durable;
    if (options_.on_no_space()) continue;
    if (std::chrono::steady_clock::now() >= until) return durable;
    std::this_thread::sleep_for(kFullDiskPause);
  }
}

void Writer::poison(const Error& error) {
  LogEvent(LogLevel::kError, "log_failed").with("reason", error.message);
  {
    MutexLock lock(mutex_);
    poison_reason_ = error.message;
  }
  poisoned_.store(true, std::memory_order_release);
}

/// room -> resolve -> apply to memory -> one write and one fdatasync -> visible -> answers.
void Writer::process(std::deque<Waiting> group) {
  const Status room = poisoned() ? Status() : make_room(group);
  if (!room && log_->broken()) {
    poison(room.error());
  } else if (!room) {
    refuse_growth(group, room.error());
  }
  std::vector<Answer> answers;
  answers.reserve(group.size());
  for (Waiting& waiting : group) {
    if (poisoned()) {
      answers.push_back(
          {std::move(waiting.done), fail(ErrorCode::kUnavailable, "the log has failed")});
      continue;
    }
    answers.push_back({std::move(waiting.done), handle(waiting.request)});
  }
  if (!poisoned() && log_->group_bytes() > 0) {
    if (const Status durable = commit(); durable) {
      publish_visible();
    } else {
      poison(durable.error());
      for (Answer& answer : answers)
        answer.outcome = fail(ErrorCode::kUnavailable,
                              "the log has failed and no write is accepted until a restart: " +
                                  durable.error().message);
    }
  }
  for (Answer& answer : answers) answer.done(std::move(answer.outcome));
}

Result<WriteOutcome> Writer::handle(const WriteRequest& request) {
  if (const auto* write = std::get_if<PointsWrite>(&request)) return handle_points(*write);
  if (const auto* write = std::get_if<SecurityWrite>(&request)) return handle_security(*write);
  return handle_catalog(request);
}

Result<WriteOutcome> Writer::handle_points(const PointsWrite& write) {
  const auto found = state_.collections.find(write.collection);
  if (found == state_.collections.end())
    return fail(ErrorCode::kNotFound, "the collection was dropped meanwhile");
  collection::LiveCollection& collection = *found->second;
  const Lsn lsn = log_->next_lsn();
  freeze_if_full(collection, lsn - 1);

  Bytes payload;
  Status status;
  for (const PointOperation& operation : write.operations) {
    auto resolved = resolve(operation, collection);
    if (!resolved) {
      status = tl::unexpected<Error>(std::move(resolved.error()));
      break;
    }
    if (!*resolved) continue;
    const std::size_t before = payload.size();
    format::encode(**resolved, payload);
    if (payload.size() > limits::kRecordBytesMax) {
      payload.resize(before);
      status = fail(ErrorCode::kTooLarge, "the write takes more than " +
                                              std::to_string(limits::kRecordBytesMax) +
                                              " bytes in the log: split it");
      break;
    }
    apply_operation(**resolved, lsn, collection);
  }
  if (!payload.empty()) {
    const std::int64_t time_us = now_us();
    log_->add(format::WalRecordKind::kPoints, collection.id(), time_us, payload);
    collection.touched(lsn, time_us);
    freeze_if_full(collection, lsn);
  }
  VZ_TRY(std::move(status));
  return WriteOutcome{.lsn = payload.empty() ? lsn - 1 : lsn, .changed = !payload.empty()};
}

Result<WriteOutcome> Writer::handle_catalog(const WriteRequest& request) {
  VZ_TRY_ASSIGN(const auto resolved, resolve_catalog(request, state_));
  if (!resolved) return WriteOutcome{.lsn = log_->next_lsn() - 1, .changed = false};
  return log_and_apply(*resolved, now_us());
}

Result<WriteOutcome> Writer::handle_security(const SecurityWrite& write) {
  const std::int64_t time_us = now_us();  // What is absolute in the change is as of its record.
  VZ_TRY_ASSIGN(const auto change, security::resolve(write.request, *state_.security, time_us));
  if (!change) return WriteOutcome{.lsn = log_->next_lsn() - 1, .changed = false};
  return log_and_apply({.kind = security::kind_of(*change), .payload = security::encode(*change)},
                       time_us);
}

Result<WriteOutcome> Writer::log_and_apply(const CatalogRecord& resolved, std::int64_t time_us) {
  const Lsn lsn = log_->next_lsn();
  const format::WalRecord record{.lsn = lsn,
                                 .time_us = time_us,
                                 .collection = resolved.collection,
                                 .kind = resolved.kind,
                                 .payload = resolved.payload};
  VZ_TRY(apply(record, state_));
  log_->add(record.kind, record.collection, time_us, record.payload);
  return WriteOutcome{.lsn = lsn};
}

void Writer::freeze_if_full(collection::LiveCollection& collection, Lsn lsn) {
  const collection::Memtable& active = collection.active();
  if (active.rows() + active.tombstones().size() < options_.seal_rows &&
      active.bytes() < options_.seal_bytes && !active.full())
    return;
  if (collection.freeze(lsn)) options_.on_frozen();
}

void Writer::publish_visible() {
  if (poisoned()) return;  // What is in memory beyond the visible lsn never happened.
  if (state_.published_security->load() != state_.security)
    state_.published_security->store(state_.security);
  auto catalog = state_.catalog;
  MutexLock lock(state_.visibility->mutex);
  state_.visibility->lsn = log_->next_lsn() - 1;
  state_.visibility->catalog.swap(catalog);
}

std::int64_t Writer::now_us() {
  last_time_us_ = std::max(last_time_us_, runtime::unix_time_us());
  return last_time_us_;
}

}  // namespace vz::log
