#include "engine/api/metric_page.h"

#include <cmath>
#include <limits>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "storage/base/status.h"

namespace vz::api {
namespace {

constexpr double kNsPerSecond = 1e9;

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricKind::kUntyped:
      return prometheus::MetricType::Untyped;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

struct MetricPage::Families {
  std::vector<prometheus::MetricFamily> all;

  prometheus::ClientMetric& add(Labels labels) {
    VZ_ASSERT(!all.empty());
    prometheus::ClientMetric& metric = all.back().metric.emplace_back();
    for (auto& [name, value] : labels) metric.label.push_back({std::move(name), std::move(value)});
    return metric;
  }
};

MetricPage::MetricPage() : families_(std::make_unique<Families>()) {}
MetricPage::~MetricPage() = default;

void MetricPage::metric(MetricKind kind, std::string_view name, std::string_view help) {
  families_->all.push_back(
      {.name = std::string(name), .help = std::string(help), .type = type_of(kind), .metric = {}});
}

void MetricPage::sample(double value, Labels labels) {
  prometheus::ClientMetric& metric = families_->add(std::move(labels));
  metric.counter.value = value;
  metric.gauge.value = value;
  metric.untyped.value = value;
}

void MetricPage::sample(const runtime::Histogram::Snapshot& snapshot,
                        std::span<const double> bounds_seconds, Labels labels) {
  prometheus::ClientMetric& metric = families_->add(std::move(labels));
  metric.histogram.sample_count = snapshot.count;
  metric.histogram.sample_sum = static_cast<double>(snapshot.sum_ns) / kNsPerSecond;
  for (const double bound : bounds_seconds)
    metric.histogram.bucket.push_back(
        {.cumulative_count =
             snapshot.count_within(static_cast<std::uint64_t>(std::llround(bound * kNsPerSecond))),
         .upper_bound = bound});
  metric.histogram.bucket.push_back(
      {.cumulative_count = snapshot.count, .upper_bound = std::numeric_limits<double>::infinity()});
}

void MetricPage::single(MetricKind kind, std::string_view name, std::string_view help,
                        double value) {
  metric(kind, name, help);
  sample(value);
}

std::string MetricPage::text() const {
  return prometheus::TextSerializer().Serialize(families_->all);
}

}  // namespace vz::api
