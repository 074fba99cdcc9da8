#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

#include "tools/bench/search_bench.h"
#include "tools/bench/statistics.h"

namespace vz::bench {
namespace {

constexpr unsigned kSeed = 5;
constexpr std::uint32_t kQueriesMax = 200;

using Answers = std::vector<std::vector<std::uint32_t>>;

/// The first queries, each with its filter.
struct Workload {
  std::vector<index::RowSet> filters;
  std::vector<std::uint32_t> counts;
  Answers answers;
};

std::vector<index::RowSet> random_filters(const DataSet& data, std::uint32_t queries,
                                          double share) {
  std::mt19937_64 random(kSeed);
  std::bernoulli_distribution passes(share);
  std::vector<index::RowSet> filters(queries, index::RowSet(data.base.rows));
  for (auto& filter : filters) {
    for (std::uint32_t row = 0; row < data.base.rows; ++row) {
      if (passes(random)) filter.insert(row);
    }
  }
  return filters;
}

/// The rows nearest to `pivot`.
index::RowSet region(const DataSet& data, std::uint32_t pivot, double share) {
  std::vector<std::pair<float, std::uint32_t>> all(data.base.rows);
  for (std::uint32_t row = 0; row < data.base.rows; ++row) {
    all[row] = {-vector::similarity(data.distance, data.base.row(pivot).data(),
                                    data.base.row(row).data(), data.base.dimension),
                row};
  }
  const auto count = static_cast<std::ptrdiff_t>(share * data.base.rows);
  std::nth_element(all.begin(), all.begin() + count, all.end());
  index::RowSet filter(data.base.rows);
  for (std::ptrdiff_t i = 0; i < count; ++i) filter.insert(all[static_cast<std::size_t>(i)].second);
  return filter;
}

std::vector<index::RowSet> regions(const DataSet& data, std::uint32_t queries, double share,
                                   bool near) {
  std::mt19937 random(kSeed);
  std::vector<index::RowSet> filters;
  for (std::uint32_t query = 0; query < queries; ++query) {
    const std::uint32_t pivot =
        near ? data.answers[query].front()
             : std::uniform_int_distribution<std::uint32_t>(0, data.base.rows - 1)(random);
    filters.push_back(region(data, pivot, share));
  }
  return filters;
}

Workload make_workload(const DataSet& data, const FilterOptions& options,
                       std::vector<index::RowSet> filters) {
  Workload out;
  const auto queries = static_cast<std::uint32_t>(filters.size());
  out.answers = exact_answers(data, queries, options.k, options.threads, filters);
  for (const auto& filter : filters) out.counts.push_back(filter.count());
  out.filters = std::move(filters);
  return out;
}

/// One round over the workload; without filters if `method` is absent.
Point run_once(IndexUnderTest& index, const DataSet& data, const Workload& work, std::size_t k,
               std::size_t ef, std::optional<index::SearchMethod> method) {
  Point out{.ef = ef};
  std::vector<std::uint32_t> found;
  std::vector<double> micros;
  index.clear_stats();
  for (std::uint32_t query = 0; query < work.filters.size(); ++query) {
    const index::RowFilter filter = {.allowed = &work.filters[query],
                                     .allowed_count = work.counts[query]};
    const auto begin = std::chrono::steady_clock::now();
    if (method) {
      index.search_filtered(data.queries.row(query), k, ef, filter, *method, found);
    } else {
      index.search(data.queries.row(query), k, ef, found);
    }
    micros.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
    out.recall += recall_of(found, method ? work.answers[query] : data.answers[query], k);
  }
  const auto count = static_cast<double>(work.filters.size());
  out.recall /= count;
  out.evaluations = static_cast<double>(index.stats().evaluations) / count;
  out.qps = count / (std::accumulate(micros.begin(), micros.end(), 0.0) / 1e6);
  out.p50_us = percentile(micros, 0.50);
  out.p99_us = percentile(micros, 0.99);
  return out;
}

/// At the least ef that reaches the recall, or at the greatest.
Point least_ef(IndexUnderTest& index, const DataSet& data, const Workload& work,
               const FilterOptions& options, index::SearchMethod method) {
  Point point;
  for (const std::size_t ef : options.efs) {
    point = run_once(index, data, work, options.k, ef, method);
    if (point.recall >= options.recall) break;
  }
  return point;
}

Filtered measure(IndexUnderTest& index, const DataSet& data, const Workload& work,
                 const FilterOptions& options, const Curve& unfiltered) {
  using index::SearchMethod;
  Filtered out;
  out.point = least_ef(index, data, work, options, SearchMethod::kByCost);
  out.walks = static_cast<double>(index.stats().walks) / static_cast<double>(work.filters.size());
  const auto qps = [&](std::size_t ef, std::optional<SearchMethod> method) {
    return run_once(index, data, work, options.k, ef, method).qps;
  };
  const Point* const plain = least_reaching(unfiltered, options.recall);
  const Point* const as_exact = least_reaching(unfiltered, out.point.recall);
  std::vector<double> chosen, ratios, as_exact_ratios;
  for (unsigned round = 0; round < options.rounds; ++round) {
    chosen.push_back(qps(out.point.ef, SearchMethod::kByCost));
    ratios.push_back(chosen.back() / qps(plain->ef, std::nullopt));
    if (as_exact != nullptr)
      as_exact_ratios.push_back(chosen.back() / qps(as_exact->ef, std::nullopt));
  }
  out.point.qps = median(chosen);
  out.ratio = median(ratios);
  out.ratio_as_exact = as_exact_ratios.empty() ? 0 : median(as_exact_ratios);
  if (!options.methods) return out;
  out.walked = least_ef(index, data, work, options, SearchMethod::kWalk);
  std::vector<double> walked, scanned;
  for (unsigned round = 0; round < options.rounds; ++round) {
    walked.push_back(qps(out.walked.ef, SearchMethod::kWalk));
    scanned.push_back(qps(out.point.ef, SearchMethod::kScan));
  }
  out.walked.qps = median(walked);
  out.scan_qps = median(scanned);
  return out;
}

}  // namespace

std::vector<Filtered> run_filters(IndexUnderTest& index, const Curve& unfiltered,
                                  const DataSet& data, const FilterOptions& options) {
  std::vector<Filtered> out;
  if (least_reaching(unfiltered, options.recall) == nullptr) return out;
  const std::uint32_t queries = std::min(kQueriesMax, data.queries.rows);
  for (const char* const kind : {"independent", "near", "elsewhere"}) {
    for (const double share : options.shares) {
      auto filters = kind == std::string_view("independent")
                         ? random_filters(data, queries, share)
                         : regions(data, queries, share, kind == std::string_view("near"));
      const Workload work = make_workload(data, options, std::move(filters));
      Filtered row = measure(index, data, work, options, unfiltered);
      row.kind = kind;
      row.share = share;
      out.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace vz::bench
