// vz_quickstart: the part of ./tools/quickstart that speaks to the node. Loads the words, waits
// until they are indexed, searches in ten ways, prints a table, and fails when an answer is not
// good enough.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tools/quickstart_client/load.h"
#include "tools/quickstart_client/measure.h"
#include "tools/quickstart_client/words_data.h"

namespace {

using vz::drive::Accuracy;
using vz::quickstart::Measurement;

constexpr double kRecallMin = 0.95;
constexpr double kRecallExact = 1.0;
/// Of the rows: a search that computes more distances has no index to speak of.
constexpr double kEvaluatedShareMax = 0.25;

constexpr const char* kUsage =
    "usage: vz_quickstart --data DIR [--url URL] [--collection NAME]\n"
    "\n"
    "Loads DIR/words.fbin and words.jsonl into a node, waits until everything is indexed, and "
    "searches\n"
    "with each query: plainly and with four filters, by index and exactly.\n"
    "\n"
    "  --data DIR         the data set (tests/data/words)\n"
    "  --url URL          the node; default http://127.0.0.1:15002\n"
    "  --collection NAME  default words\n"
    "\n"
    "Exit status: 0 all answers are good, 1 something failed, 2 wrong usage, 4 recall below 0.95 "
    "(1.0\n"
    "with exact:true), or a plain search compared a quarter of the rows.\n";

struct Arguments {
  std::string data;
  vz::quickstart::LoadOptions load{.url = "http://127.0.0.1:15002", .collection = "words"};
};

[[noreturn]] void wrong_usage(const std::string& why) {
  std::fprintf(stderr, "vz_quickstart: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int index = 1; index < argc; ++index) {
    const std::string flag = argv[index];
    if (flag == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (index + 1 == argc) wrong_usage("unknown flag or missing value: " + flag);
    const std::string value = argv[++index];
    if (flag == "--data") {
      arguments.data = value;
    } else if (flag == "--url") {
      arguments.load.url = value;
    } else if (flag == "--collection") {
      arguments.load.collection = value;
    } else {
      wrong_usage("unknown flag " + flag);
    }
  }
  if (arguments.data.empty()) wrong_usage("--data is needed");
  return arguments;
}

/// Prints the row; true if it is good enough.
bool report(const std::string& name, Accuracy accuracy, const Measurement& m, std::size_t rows) {
  const bool exact = accuracy == Accuracy::kExact;
  const double share = m.evaluations_per_query / static_cast<double>(rows);
  const bool recalled = m.recall >= (exact ? kRecallExact : kRecallMin);
  const bool indexed = exact || name != "plain" || share < kEvaluatedShareMax;
  std::printf("%-16s %-7s %9.4f %16.0f %9.1f %% %8.2f %8.2f%s%s\n", name.c_str(),
              exact ? "exact" : "default", m.recall, m.evaluations_per_query, 100 * share, m.p50_ms,
              m.p99_ms, recalled ? "" : "   <- recall too low",
              indexed ? "" : "   <- too many rows compared");
  std::fflush(stdout);
  return recalled && indexed;
}

/// Exit status.
vz::Result<int> run(const Arguments& arguments) {
  VZ_TRY_ASSIGN(const auto data, vz::quickstart::read_words(arguments.data));
  VZ_TRY(vz::quickstart::load(arguments.load, data));
  VZ_TRY(vz::quickstart::wait_until_indexed(arguments.load, data.vectors.rows));

  vz::drive::HttpClient http(arguments.load.url, 30'000);
  std::printf("\n%zu queries each, top %zu of %zu points, %zu dimensions, one connection\n\n",
              data.queries.rows, data.sets.front().answers.columns, data.vectors.rows,
              data.vectors.columns);
  std::printf("%-16s %-7s %9s %16s %11s %8s %8s\n", "search", "mode", "recall@10",
              "distances/query", "of rows", "p50 ms", "p99 ms");
  bool good = true;
  for (const Accuracy accuracy : {Accuracy::kDefault, Accuracy::kExact}) {
    for (const auto& set : data.sets) {
      VZ_TRY_ASSIGN(const auto measurement,
                    measure(http, arguments.load.collection, data.queries, set, accuracy));
      good &= report(set.name, accuracy, measurement, data.vectors.rows);
    }
  }
  return good ? 0 : 4;
}

}  // namespace

int main(int argc, char** argv) {
  const auto status = run(parse(argc, argv));
  if (status) return *status;
  std::fprintf(stderr, "vz_quickstart: %s\n", status.error().message.c_str());
  return 1;
}
