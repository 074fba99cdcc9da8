// test_kill_loop: kills a node with SIGKILL again and again under four clients' writes, and
// compares what it holds after each restart with what it acknowledged.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include <unistd.h>

#include "tests/fault/kill_loop/driver.h"

namespace {

using vz::kill_loop::Driver;
using vz::kill_loop::DriverOptions;
using vz::kill_loop::Tally;

constexpr const char* kUsage =
    "usage: test_kill_loop --binary PATH [--kills N] [--seed S] [--clients N] [--dir D]\n"
    "                      [--power-cut] [--self-test] [--server-arg ARG]...\n"
    "\n"
    "Starts `PATH serve` on a free port, lets N clients (default 4) write, kills it -9 at a "
    "random\n"
    "moment (one kill in five while it starts), restarts it and verifies every collection and "
    "point;\n"
    "--kills times (default 200).\n"
    "\n"
    "  --dir D        keep data, oracle and the node's log in D; a run that was cut short goes on "
    "from\n"
    "                 there. Default: a new directory, removed after success\n"
    "  --seed S       of all random choices; default: drawn, and printed\n"
    "  --power-cut    each kill is a power cut: the data lies in an XFS of its own, which is shut "
    "down\n"
    "                 without a flush, unmounted and mounted again (needs root and xfsprogs)\n"
    "  --self-test    plant losses and expect the verifier to see each of them\n"
    "  --server-arg A a further argument of `serve` (default: small bounds that force seals and "
    "merges)\n"
    "\n"
    "Exit status: 0 every promise held, 1 one was broken (the directory is kept), 2 wrong usage.\n";

struct Arguments {
  DriverOptions driver;
  bool self_test = false;
  bool keep = false;  ///< --dir was given
};

[[noreturn]] void wrong_usage(const std::string& why) {
  std::fprintf(stderr, "test_kill_loop: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

long number(const std::string& flag, const std::string& text, long max) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 1 || value > max) {
    wrong_usage(flag + " wants a number from 1 to " + std::to_string(max) + ", not '" + text + "'");
  }
  return value;
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  arguments.driver.seed = std::random_device{}();
  for (int index = 1; index < argc; ++index) {
    const std::string flag = argv[index];
    if (flag == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (flag == "--self-test") {
      arguments.self_test = true;
      continue;
    }
    if (flag == "--power-cut") {
      arguments.driver.power_cut = true;
      continue;
    }
    if (index + 1 == argc) wrong_usage("unknown flag or missing value: " + flag);
    const std::string value = argv[++index];
    if (flag == "--binary") {
      arguments.driver.binary = value;
    } else if (flag == "--kills") {
      arguments.driver.kills = static_cast<int>(number(flag, value, 1'000'000));
    } else if (flag == "--seed") {
      arguments.driver.seed = static_cast<std::uint64_t>(number(flag, value, 4'294'967'295L));
    } else if (flag == "--clients") {
      arguments.driver.clients = static_cast<int>(number(flag, value, vz::kill_loop::kClientsMax));
    } else if (flag == "--dir") {
      arguments.driver.dir = value;
      arguments.keep = true;
    } else if (flag == "--server-arg") {
      arguments.driver.server_arguments.push_back(value);
    } else {
      wrong_usage("unknown flag " + flag);
    }
  }
  if (arguments.driver.binary.empty()) wrong_usage("--binary is needed");
  if (arguments.self_test && arguments.driver.power_cut)
    wrong_usage("--self-test kills with SIGKILL: leave out --power-cut");
  if (arguments.driver.server_arguments.empty()) {
    arguments.driver.server_arguments = {"--seal-rows", "300", "--seal-bytes", "200000"};
  }
  return arguments;
}

void print(const Tally& tally) {
  std::printf(
      "%d kills (%d while starting), %llu operations acknowledged; of the unanswered ones %d were "
      "there whole and %d not at all; %llu points compared; %zu segments sealed, %zu merged away\n",
      tally.kills, tally.kills_while_starting, static_cast<unsigned long long>(tally.acknowledged),
      tally.in_flight_present, tally.in_flight_absent,
      static_cast<unsigned long long>(tally.points_checked), tally.segments_sealed,
      tally.segments_merged);
}

/// A loop that sealed and merged nothing has not tested what it is for.
bool was_worth_it(const Tally& tally) {
  constexpr int kKillsThatMustSeeBoth = 100;
  return tally.kills < kKillsThatMustSeeBoth ||
         (tally.segments_sealed > 0 && tally.segments_merged > 0);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  DriverOptions& options = arguments.driver;
  if (options.dir.empty()) {
    options.dir =
        (std::filesystem::temp_directory_path() / ("vz-kill-loop-" + std::to_string(::getpid())))
            .string();
  }
  std::printf("seed %llu, directory %s\n", static_cast<unsigned long long>(options.seed),
              options.dir.c_str());
  std::fflush(stdout);

  int kills = 0;
  vz::Status outcome;
  {
    auto driver = Driver::make(options);
    if (!driver) {
      std::fprintf(stderr, "test_kill_loop: %s\n", driver.error().message.c_str());
      return 1;
    }
    outcome = arguments.self_test ? (*driver)->self_test() : (*driver)->run();
    kills = (*driver)->tally().kills;
    print((*driver)->tally());
    if (outcome && !arguments.self_test && !was_worth_it((*driver)->tally())) {
      outcome =
          vz::fail(vz::ErrorCode::kInternal, "no segment was sealed, or none merged: not a test");
    }
  }
  if (!outcome) {
    std::fprintf(stderr, "FAILED after kill %d, seed %llu, directory kept: %s\n%s\n", kills,
                 static_cast<unsigned long long>(options.seed), options.dir.c_str(),
                 outcome.error().message.c_str());
    return 1;
  }
  if (!arguments.keep) std::filesystem::remove_all(options.dir);
  return 0;
}
