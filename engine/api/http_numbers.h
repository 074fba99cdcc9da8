// How many requests each route answered, with which status, and how long that took.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/route.h"
#include "engine/runtime/histogram.h"

namespace vz::api {

/// Thread-safe. Lock-free: two relaxed additions for an answer. A route costs memory from its first
/// request on.
class HttpNumbers {
 public:
  HttpNumbers();
  ~HttpNumbers();
  HttpNumbers(const HttpNumbers&) = delete;
  HttpNumbers& operator=(const HttpNumbers&) = delete;

  /// An answer of `route`, a row of routes().
  void count(const Route& route, int status, std::chrono::nanoseconds took);
  /// An answer to a request that was refused by its head: it took no time worth knowing.
  void count_refused(const Route& route, int status);
  /// An answer to a request that no route fits.
  void count_unmatched(net::Method method, int status);

  struct OfRoute {
    std::string route;  ///< its pattern, with "/qdrant" before one of that interface; "unmatched"
    std::string method;
    std::vector<std::pair<std::string, std::uint64_t>> by_status;  ///< status as text, or "other"
    runtime::Histogram::Snapshot latency;                          ///< not of refused requests
  };
  /// Of every route that was asked for, in the order of the table.
  [[nodiscard]] std::vector<OfRoute> snapshot() const;
  [[nodiscard]] std::uint64_t unauthenticated() const;  ///< answers 401

  /// A connection or a request of a blocked address.
  void count_blocked() { blocked_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t blocked() const { return blocked_.load(std::memory_order_relaxed); }

 private:
  struct Numbers;
  Numbers& of_row(std::size_t row);

  std::atomic<std::uint64_t> blocked_{0};
  std::vector<std::atomic<Numbers*>> rows_;  ///< one for each route, then one for each method
};

}  // namespace vz::api
