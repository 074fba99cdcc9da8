// test_offline_power_cut: cuts the power of a real file system while the offline tools change a
// data directory on it, and expects the old content or the new, and that a rerun ends the work.
// Promises P7 and P8.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/kill_loop/power_volume.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/node_api.h"
#include "tools/drive/server_process.h"

namespace vz {
namespace {

namespace fs = std::filesystem;
using kill_loop::PowerVolume;
using nlohmann::json;
using Words = std::vector<std::string>;

constexpr int kReadyTimeoutMs = 60'000;
constexpr long kCallTimeoutMs = 30'000;
constexpr std::size_t kDimension = 16, kBatch = 250;
constexpr int kFindings = 4;
constexpr const char* kUsage =
    "usage: test_offline_power_cut --binary PATH [--cuts N] [--seed S]\n"
    "Needs root, xfsprogs and a loop device. Exit status: 0 every promise held, 1 one was broken,\n"
    "2 wrong usage.\n";

/// What is done to a directory on the volume. DATA in `words` stands for it.
struct Work {
  std::string what;
  Words words;
  std::string from;   ///< the directory it begins with
  std::string wrong;  ///< digests that are allowed before it is done: of `from`
  std::string right;  ///< and after
  bool damaged = false;
  std::chrono::microseconds took{0};  ///< when nothing cut it short
};

Status broken(const std::string& why) {
  return fail(ErrorCode::kInternal, why);
}

class OfflinePowerCut {
 public:
  OfflinePowerCut(std::string binary, std::string dir, unsigned seed)
      : binary_(std::move(binary)), dir_(std::move(dir)), random_(seed) {}

  Status run(int cuts) {
    VZ_TRY_ASSIGN(volume_, PowerVolume::make(dir_));
    VZ_TRY(make_data(dir_ + "/first", 0));
    VZ_TRY(make_data(dir_ + "/second", 7));
    VZ_TRY(make_damaged());
    VZ_TRY(expect(0, {"snapshot", "pack", dir_ + "/second", "-o", dir_ + "/second.tar.gz"}));
    VZ_TRY_ASSIGN(auto works, all_works());
    for (Work& work : works) VZ_TRY(time(work));
    for (int cut = 0; cut < cuts; ++cut) {
      const Work& work = works[static_cast<std::size_t>(cut) % works.size()];
      VZ_TRY(round(work));
      std::printf("%d: %s: %s\n", cut + 1, work.what.c_str(), note_.c_str());
      std::fflush(stdout);
    }
    return finished_ < cuts ? Status() : broken("no cut came before the end of the work");
  }

 private:
  std::string binary_, dir_;
  std::mt19937_64 random_;
  std::unique_ptr<PowerVolume> volume_;
  std::string note_;
  int finished_ = 0;  ///< works that ended before the cut

  [[nodiscard]] std::string data() const { return volume_->mount_point() + "/data"; }

