// vz_bench: recall and speed of our index beside hnswlib's, in one process and one run.
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "engine/vector/kernels.h"
#include "tools/bench/data_set.h"
#include "tools/bench/index_under_test.h"
#include "tools/bench/peer_hnswlib.h"
#include "tools/bench/report.h"
#include "tools/bench/search_bench.h"

namespace vz::bench {
namespace {

struct Options {
  std::string base, queries, truth, generate, distance = "Cosine";
  std::string directory = "/tmp/vz_bench";
  std::string json;
  std::uint32_t query_count = 500;
  unsigned threads = 2;
  std::size_t rescore = 40;
  bool reuse = false;
  bool no_peer = false;
  bool filters = false;
  SweepOptions sweep;
  FilterOptions filter;
  index::HnswParameters hnsw;
};

Result<DataSet> load(const Options& options) {
  DataSet data;
  const auto distance = vector::parse_distance(options.distance);
  if (!distance) return fail(ErrorCode::kInvalidArgument, "unknown distance " + options.distance);
  if (!options.generate.empty()) {
    std::uint32_t rows = 0, dimension = 0;
    if (std::sscanf(options.generate.c_str(), "%ux%u", &rows, &dimension) != 2 || rows == 0 ||
        dimension == 0) {
      return fail(ErrorCode::kInvalidArgument,
                  "--generate: expected ROWSxDIMENSION, found " + options.generate);
    }
    data = generate(rows, dimension, options.query_count);
  } else {
    data.name = options.base;
    VZ_TRY_ASSIGN(data.base, read_fbin(options.base));
    VZ_TRY_ASSIGN(data.queries, read_fbin(options.queries));
    if (data.base.dimension != data.queries.dimension) {
      return fail(ErrorCode::kInvalidArgument, "queries and base differ in dimension");
    }
  }
  data.distance = *distance;
  prepare(data);
  if (options.truth.empty()) {
    data.answers = exact_answers(data, data.queries.rows, options.sweep.k, options.threads, {});
    return data;
  }
  VZ_TRY_ASSIGN(data.answers, read_ibin(options.truth, data.base.rows));
  if (data.answers.size() < data.queries.rows) {
    return fail(ErrorCode::kInvalidArgument, options.truth + ": fewer answers than queries");
  }
  return data;
}

Status run(const Options& options) {
  VZ_TRY_ASSIGN(const DataSet data, load(options));
  VZ_TRY_ASSIGN(const auto ours, IndexUnderTest::make(data, {.directory = options.directory,
                                                             .hnsw = options.hnsw,
                                                             .threads = options.threads,
                                                             .rescore = options.rescore,
                                                             .reuse = options.reuse}));
  Report report{.data = data.name,
                .rows = data.base.rows,
                .dimension = data.base.dimension,
                .queries = data.queries.rows,
                .k = options.sweep.k,
                .rescore = options.rescore,
                .kernels = std::string(vector::kernels().name),
                .codes_on = ours->codes_on()};
  report.curves.push_back(sweep(*ours, data, options.sweep));
  if (!options.no_peer) {
    VZ_TRY_ASSIGN(const auto peer, make_hnswlib(data, {.m = options.hnsw.m,
                                                       .ef_construct = options.hnsw.ef_construct,
                                                       .threads = options.threads}));
    report.curves.push_back(sweep(*peer, data, options.sweep));
    report.pairs = compare(*ours, report.curves[0], *peer, report.curves[1], data, options.sweep);
  }
  if (options.filters) report.filtered = run_filters(*ours, data, options.filter);
  report.peak_rss_bytes = peak_rss_bytes();
  print_table(report);
  if (!options.json.empty()) VZ_TRY(write_json(report, options.json));
  return {};
}

}  // namespace
}  // namespace vz::bench

int main(int argc, char** argv) {
  vz::bench::Options options;
  options.sweep.efs = {10,  16,  24,  32,  40,  48,  56,  64,  80,  96,  112, 128,
                       144, 160, 176, 192, 224, 256, 320, 384, 448, 512, 640, 800};
  CLI::App app("Recall and speed of the index beside hnswlib, in one run");
  auto* base = app.add_option("--base", options.base, "Vectors, .fbin")->check(CLI::ExistingFile);
  app.add_option("--queries", options.queries, "Queries, .fbin")->check(CLI::ExistingFile);
  app.add_option("--truth", options.truth, "Exact answers, .ibin; computed if absent")
      ->check(CLI::ExistingFile);
  app.add_option("--generate", options.generate, "ROWSxDIMENSION of clustered vectors")
      ->excludes(base);
  app.add_option("--query-count", options.query_count, "Queries to generate")
      ->capture_default_str();
  app.add_option("--distance", options.distance)->capture_default_str();
  app.add_option("--directory", options.directory, "For the segment and its index")
      ->capture_default_str();
  app.add_option("--k", options.sweep.k)->capture_default_str();
  app.add_option("--ef", options.sweep.efs, "Breadths to try, ascending");
  app.add_option("--rounds", options.sweep.rounds)->capture_default_str();
  app.add_option("--threads", options.threads, "Of builds and exact answers")
      ->capture_default_str();
  app.add_option("--rescore", options.rescore, "Candidates compared in float32")
      ->capture_default_str();
  app.add_option("--m", options.hnsw.m)->capture_default_str();
  app.add_option("--ef-construct", options.hnsw.ef_construct)->capture_default_str();
  app.add_flag("--reuse", options.reuse, "Open the index that the last run built in --directory");
  app.add_flag("--no-peer", options.no_peer, "Only our index");
  app.add_flag("--filters", options.filters, "Also searches under filters");
  app.add_option("--filter-ef", options.filter.ef)->capture_default_str();
  app.add_option("--filter-shares", options.filter.shares);
  app.add_option("--json", options.json, "Also write the results to this file");
  CLI11_PARSE(app, argc, argv);
  if (options.generate.empty() && (options.base.empty() || options.queries.empty())) {
    std::fprintf(stderr, "vz_bench: give --generate, or --base and --queries\n");
    return 2;
  }
  options.filter.k = options.sweep.k;
  options.filter.threads = options.threads;
  const auto status = vz::bench::run(options);
  if (!status) {
    std::fprintf(stderr, "vz_bench: %s\n", status.error().message.c_str());
    return 1;
  }
  return 0;
}
