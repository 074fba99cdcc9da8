// A page of metrics in Prometheus' text format. The only user of prometheus-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/runtime/histogram.h"

namespace vz::api {

enum class MetricKind : std::uint8_t {
  kCounter,
  kGauge,
  kHistogram,
  kUntyped,  ///< a number that goes down under a name that ends in _total
};

/// Built once for each scrape, from numbers that others keep. Not thread-safe.
class MetricPage {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  MetricPage();
  ~MetricPage();
  MetricPage(const MetricPage&) = delete;
  MetricPage& operator=(const MetricPage&) = delete;

  /// Begins a metric; the samples that follow are of it. name: whole, and not given before.
  void metric(MetricKind kind, std::string_view name, std::string_view help);
  void sample(double value, Labels labels = {});
  /// Of a histogram: cumulative counts at `bounds_seconds`, ascending, with the sum and the count.
  void sample(const runtime::Histogram::Snapshot& snapshot, std::span<const double> bounds_seconds,
              Labels labels = {});
  /// A metric with one sample and no label.
  void single(MetricKind kind, std::string_view name, std::string_view help, double value);

  [[nodiscard]] std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace vz::api