  pid_t start(Words words, const std::string& output) const {
    words.insert(words.begin(), binary_);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (std::freopen(output.c_str(), "w", stdout) == nullptr ||
        std::freopen((dir_ + "/stderr").c_str(), "w", stderr) == nullptr)
      ::_exit(126);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  static int wait_for(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream file(dir_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int status_of(const Words& words) { return wait_for(start(words, dir_ + "/stdout")); }
  Status expect(int status, const Words& words) {
    const int found = status_of(words);
    if (found == status) return {};
    return broken(words[0] + " " + words[1] + ": expected exit status " + std::to_string(status) +
                  ", found " + std::to_string(found) + "\n" + text_of("stdout") +
                  text_of("stderr"));
  }
  /// The digests of all collections; "" if they cannot be told.
  std::string digest(const std::string& directory) {
    if (status_of({"data", "hash", directory, "-o", "json"}) != 0) return "";
    std::string all;
    const json answer = json::parse(text_of("stdout"), nullptr, false);
    for (const auto& one : answer.value("collections", json::array()))
      all += one.at("name").get<std::string>() + "=" + one.at("digest").get<std::string>() + " ";
    return all;
  }

  /// A stopped node's directory with several segments and dead rows; another content for each
  /// `shift`.
  Status make_data(const std::string& directory, std::size_t shift) {
    drive::ServerProcess server({.binary = binary_,
                                 .data_dir = directory,
                                 .log_file = dir_ + "/server.log",
                                 .port = drive::free_port(),
                                 .arguments = {"--seal-rows", "300"}});
    VZ_TRY(server.start());
    VZ_TRY(server.wait_ready(kReadyTimeoutMs));
    drive::HttpClient http(server.base_url(), kCallTimeoutMs);
    VZ_TRY(drive::create_collection(http, "docs", kDimension, "Dot"));
    std::normal_distribution<float> normal;
    for (const std::size_t first : {std::size_t{0}, kBatch, 2 * kBatch, 3 * kBatch, 4 * kBatch,
                                    5 * kBatch, std::size_t{100}, 3 * kBatch}) {
      std::vector<float> values(kBatch * kDimension);
      for (float& value : values) value = normal(random_);
      const std::vector<std::string> payloads(kBatch, R"({"group":"a"})");
      VZ_TRY(drive::upsert(http, "docs",
                           drive::upsert_body(values, kDimension, payloads, first + shift)));
    }
    return server.stop(kReadyTimeoutMs);
  }

  /// A copy of "first" whose derived files and CURRENT are damaged: mending it costs nothing.
  Status make_damaged() {
    fs::copy(dir_ + "/first", dir_ + "/damaged", fs::copy_options::recursive);
    std::vector<std::string> victims = {dir_ + "/damaged/CURRENT"};
    for (const auto& entry : fs::recursive_directory_iterator(dir_ + "/damaged/collections")) {
      const std::string name = entry.path().filename();
      const bool derived =
          name.find(".dead-") != std::string::npos || name.find(".fields-") != std::string::npos;
      if (derived) victims.push_back(entry.path());
    }
    if (victims.size() < 3) return broken("the node left no .dead and .fields to damage");
    for (const auto& victim : victims) {
      std::fstream file(victim, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(5);
      file.put('\x55');
    }
    return expect(kFindings, {"data", "check", dir_ + "/damaged"});
  }

  Result<std::vector<Work>> all_works() {
    const std::string first = digest(dir_ + "/first"), second = digest(dir_ + "/second");
    if (first.empty() || first == second)
      return fail(ErrorCode::kInternal, "the two directories do not differ: " + first);
    const std::string archive = dir_ + "/second.tar.gz";
    return std::vector<Work>{
        {.what = "compact",
         .words = {"data", "compact", "DATA", "--apply", "--compression", "zstd:9"},
         .from = "first",
         .wrong = first,
         .right = first},
        {.what = "rebuild-index",
         .words = {"data", "segment", "rebuild-index", "DATA", "--all", "--apply"},
         .from = "first",
         .wrong = first,
         .right = first},
        {.what = "repair",
         .words = {"data", "repair", "DATA", "--apply"},
         .from = "damaged",
         .wrong = first,
         .right = first,
         .damaged = true},
        {.what = "restore",
         .words = {"snapshot", "restore", archive, "--data-dir", "DATA", "--replace", "--yes"},
         .from = "first",
         .wrong = first,
         .right = second},
    };
  }

  /// Puts the directory that it begins with on the volume; returns its command line.
  Words prepare(const Work& work) {
    fs::remove_all(data());
    fs::copy(dir_ + "/" + work.from, data(), fs::copy_options::recursive);
    ::sync();
    Words words = work.words;
    for (auto& word : words)
      if (word == "DATA") word = data();
    return words;
  }

  Status time(Work& work) {
    const Words words = prepare(work);
    const auto begin = std::chrono::steady_clock::now();
    VZ_TRY(expect(0, words));
    work.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
    return {};
  }

  Status round(const Work& work) {
    const Words words = prepare(work);
    const pid_t child = start(words, dir_ + "/stdout");
    std::this_thread::sleep_for(work.took * static_cast<int>(random_() % 110) / 100);
    // What it says after the cut counts for nothing. A machine without power says nothing; XFS that
    // was shut down answers the fsync of a directory with success, and loses the unlink before it.
    int status = 0;
    const bool ended = ::waitpid(child, &status, WNOHANG) == child;
    VZ_TRY(volume_->cut());
    if (!ended) {
      ::kill(child, SIGKILL);
      (void)wait_for(child);
    }
    VZ_TRY(volume_->restore());
    if (ended && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
      return broken(work.what + ": it failed before the cut\n" + text_of("stderr"));

    const std::string before = digest(data());
    const bool old_or_new = before == work.wrong || before == work.right;
    // A damaged directory has no digest; one whose swap was begun has none before that is finished.
    const bool between =
        before.empty() && (work.damaged || work.from != "first" || fs::exists(data() + "/SWAP"));
    if (!old_or_new && !between)
      return broken(work.what + ": after the cut the digest is '" + before + "'\n" +
                    text_of("stderr"));
    if (ended && before != work.right)
      return broken(work.what + ": it said that it was done, and was not");
    finished_ += ended ? 1 : 0;
    note_ = ended ? "done before the cut" : before == work.right ? "right after it" : "begun again";

    VZ_TRY(expect(0, words));
    VZ_TRY(expect(0, {"data", "check", data(), "--deep"}));
    if (digest(data()) != work.right)
      return broken(work.what + ": the rerun ended with another content");
    return {};
  }
};

}  // namespace
}  // namespace vz

int main(int argc, char** argv) {
  std::string binary;
  int cuts = 24;
  unsigned seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--binary") binary = argv[i + 1];
    if (flag == "--cuts") cuts = std::atoi(argv[i + 1]);
    if (flag == "--seed") seed = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
  }
  if (binary.empty() || cuts < 1) {
    std::fputs(vz::kUsage, stderr);
    return 2;
  }
  const std::string dir = std::filesystem::temp_directory_path() /
                          ("vz-offline-power-cut-" + std::to_string(::getpid()));
  std::filesystem::create_directories(dir);
  std::printf("seed %u, directory %s\n", seed, dir.c_str());
  std::fflush(stdout);
  const vz::Status outcome = vz::OfflinePowerCut(binary, dir, seed).run(cuts);
  if (!outcome) {
    std::fprintf(stderr, "FAILED, seed %u, directory kept: %s\n%s\n", seed, dir.c_str(),
                 outcome.error().message.c_str());
    return 1;
  }
  std::filesystem::remove_all(dir);
  return 0;
}
