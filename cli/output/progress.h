// How far a long command is: one line on stderr that is drawn over, with the time that is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context/context.h"

namespace vz::cli {

/// "checking  [#####.....]  48 %  1.2 GiB of 2.5 GiB  310 MiB/s  4 s left"
/// elapsed_seconds: since the start; the rate and the time left are those of the whole time.
std::string progress_line(std::string_view what, std::uint64_t done_bytes,
                          std::uint64_t total_bytes, double elapsed_seconds);

/// "optimize docs  [#########...........]  48 %  4 s left"
/// share: 0 .. 1. seconds_left: none is shown where it is not known.
std::string share_line(std::string_view what, double share, std::optional<double> seconds_left);

/// Not thread-safe.
class ProgressBar {
 public:
  /// what: "checking". Shown only where context.err is a terminal; nothing is drawn in the first
  /// half second.
  ProgressBar(Context& context, std::string what);
  ~ProgressBar();  ///< takes the line away
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);
  /// Of work that tells its share alone, 0 .. 1. It may have begun long before: the time left is
  /// judged by what was done since the first call.
  void update_share(double share);
  /// update(), as options of long work take it; the bar must outlive it.
  std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> updates() {
    return [this](std::uint64_t done, std::uint64_t total) { update(done, total); };
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool is_due() const;
  void draw(const std::string& line);

  std::ostream& err_;
  const bool shown_at_all_;
  const std::string what_;
  const Clock::time_point began_;
  Clock::time_point shown_;
  bool drawn_ = false;
  std::optional<double> first_share_;
};

/// "310 MiB": three digits at most, binary units.
std::string human_bytes(std::uint64_t bytes);

}  // namespace vz::cli
