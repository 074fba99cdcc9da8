// Runs the vectorizerctl binary as its users do: argv, environment, signals, exit status.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vz::cli::test {

/// A directory of its own below the system's temporary one, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "vz-cli-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// One run of the binary; killed at the end if it still runs.
class Process {
 public:
  /// descriptors_max: that it may have open; 0: as many as this process.
  Process(const Scratch& scratch, std::vector<std::string> arguments,
          const std::vector<std::pair<std::string, std::string>>& environment = {},
          rlim_t descriptors_max = 0)
      : out_(scratch.file("out-" + std::to_string(++count()))),
        err_(scratch.file("err-" + std::to_string(count()))) {
    arguments.insert(arguments.begin(), VZ_BINARY);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    const int out = ::open(out_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    const int err = ::open(err_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(out, 1);
    dup2(err, 2);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    const rlimit few{.rlim_cur = descriptors_max, .rlim_max = descriptors_max};
    if (descriptors_max != 0 && setrlimit(RLIMIT_NOFILE, &few) != 0) _exit(126);
    execv(VZ_BINARY, argv.data());
    _exit(127);
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  /// Exit status, 128+N if signal N ended it, -1 if it does not end in time.
  int wait(std::chrono::seconds patience = std::chrono::seconds(30)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > until) return -1;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Port of the line event=listening; 0 if it does not come.
  int port() const {
    for (int i = 0; i < 2000; ++i) {
      const std::string text = out();
      const std::size_t line = text.find("event=listening ");
      const std::size_t at = text.find(" port=", line);
      if (line != std::string::npos && text.find('\n', line) != std::string::npos)
        return std::stoi(text.substr(at + 6));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return 0;
  }
  [[nodiscard]] std::string out() const { return read_text(out_); }
  [[nodiscard]] std::string err() const { return read_text(err_); }

 private:
  static int& count() {
    static int runs = 0;
    return runs;
  }
  std::string out_;
  std::string err_;
  pid_t pid_ = -1;
};

}  // namespace vz::cli::test
