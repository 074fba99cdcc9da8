// The loop: start, let the clients write, kill -9, start again, compare. Promises P1 and P2.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/fault/kill_loop/oracle.h"
#include "tests/fault/kill_loop/power_volume.h"
#include "tests/fault/kill_loop/workload.h"
#include "tools/drive/server_process.h"

namespace vz::kill_loop {

struct DriverOptions {
  std::string binary;
  std::string dir;         ///< holds data/, oracle/ and server.log
  bool power_cut = false;  ///< data/ lies in a PowerVolume, and each kill is a power cut
  std::vector<std::string> server_arguments;
  int kills = 200;
  int clients = 4;
  std::uint64_t seed = 0;
};

struct Tally {
  int kills = 0;
  int kills_while_starting = 0;
  std::uint64_t acknowledged = 0;  ///< operations
  int in_flight_present = 0;       ///< unanswered operations that were found whole
  int in_flight_absent = 0;        ///< unanswered operations of which nothing was found
  std::uint64_t points_checked = 0;
  std::size_t segments_sealed = 0;  ///< files seen after a kill
  std::size_t segments_merged = 0;  ///< of those, gone while their collection lived on
};

/// Not thread-safe; starts the clients' threads itself.
class Driver {
 public:
  /// Errors: of Oracle::open, of PowerVolume::make; kUnavailable (no free port).
  static Result<std::unique_ptr<Driver>> make(const DriverOptions& options);

  /// The whole loop, with a clean stop and one more start at its end.
  /// Errors: kInternal with the difference when a promise is broken; others if the loop cannot run.
  Status run();
  /// Plants losses and expects the verifier to report each. Errors: kInternal naming what it
  /// missed.
  Status self_test();

  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  Driver(const DriverOptions& options, Oracle oracle, std::unique_ptr<PowerVolume> volume,
         std::uint16_t port);

  Status create_shared_collections();
  Status restart();  ///< now and then with a kill before it is ready
  Status verify();   ///< and settles what was in flight
  Status work_and_kill();
  Status kill();  ///< SIGKILL, or a power cut and what is there afterwards
  /// Work and kills until enough() after a verification; the server is down before, up after.
  Status work_until(const std::function<bool()>& enough);
  Status check_tampered();
  Status check_old_directory();
  void count_segment_files();
  int below(int bound);

  DriverOptions options_;
  std::mt19937_64 random_;
  Oracle oracle_;
  std::unique_ptr<PowerVolume> volume_;  ///< null without power cuts
  drive::ServerProcess server_;
  std::vector<Generator> generators_;
  Tally tally_;
  std::set<std::string> segment_files_;  ///< every one ever seen
  std::set<std::string> segment_files_merged_;
};

}  // namespace vz::kill_loop
