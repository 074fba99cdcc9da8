#include "tools/quickstart_client/progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace vz::quickstart {
namespace {

constexpr std::size_t kBarWidth = 28;
constexpr std::size_t kGuessAfterShare = 20;  ///< a twentieth of the work
constexpr auto kTerminalPause = std::chrono::milliseconds(100);
constexpr auto kPlainPause = std::chrono::seconds(2);

}  // namespace

Progress::Progress(std::string what, std::string unit, std::size_t total)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(std::max<std::size_t>(total, 1)),
      terminal_(::isatty(STDOUT_FILENO) == 1),
      began_(Clock::now()),
      shown_(began_) {}

double Progress::seconds() const {
  return std::max(std::chrono::duration<double>(Clock::now() - began_).count(), 1e-3);
}

void Progress::update(std::size_t done) {
  done_ = std::min(done, total_);
  const auto now = Clock::now();
  if (now - shown_ < (terminal_ ? Clock::duration(kTerminalPause) : Clock::duration(kPlainPause))) {
    return;
  }
  shown_ = now;
  show();
}

void Progress::finish() {
  std::printf("%s%s: %zu %s in %.1f s\n", terminal_ ? "\r\033[K" : "", what_.c_str(), total_,
              unit_.c_str(), seconds());
  std::fflush(stdout);
}

void Progress::show() {
  const double rate = static_cast<double>(done_) / seconds();
  char speed[64] = "";
  if (done_ * kGuessAfterShare > total_) {  // Before that the guess would jump about.
    std::snprintf(speed, sizeof speed, ", %.0f/s, %.0f s left", rate,
                  static_cast<double>(total_ - done_) / rate);
  }
  if (terminal_) {
    const std::size_t filled = done_ * kBarWidth / total_;
    std::printf("\r\033[K%s [%s%s] %zu / %zu %s%s", what_.c_str(), std::string(filled, '#').c_str(),
                std::string(kBarWidth - filled, '.').c_str(), done_, total_, unit_.c_str(), speed);
  } else {
    std::printf("%s: %zu of %zu %s%s\n", what_.c_str(), done_, total_, unit_.c_str(), speed);
  }
  std::fflush(stdout);
}

}  // namespace vz::quickstart
