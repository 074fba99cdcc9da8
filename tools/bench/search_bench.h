// Recall against speed of two subjects, alternating so that a noisy machine treats both alike.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tools/bench/data_set.h"
#include "tools/bench/index_under_test.h"
#include "tools/bench/report.h"
#include "tools/bench/subject.h"

namespace vz::bench {

struct SweepOptions {
  std::size_t k = 10;
  std::vector<std::size_t> efs;
  std::vector<double> recalls = {0.90, 0.95, 0.98, 0.99};
  unsigned rounds = 5;
};

/// Recall, evaluations and (of one round) QPS at each ef.
Curve sweep(Subject& subject, const DataSet& data, const SweepOptions& options);

/// For each recall that both curves reach: both at their least ef that does, in alternating rounds.
std::vector<Pair> compare(Subject& ours, const Curve& our_curve, Subject& peer,
                          const Curve& peer_curve, const DataSet& data,
                          const SweepOptions& options);

struct FilterOptions {
  std::size_t k = 10;
  std::size_t ef = 128;
  std::vector<double> shares = {0.001, 0.01, 0.05, 0.1, 0.5, 0.9};
  unsigned rounds = 3;
  unsigned threads = 2;
};

/// Searches under filters that are independent of the query, another one for each.
std::vector<Filtered> run_filters(IndexUnderTest& index, const DataSet& data,
                                  const FilterOptions& options);

}  // namespace vz::bench
