#include "storage/store/lock_owner.h"

#include <array>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>

#include <unistd.h>

#include "storage/base/utc.h"

namespace vz::store {
namespace {

constexpr std::size_t kCommandBytesMax = 200;

/// Program and subcommand only: later arguments may hold what should not be shown to others.
std::string command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t first_end = std::min(all.find('\0'), all.size());
  std::string text = all.substr(0, first_end);
  text.erase(0, text.rfind('/') + 1);
  if (first_end + 1 < all.size() && all[first_end + 1] != '-') {
    text.append(" ").append(all.c_str() + first_end + 1);
  }
  return text.substr(0, kCommandBytesMax);
}

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Plain ASCII inside quotes; anything that JSON would have to escape becomes '?'.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    const bool plain = letter >= 0x20 && letter < 0x7f && letter != '"' && letter != '\\';
    out.push_back(plain ? letter : '?');
  }
  return out + "\"";
}

}  // namespace

std::string lock_owner() {
  return "{\"pid\":" + std::to_string(::getpid()) + ",\"host\":" + quoted(host()) +
         ",\"command\":" + quoted(command()) +
         ",\"since\":" + quoted(rfc3339_seconds(std::time(nullptr))) + "}";
}

}  // namespace vz::store
