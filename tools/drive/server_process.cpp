#include "tools/drive/server_process.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/drive/http_client.h"

namespace vz::drive {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

/// In the child: never returns.
[[noreturn]] void become_server(char** arguments, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

ServerProcess::ServerProcess(ServerOptions options) : options_(std::move(options)) {}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) static_cast<void>(kill_now());
}

std::string ServerProcess::base_url() const {
  return "http://127.0.0.1:" + std::to_string(options_.port);
}

Status ServerProcess::start() {
  std::vector<std::string> words = {options_.binary, "serve",
                                    "--data-dir",    options_.data_dir,
                                    "--listen",      "127.0.0.1:" + std::to_string(options_.port)};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const int log =
      ::open(options_.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail(ErrorCode::kIoError, options_.log_file + ": " + std::strerror(errno));
  pid_ = ::fork();
  if (pid_ == 0) become_server(arguments.data(), log);
  ::close(log);
  if (pid_ < 0) return fail(ErrorCode::kIoError, std::string("fork: ") + std::strerror(errno));
  return {};
}

Status ServerProcess::wait_ready(int timeout_ms) {
  const auto deadline = Clock::now() + milliseconds(timeout_ms);
  HttpClient http(base_url(), 2'000);
  while (Clock::now() < deadline) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return fail(ErrorCode::kUnavailable, "the node ended while starting: " + describe(status));
    }
    const auto answer = http.request("GET", "/readyz", "");
    if (answer && answer->status == 200) return {};
    std::this_thread::sleep_for(milliseconds(3));
  }
  return fail(ErrorCode::kDeadline,
              "the node was not ready within " + std::to_string(timeout_ms) + " ms");
}

Status ServerProcess::kill_now() {
  int status = 0;
  ::kill(pid_, SIGKILL);
  const pid_t waited = ::waitpid(std::exchange(pid_, -1), &status, 0);
  if (waited > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {};
  return fail(ErrorCode::kInternal, "the node ended before it was killed: " + describe(status));
}

Status ServerProcess::stop(int timeout_ms) {
  const auto deadline = Clock::now() + milliseconds(timeout_ms);
  ::kill(pid_, SIGTERM);
  while (Clock::now() < deadline) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
      return fail(ErrorCode::kInternal, "the node was asked to stop: " + describe(status));
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return fail(ErrorCode::kDeadline,
              "the node did not stop within " + std::to_string(timeout_ms) + " ms");
}

std::uint16_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  std::uint16_t port = 0;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(listener);
  return port;
}

}  // namespace vz::drive
