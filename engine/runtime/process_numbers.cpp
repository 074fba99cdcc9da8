#include "engine/runtime/process_numbers.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace vz::runtime {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint64_t page_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// The number in a file of one; nothing for "max", for what is not there and for no number.
std::optional<std::uint64_t> number_in(const std::string& path) {
  const std::string text = read_text(path);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// Fields of /proc/self/stat from the third on: the second, the name, may hold spaces.
std::vector<std::uint64_t> stat_fields() {
  const std::string text = read_text("/proc/self/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::vector<std::uint64_t> fields;
  for (std::string word; rest >> word;) {
    std::uint64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    fields.push_back(value);
  }
  return fields;
}

double boot_time_seconds() {
  std::istringstream lines(read_text("/proc/stat"));
  for (std::string word; lines >> word;) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

std::uint64_t open_files() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++count;
  return count > 0 ? count - 1 : 0;  // One of them is the listing's own.
}

/// The least limit in `file` of the group and of those above it.
std::uint64_t least_limit(const std::string& mount, std::string group, const std::string& file) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (;;) {
    if (const auto limit = number_in(mount + group + "/" + file)) least = std::min(least, *limit);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

}  // namespace

ProcessNumbers process_numbers() {
  constexpr std::size_t kUserTicks = 11;
  constexpr std::size_t kSystemTicks = 12;
  constexpr std::size_t kThreads = 17;
  constexpr std::size_t kStartTicks = 19;
  constexpr std::size_t kVirtualBytes = 20;
  constexpr std::size_t kResidentPages = 21;
  ProcessNumbers out;
  const auto fields = stat_fields();
  if (fields.size() > kResidentPages) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    out.cpu_seconds = static_cast<double>(fields[kUserTicks] + fields[kSystemTicks]) / ticks;
    out.start_time_seconds = boot_time_seconds() + static_cast<double>(fields[kStartTicks]) / ticks;
    out.threads = fields[kThreads];
    out.virtual_bytes = fields[kVirtualBytes];
    out.resident_bytes = fields[kResidentPages] * page_bytes();
  }
  out.open_files = open_files();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.open_files_max = limit.rlim_cur;
  return out;
}

std::uint64_t process_memory_bytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[256] = {};
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (size <= 0) return 0;
  std::istringstream(text) >> all >> resident >> shared;
  return (resident - std::min(resident, shared)) * page_bytes();
}

std::uint64_t memory_limit_bytes(const std::string& root) {
  std::uint64_t limit = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page_bytes();
  std::istringstream groups(read_text(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) {  // "0::/a/b", "5:memory:/a/b"
    const std::size_t kind = line.find(':');
    const std::size_t path = kind == std::string::npos ? kind : line.find(':', kind + 1);
    if (path == std::string::npos) continue;
    const std::string controllers = line.substr(kind + 1, path - kind - 1);
    std::string group = line.substr(path + 1);
    if (group == "/") group.clear();
    if (controllers.empty())
      limit = std::min(limit, least_limit(root + "/sys/fs/cgroup", group, "memory.max"));
    if (controllers == "memory")
      limit = std::min(limit,
                       least_limit(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
  }
  return limit;
}

}  // namespace vz::runtime
