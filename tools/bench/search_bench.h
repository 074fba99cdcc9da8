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

/// The first point of the curve that reaches `recall`; null if none does.
const Point* least_reaching(const Curve& curve, double recall);

struct FilterOptions {
  std::size_t k = 10;
  double recall = 0.95;
  std::vector<std::size_t> efs;
  std::vector<double> shares = {0.01, 0.1, 0.5};
  bool methods = false;  ///< also measure each method by itself
  unsigned rounds = 5;
  unsigned threads = 2;
};

/// Searches under filters, another one for each query, beside searches without at the least ef that
/// reaches the same recall. Filters of three kinds: rows drawn at random; the rows nearest to the
/// query's best answer; the rows nearest to a random row, where the query is not.
std::vector<Filtered> run_filters(IndexUnderTest& index, const Curve& unfiltered,
                                  const DataSet& data, const FilterOptions& options);

}  // namespace vz::bench
