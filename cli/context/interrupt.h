// Whether somebody has pressed ^C.
#pragma once

#include <csignal>

namespace vz::cli {

/// While one exists, SIGINT does not end the process but is remembered; the second one ends it. One
/// at a time. What the signal did before is put back at the end.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  [[nodiscard]] bool seen() const;

 private:
  struct sigaction before_ {};
};

}  // namespace vz::cli
