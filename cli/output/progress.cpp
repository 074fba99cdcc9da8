#include "cli/output/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <utility>

namespace vz::cli {
namespace {

constexpr std::size_t kBarWidth = 20;
constexpr auto kRedrawEvery = std::chrono::milliseconds(200);
constexpr auto kQuietAtFirst = std::chrono::milliseconds(500);
constexpr const char* kEraseLine = "\r\x1b[K";

std::string time_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

/// "checking  [#####.....]  48 %"; share: 0 .. 1
std::string bar_text(std::string_view what, double share) {
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  return std::string(what) + "  [" + std::string(filled, '#') +
         std::string(kBarWidth - filled, '.') + "]  " +
         std::to_string(static_cast<int>(share * 100)) + " %";
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr double kStep = 1024;
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value,
                kUnits[unit]);
  return text.data();
}

std::string progress_line(std::string_view what, std::uint64_t done_bytes,
                          std::uint64_t total_bytes, double elapsed_seconds) {
  const double share =
      total_bytes == 0
          ? 1.0
          : std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_bytes));
  std::string line = bar_text(what, share) + "  ";
  line += human_bytes(done_bytes) + " of " + human_bytes(total_bytes);
  if (elapsed_seconds <= 0 || done_bytes == 0) return line;
  const double rate = static_cast<double>(done_bytes) / elapsed_seconds;
  line += "  " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
  line += "  " +
          time_text(static_cast<double>(total_bytes - std::min(done_bytes, total_bytes)) / rate) +
          " left";
  return line;
}

std::string share_line(std::string_view what, double share, std::optional<double> seconds_left) {
  std::string line = bar_text(what, share);
  if (seconds_left) line += "  " + time_text(*seconds_left) + " left";
  return line;
}

ProgressBar::ProgressBar(Context& context, std::string what)
    : err_(context.err),
      shown_at_all_(context.err_is_terminal),
      what_(std::move(what)),
      began_(Clock::now()),
      shown_(began_ + kQuietAtFirst - kRedrawEvery) {}

ProgressBar::~ProgressBar() {
  if (drawn_) err_ << kEraseLine << std::flush;
}

bool ProgressBar::is_due() const {
  return shown_at_all_ && Clock::now() - shown_ >= kRedrawEvery;
}

void ProgressBar::draw(const std::string& line) {
  shown_ = Clock::now();
  drawn_ = true;
  err_ << kEraseLine << line << std::flush;
}

void ProgressBar::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  if (!is_due()) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - began_).count();
  draw(progress_line(what_, done_bytes, total_bytes, elapsed));
}

void ProgressBar::update_share(double share) {
  share = std::clamp(share, 0.0, 1.0);
  if (!first_share_) first_share_ = share;
  if (!is_due()) return;
  std::optional<double> seconds_left;
  if (const double done = share - *first_share_; done > 0) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - began_).count();
    seconds_left = elapsed * (1 - share) / done;
  }
  draw(share_line(what_, share, seconds_left));
}

}  // namespace vz::cli
