#include "engine/api/slow_queries.h"

#include <algorithm>
#include <utility>

#include "storage/base/log.h"

namespace vz::api {
namespace {

void write_line(const SlowQuery& query, std::uint64_t missing) {
  const QueryFacts& facts = query.facts;
  LogEvent line(LogLevel::kWarn, "slow_query");
  line.with("collection", query.collection)
      .with("op", facts.op)
      .with("duration_ms", static_cast<double>(query.took_us) / 1'000)
      .with("status", query.status)
      .with("searches", facts.searches)
      .with("limit", facts.limit)
      .with("ef", facts.ef)
      .with("exact", facts.exact ? "yes" : "no")
      .with("filter", facts.filter ? "yes" : "no")
      .with("cached", facts.cached ? "yes" : "no")
      .with("rows", facts.rows)
      .with("request_id", query.request_id);
  if (missing > 0) line.with("lines_missing", missing);
}

}  // namespace

void SlowQueries::set_threshold(std::int64_t threshold_ms) {
  threshold_ms_.store(threshold_ms, std::memory_order_relaxed);
}

bool SlowQueries::take_line(Clock::time_point now) {
  if (refilled_at_ == Clock::time_point{}) refilled_at_ = now;
  const auto earned = (now - refilled_at_) / kLineEvery;
  if (earned > 0) {
    refilled_at_ += earned * kLineEvery;
    lines_left_ = static_cast<std::uint32_t>(
        std::min<std::int64_t>(kLinesAtOnce, std::int64_t{lines_left_} + earned));
  }
  if (lines_left_ == 0) return false;
  --lines_left_;
  return true;
}

void SlowQueries::add(SlowQuery query, Clock::time_point now) {
  total_.fetch_add(1, std::memory_order_relaxed);
  bool written = false;
  std::uint64_t missing = 0;
  {
    MutexLock lock(mutex_);
    written = take_line(now);
    if (written) {
      missing = std::exchange(missing_, 0);
    } else {
      ++missing_;
      ++missing_total_;
    }
    if (kept_.size() == limits::kSlowQueriesKept) kept_.pop_front();
    kept_.push_back(written ? query : std::move(query));
  }
  if (written) write_line(query, missing);
}

SlowQueries::Kept SlowQueries::newest(std::size_t count) const {
  MutexLock lock(mutex_);
  Kept out{.total = total(), .lines_missing = missing_total_, .queries = {}};
  const std::size_t shown = std::min(count, kept_.size());
  out.queries.assign(kept_.rbegin(), kept_.rbegin() + static_cast<std::ptrdiff_t>(shown));
  return out;
}

}  // namespace vz::api
