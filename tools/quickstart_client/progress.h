// How far a long step is: a bar with rate and time left on a terminal, a line now and then
// elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace vz::quickstart {

/// Not thread-safe.
class Progress {
 public:
  /// what: "loading"; unit: "points".
  Progress(std::string what, std::string unit, std::size_t total);

  void update(std::size_t done);
  /// Ends the line and says how long it took.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  std::string unit_;
  std::size_t total_;
  std::size_t done_ = 0;
  bool terminal_;
  Clock::time_point began_;
  Clock::time_point shown_;

  [[nodiscard]] double seconds() const;
  void show();
};

}  // namespace vz::quickstart
