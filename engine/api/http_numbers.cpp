#include "engine/api/http_numbers.h"

#include <algorithm>

namespace vz::api {
namespace {

/// What an answer may have; another status is counted behind them, as "other".
constexpr std::array kStatuses{200, 201, 202, 204, 206, 400, 401, 403, 404, 405, 408, 409,
                               413, 414, 416, 422, 429, 431, 500, 501, 503, 505, 507};
constexpr std::size_t kMethods = static_cast<std::size_t>(net::Method::kOther) + 1;
constexpr int kUnauthenticated = 401;

std::size_t slot_of(int status) {
  return static_cast<std::size_t>(std::find(kStatuses.begin(), kStatuses.end(), status) -
                                  kStatuses.begin());
}

std::string label_of(const Route& route) {
  const std::string pattern(route.pattern);
  return route.mount == Mount::kQdrant ? "/qdrant" + pattern : pattern;
}

}  // namespace

struct HttpNumbers::Numbers {
  std::array<std::atomic<std::uint64_t>, kStatuses.size() + 1> by_status{};
  runtime::Histogram latency;
};

HttpNumbers::HttpNumbers() : rows_(routes().size() + kMethods) {}

HttpNumbers::~HttpNumbers() {
  for (const auto& row : rows_) delete row.load();
}

HttpNumbers::Numbers& HttpNumbers::of_row(std::size_t row) {
  Numbers* numbers = rows_[row].load(std::memory_order_acquire);
  if (numbers != nullptr) return *numbers;
  auto fresh = std::make_unique<Numbers>();
  // Of two threads that come first together, one wins.
  if (rows_[row].compare_exchange_strong(numbers, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *numbers;
}

void HttpNumbers::count(const Route& route, int status, std::chrono::nanoseconds took) {
  Numbers& numbers = of_row(static_cast<std::size_t>(&route - routes().data()));
  numbers.by_status[slot_of(status)].fetch_add(1, std::memory_order_relaxed);
  numbers.latency.record(took);
}

void HttpNumbers::count_refused(const Route& route, int status) {
  of_row(static_cast<std::size_t>(&route - routes().data()))
      .by_status[slot_of(status)]
      .fetch_add(1, std::memory_order_relaxed);
}

void HttpNumbers::count_unmatched(net::Method method, int status) {
  of_row(routes().size() + static_cast<std::size_t>(method))
      .by_status[slot_of(status)]
      .fetch_add(1, std::memory_order_relaxed);
}

std::vector<HttpNumbers::OfRoute> HttpNumbers::snapshot() const {
  std::vector<OfRoute> out;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const Numbers* numbers = rows_[row].load(std::memory_order_acquire);
    if (numbers == nullptr) continue;
    const bool matched = row < routes().size();
    const auto method =
        matched ? routes()[row].method : static_cast<net::Method>(row - routes().size());
    OfRoute& route = out.emplace_back();
    route.route = matched ? label_of(routes()[row]) : "unmatched";
    route.method = net::method_name(method);
    for (std::size_t i = 0; i < numbers->by_status.size(); ++i) {
      const std::uint64_t count = numbers->by_status[i].load(std::memory_order_relaxed);
      if (count == 0) continue;
      route.by_status.emplace_back(
          i < kStatuses.size() ? std::to_string(kStatuses[i]) : std::string("other"), count);
    }
    route.latency = numbers->latency.snapshot();
  }
  return out;
}

std::uint64_t HttpNumbers::unauthenticated() const {
  std::uint64_t sum = 0;
  for (const auto& row : rows_)
    if (const Numbers* numbers = row.load(std::memory_order_acquire))
      sum += numbers->by_status[slot_of(kUnauthenticated)].load(std::memory_order_relaxed);
  return sum;
}

}  // namespace vz::api
