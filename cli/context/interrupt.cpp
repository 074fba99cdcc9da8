#include "cli/context/interrupt.h"

namespace vz::cli {
namespace {

volatile std::sig_atomic_t g_seen = 0;

void remember(int) {
  g_seen = 1;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  g_seen = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // The second one finds the default again.
  sigaction(SIGINT, &action, &before_);
}

InterruptWatch::~InterruptWatch() {
  sigaction(SIGINT, &before_, nullptr);
}

bool InterruptWatch::seen() const {
  return g_seen != 0;
}

}  // namespace vz::cli
