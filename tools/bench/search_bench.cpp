#include "tools/bench/search_bench.h"

#include <algorithm>
#include <chrono>

#include "tools/bench/statistics.h"

namespace vz::bench {
namespace {

using Clock = std::chrono::steady_clock;

double micros_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

/// Searches every query once; appends each one's time. Returns queries per second.
double run_once(Subject& subject, const DataSet& data, std::size_t k, std::size_t ef,
                std::vector<double>& micros) {
  std::vector<std::uint32_t> found;
  const auto begin = Clock::now();
  for (std::uint32_t query = 0; query < data.queries.rows; ++query) {
    const auto started = Clock::now();
    subject.search(data.queries.row(query), k, ef, found);
    micros.push_back(micros_since(started));
  }
  return data.queries.rows / (micros_since(begin) / 1e6);
}

}  // namespace

const Point* least_reaching(const Curve& curve, double recall) {
  for (const Point& point : curve.points) {
    if (point.recall >= recall) return &point;
  }
  return nullptr;
}

Curve sweep(Subject& subject, const DataSet& data, const SweepOptions& options) {
  Curve curve{subject.name(), subject.build_seconds(), subject.bytes(), {}};
  std::vector<std::uint32_t> found;
  for (const std::size_t ef : options.efs) {
    Point point{.ef = ef};
    for (std::uint32_t query = 0; query < data.queries.rows; ++query) {
      subject.search(data.queries.row(query), options.k, ef, found);
      point.recall += recall_of(found, data.answers[query], options.k);
      point.evaluations +=
          static_cast<double>(subject.count_evaluations(data.queries.row(query), options.k, ef));
    }
    point.recall /= data.queries.rows;
    point.evaluations /= data.queries.rows;
    std::vector<double> micros;
    point.qps = run_once(subject, data, options.k, ef, micros);
    point.p50_us = percentile(micros, 0.50);
    point.p99_us = percentile(micros, 0.99);
    curve.points.push_back(point);
    if (point.recall >= 0.9995) break;
  }
  return curve;
}

std::vector<Pair> compare(Subject& ours, const Curve& our_curve, Subject& peer,
                          const Curve& peer_curve, const DataSet& data,
                          const SweepOptions& options) {
  std::vector<Pair> pairs;
  for (const double recall : options.recalls) {
    const Point* our_point = least_reaching(our_curve, recall);
    const Point* peer_point = least_reaching(peer_curve, recall);
    if (our_point == nullptr || peer_point == nullptr) continue;
    Pair pair{peer.name(), recall, *our_point, *peer_point, 0};
    std::vector<double> our_qps, peer_qps, ratios, our_micros, peer_micros;
    for (unsigned round = 0; round < options.rounds; ++round) {
      our_qps.push_back(run_once(ours, data, options.k, pair.ours.ef, our_micros));
      peer_qps.push_back(run_once(peer, data, options.k, pair.peer.ef, peer_micros));
      ratios.push_back(our_qps.back() / peer_qps.back());
    }
    pair.ours.qps = median(our_qps);
    pair.peer.qps = median(peer_qps);
    pair.ratio = median(ratios);
    pair.ours.p50_us = percentile(our_micros, 0.50);
    pair.ours.p99_us = percentile(our_micros, 0.99);
    pair.peer.p50_us = percentile(peer_micros, 0.50);
    pair.peer.p99_us = percentile(peer_micros, 0.99);
    pairs.push_back(pair);
  }
  return pairs;
}

}  // namespace vz::bench
