// vz_bench index: recall and speed of our index beside hnswlib's, in one process and one run.
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "engine/vector/kernels.h"
#include "tools/bench/commands.h"
#include "tools/bench/data_options.h"
#include "tools/bench/index_under_test.h"
#include "tools/bench/peer_faiss.h"
#include "tools/bench/peer_hnswlib.h"
#include "tools/bench/report.h"
#include "tools/bench/search_bench.h"

namespace vz::bench {
namespace {

struct Options {
  DataOptions data;
  std::string directory = "/tmp/vz_bench";
  std::string json;
  std::string plot;
  unsigned threads = 2;
  std::size_t rescore = 40;
  bool reuse = false;
  bool no_peer = false;
  bool faiss = false;
  bool filters = false;
  SweepOptions sweep;
  FilterOptions filter;
  index::HnswParameters hnsw;
};

Status run(const Options& options) {
  VZ_TRY_ASSIGN(const DataSet data, load_data(options.data, options.sweep.k, options.threads));
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
  const auto measure = [&](Subject& peer) {
    report.curves.push_back(sweep(peer, data, options.sweep));
    for (Pair& pair :
         compare(*ours, report.curves.front(), peer, report.curves.back(), data, options.sweep))
      report.pairs.push_back(std::move(pair));
  };
  const PeerOptions peer{
      .m = options.hnsw.m, .ef_construct = options.hnsw.ef_construct, .threads = options.threads};
  if (!options.no_peer) {
    VZ_TRY_ASSIGN(const auto hnswlib, make_hnswlib(data, peer));
    measure(*hnswlib);
  }
  if (options.faiss) {
    VZ_TRY_ASSIGN(const auto faiss, make_faiss(data, peer));
    measure(*faiss);
  }
  if (options.filters) report.filtered = run_filters(*ours, report.curves[0], data, options.filter);
  report.peak_rss_bytes = peak_rss_bytes();
  print_table(report);
  if (!options.json.empty()) VZ_TRY(write_json(report, options.json));
  if (!options.plot.empty()) VZ_TRY(write_plot(report, options.plot));
  return {};
}

}  // namespace

void add_index_command(CLI::App& app, Status& outcome) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  options->sweep.efs = {10,  12,  14,  16,  24,  32,  40,  48,  56,  64,  80,  96,  112,
                        128, 144, 160, 176, 192, 224, 256, 320, 384, 448, 512, 640, 800};
  auto& command = *app.add_subcommand("index", "Recall and speed of the index beside hnswlib");
  add_data_options(command, options->data);
  command.add_option("--directory", options->directory, "For the segment and its index")
      ->capture_default_str();
  command.add_option("--k", options->sweep.k)->capture_default_str();
  command.add_option("--ef", options->sweep.efs, "Breadths to try, ascending");
  command.add_option("--rounds", options->sweep.rounds)->capture_default_str();
  command.add_option("--threads", options->threads, "Of builds and exact answers")
      ->capture_default_str();
  command.add_option("--rescore", options->rescore, "Candidates compared in float32")
      ->capture_default_str();
  command.add_option("--m", options->hnsw.m)->capture_default_str();
  command.add_option("--ef-construct", options->hnsw.ef_construct)->capture_default_str();
  command.add_flag("--reuse", options->reuse,
                   "Open the index that the last run built in --directory");
  auto* const no_peer = command.add_flag("--no-peer", options->no_peer, "Only our index");
  command
      .add_flag(
          "--faiss", options->faiss,
          "Also beside Faiss's HNSW over 8-bit codes, where libfaiss-dev was there to build with")
      ->excludes(no_peer);
  command.add_flag("--filters", options->filters, "Also searches under filters");
  command.add_flag("--filter-methods", options->filter.methods,
                   "Also only walks and only scans, to set the cost model by");
  command.add_option("--filter-shares", options->filter.shares);
  command.add_option("--json", options->json, "Also write the results to this file");
  command.add_option("--plot", options->plot,
                     "Also draw recall against QPS to this file, .png or .svg (needs gnuplot)");
  command.callback([options, &outcome] {
    options->filter.k = options->sweep.k;
    options->filter.efs = options->sweep.efs;
    options->filter.rounds = options->sweep.rounds;
    options->filter.threads = options->threads;
    outcome = run(*options);
  });
}

}  // namespace vz::bench
