#include "engine/node/background.h"

#include <chrono>

#include <pthread.h>

#include "engine/runtime/background_thread.h"
#include "storage/base/log.h"

namespace vz::node {
namespace {

using collection::Activity;
using collection::LiveCollection;

constexpr std::int64_t kPollMs = 100;
constexpr std::int64_t kRetryMs = 2'000;
constexpr std::int64_t kRecordAgeMaxMs = 600'000;
constexpr std::chrono::milliseconds kOldFilesKept{2'000};

std::int64_t now_ms() {
  return std::chrono::steady_clock::now().time_since_epoch().count() / 1'000'000;
}

std::int64_t ms_since_write(const LiveCollection& collection) {
  return now_ms() - collection.last_write_ns() / 1'000'000;
}

void log_failure(const char* event, const std::string& collection, const Error& error) {
  LogEvent(LogLevel::kError, event)
      .with("collection", collection)
      .with("code", error_code_name(error.code))
      .with("reason", error.message);
}

}  // namespace

Background::Background(log::Writer& writer, Publisher& publisher, Housekeeper& housekeeper,
                       DiskGuard& disk, const runtime::MemoryGuard& memory,
                       std::shared_ptr<collection::Visibility> visibility, NodeOptions options)
    : writer_(writer),
      publisher_(publisher),
      housekeeper_(housekeeper),
      disk_(disk),
      memory_(memory),
      visibility_(std::move(visibility)),
      options_(std::move(options)),
      sealer_([this](std::stop_token stop) { seal_loop(std::move(stop)); }),
      merger_([this](std::stop_token stop) { merge_loop(std::move(stop)); }) {}

Background::~Background() {
  stop();
}

void Background::wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  condition_.notify_all();
}

void Background::request_stop() {
  sealer_.request_stop();
  merger_.request_stop();
  wake();
}

void Background::stop() {
  request_stop();
  if (sealer_.joinable()) sealer_.join();
  if (merger_.joinable()) merger_.join();
}

void Background::wait(std::stop_token stop, std::int64_t ms) {
  MutexLock lock(mutex_);
  if (!woken_ && !stop.stop_requested()) condition_.wait_for(mutex_, std::chrono::milliseconds(ms));
  woken_ = false;
}

void Background::seal_loop(std::stop_token stop) {
  pthread_setname_np(pthread_self(), "vz-sealer");
  while (!stop.stop_requested()) {
    disk_.tend();
    freeze_due();
    const bool well = seal_all(stop);
    trim_when_idle();
    wait(stop, well ? kPollMs : kRetryMs);
  }
}

void Background::trim_when_idle() {
  std::uint64_t work = jobs_.load(std::memory_order_relaxed);
  {
    MutexLock lock(visibility_->mutex);
    work += visibility_->lsn;
  }
  if (!idle_trim_.poll(work, now_ms())) return;
  IdleTrim::return_own_heap();
  writer_.run_between_groups([](const log::NodeState&) { IdleTrim::return_own_heap(); });
}

bool Background::seal_all(std::stop_token stop) {
  bool well = true;
  const auto catalog = catalog_of(*visibility_);  // Kept: the loop borrows from it.
  for (const auto& [name, collection] : catalog->collections) {
    while (!stop.stop_requested()) {
      const auto sealed = housekeeper_.seal_oldest(*collection);
      if (!sealed) {
        log_failure("seal_failed", name, sealed.error());
        if (sealed.error().code == ErrorCode::kNoSpace) disk_.release();
        well = false;
      }
      if (!sealed || !*sealed) break;
      jobs_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  return well;
}

void Background::freeze_due() {
  bool frozen = false;
  const bool memory_short = !memory_.admit_write();
  if (memory_short) options_.on_memory_short();
  const auto catalog = catalog_of(*visibility_);  // Kept: the loop borrows from it.
  for (const auto& [name, collection] : catalog->collections) {
    const Lsn first = collection->first_unflushed_lsn(0);
    if (first == 0) continue;
    const std::int64_t quiet_ms = ms_since_write(*collection);
    const auto stats = collection->stats();
    const bool worth_indexing = quiet_ms > options_.quiet_ms && stats.indexed_points < stats.points;
    const bool log_too_long = writer_.log_bytes() > options_.log_bytes_max;
    if (!worth_indexing && !log_too_long && !memory_short && quiet_ms < kRecordAgeMaxMs) continue;
    LiveCollection& due = *collection;
    writer_.run_between_groups(
        [&](const log::NodeState&) { frozen |= due.freeze(writer_.next_lsn() - 1); });
  }
  if (frozen) wake();
}

void Background::merge_loop(std::stop_token stop) {
  pthread_setname_np(pthread_self(), "vz-merger");
  runtime::work_in_background();
  while (!stop.stop_requested()) {
    // While tar unpacks a snapshot here what is merged now would be set aside in a moment.
    const bool paused = publisher_.restore_pending();
    bool well = paused || merge_all(stop);
    if (!paused && !writer_.poisoned()) {
      Status published = publisher_.publish_catalog();
      if (published) published = publisher_.remove_old_files(kOldFilesKept);
      if (!published) {
        log_failure("publish_failed", "", published.error());
        well = false;
      }
    }
    IdleTrim::return_own_heap();
    wait(stop, well ? kPollMs : kRetryMs);
  }
}

bool Background::merge_all(std::stop_token stop) {
  bool well = true;
  const auto catalog = catalog_of(*visibility_);  // Kept: the loop borrows from it.
  for (const auto& [name, collection] : catalog->collections) {
    while (!stop.stop_requested()) {
      const Activity activity =
          ms_since_write(*collection) > options_.quiet_ms ? Activity::kQuiet : Activity::kWriting;
      const auto merged = housekeeper_.merge_next(*collection, activity, stop);
      if (!merged && merged.error().code != ErrorCode::kCancelled) {
        log_failure("merge_failed", name, merged.error());
        index_errors_.fetch_add(1, std::memory_order_relaxed);
        well = false;
      }
      if (!merged || !*merged) break;
      jobs_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  return well;
}

}  // namespace vz::node
