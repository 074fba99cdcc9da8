#include "tools/bench/timed_child.h"

#include <chrono>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vz::bench {
namespace {

constexpr std::uint64_t kKibi = 1024;  // ru_maxrss counts these.

/// In the child: never returns.
[[noreturn]] void become(char** arguments, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(arguments[0], arguments);
  ::_exit(127);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

Result<TimedRun> run_timed(const std::vector<std::string>& words, const std::string& log_file) {
  auto copy = words;
  std::vector<char*> arguments;
  for (auto& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail(ErrorCode::kIoError, log_file + ": " + std::strerror(errno));
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), log);
  ::close(log);
  if (pid < 0) return fail(ErrorCode::kIoError, std::string("fork: ") + std::strerror(errno));

  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) return fail(ErrorCode::kIoError, std::string("wait4: ") + strerror(errno));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::kInternal,
                joined(words) + ": expected status 0, found " +
                    (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                         : std::to_string(WEXITSTATUS(status))) +
                    "; its output is in " + log_file);
  }
  return TimedRun{took.count(), static_cast<std::uint64_t>(usage.ru_maxrss) * kKibi};
}

std::string quoted(const std::string& path) {
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

}  // namespace vz::bench
