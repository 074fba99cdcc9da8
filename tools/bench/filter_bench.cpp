#include <algorithm>
#include <chrono>
#include <random>

#include "tools/bench/search_bench.h"
#include "tools/bench/statistics.h"

namespace vz::bench {
namespace {

constexpr unsigned kSeed = 5;
constexpr std::uint32_t kQueriesMax = 200;

struct Measured {
  double qps = 0;
  double recall = 0;
  double evaluations = 0;
  double walks = 0;
};

Measured measure(IndexUnderTest& index, const DataSet& data, const FilterOptions& options,
                 std::span<const index::RowSet> filters,
                 const std::vector<std::vector<std::uint32_t>>& answers,
                 index::SearchMethod method) {
  Measured out;
  std::vector<std::uint32_t> found;
  std::vector<double> rounds;
  for (unsigned round = 0; round < options.rounds; ++round) {
    index.clear_stats();
    double seconds = 0, recall = 0;
    for (std::uint32_t query = 0; query < filters.size(); ++query) {
      const index::RowFilter filter = {.allowed = &filters[query],
                                       .allowed_count = filters[query].count()};
      const auto begin = std::chrono::steady_clock::now();
      index.search_filtered(data.queries.row(query), options.k, options.ef, filter, method, found);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      recall += recall_of(found, answers[query], options.k);
    }
    const auto count = static_cast<double>(filters.size());
    rounds.push_back(count / seconds);
    out.recall = recall / count;
    out.evaluations = static_cast<double>(index.stats().evaluations) / count;
    out.walks = static_cast<double>(index.stats().walks) / count;
  }
  out.qps = median(rounds);
  return out;
}

}  // namespace

std::vector<Filtered> run_filters(IndexUnderTest& index, const DataSet& data,
                                  const FilterOptions& options) {
  std::vector<Filtered> out;
  std::mt19937_64 random(kSeed);
  const std::uint32_t queries = std::min(kQueriesMax, data.queries.rows);
  for (const double share : options.shares) {
    std::vector<index::RowSet> filters(queries, index::RowSet(data.base.rows));
    std::bernoulli_distribution passes(share);
    for (auto& filter : filters) {
      for (std::uint32_t row = 0; row < data.base.rows; ++row) {
        if (passes(random)) filter.insert(row);
      }
    }
    const auto answers = exact_answers(data, queries, options.k, options.threads, filters);
    const auto run = [&](index::SearchMethod method) {
      return measure(index, data, options, filters, answers, method);
    };
    const Measured chosen = run(index::SearchMethod::kByCost);
    const Measured walked = run(index::SearchMethod::kWalk);
    const Measured scanned = run(index::SearchMethod::kScan);
    out.push_back({.share = share,
                   .ef = options.ef,
                   .recall = chosen.recall,
                   .qps = chosen.qps,
                   .evaluations = chosen.evaluations,
                   .walks = chosen.walks,
                   .walk_qps = walked.qps,
                   .walk_recall = walked.recall,
                   .scan_qps = scanned.qps});
  }
  return out;
}

}  // namespace vz::bench
