// kill -9 of the real program at each of its steps: the commands that change a data directory are
// killed at the N-th call that makes something durable, visible or gone, for one N after another.
// Then a node finds the old content or the new, and a rerun ends the work. Promises P7 and P8.
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <sys/wait.h>

#include "storage/store/store.h"
#include "tests/support/instrumented.h"
#include "tests/support/test_node.h"

namespace {

namespace fs = std::filesystem;
using namespace vz;

constexpr std::size_t kKills =
    vz::test::kInstrumented ? 5 : 24;  // Of each command; a sanitizer's start takes its time.

/// What strace counts: all calls between which a kill can make a difference.
constexpr const char* kSteps =
    "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,mkdir,mkdirat";

using Content = std::map<std::string, test::CollectionState>;

class Folder {
 public:
  Folder() {
    path_ = (fs::temp_directory_path() / "vz-kill-XXXXXX").string();
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

node::NodeOptions options_of(const std::string& directory) {
  auto options = test::small_node();
  options.data_dir = directory;
  return options;
}

/// Everything in the directory, as a node serves it that starts there.
Result<Content> content_of(const std::string& directory) {
  const auto env = make_posix_env();
  VZ_TRY_ASSIGN(const auto node, node::Node::open(*env, options_of(directory)));
  Content content;
  for (const auto& reader : node->collections()) {
    VZ_TRY_ASSIGN(content[reader->name()], test::read_all(*reader));
  }
  VZ_TRY(node->close());
  return content;
}

void add_points(node::Node& node, std::uint64_t first, std::uint64_t count) {
  std::vector<log::PointData> points;
  for (std::uint64_t id = first; id < first + count; ++id)
    points.push_back(test::point(id, {1, 2, 3, static_cast<float>(id)}, R"({"a":1})"));
  REQUIRE(test::upsert(node, "docs", points));
}

/// Segments with dead rows among them; the log's last records are in none.
void make_data(const Folder& folder, const std::string& name) {
  const auto env = make_posix_env();
  const std::string live = folder.file(name + "-live");
  const auto node = node::Node::open(*env, options_of(live));
  REQUIRE(node);
  REQUIRE(test::create(**node, "docs"));
  for (std::uint64_t round = 0; round < 4; ++round) {
    add_points(**node, 5 * round, 12);
    REQUIRE((*node)->seal());
  }
  REQUIRE(test::erase(**node, "docs", {PointId::number(3), PointId::number(20)}));
  for (std::uint64_t id = 100; id < 104; ++id) add_points(**node, id, 1);
  fs::copy(live, folder.file(name), fs::copy_options::recursive);  // As a kill would leave it.
  REQUIRE((*node)->close());
}

/// The same, left cleanly.
void make_clean_data(const Folder& folder, const std::string& name) {
  make_data(folder, name + "-killed");
  REQUIRE(content_of(folder.file(name + "-killed")));
  fs::rename(folder.file(name + "-killed"), folder.file(name));
}

int shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Packs the directory; the archive's path.
std::string packed(const Folder& folder, const std::string& directory) {
  const std::string archive = folder.file("a.tar.gz");
  REQUIRE(shell(std::string(VZ_BINARY) + " snapshot pack " + directory + " -o " + archive +
                " >/dev/null 2>&1") == 0);
  return archive;
}

void flip_bit_of_each(const std::string& directory, const std::string& part_of_name) {
  std::size_t flipped = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().filename().string().find(part_of_name) == std::string::npos) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const int byte = file.get();
    file.seekp(100);
    file.put(static_cast<char>(byte ^ 1));
    ++flipped;
  }
  REQUIRE(flipped > 0);
}

/// A command with DATA for the directory that it changes.
struct Work {
  std::string words;
  std::string from;   ///< path of the directory that it begins with; "" if there is none
  bool boots = true;  ///< a node starts on what a kill leaves
};

class Kills {
 public:
  explicit Kills(const Folder& folder) : folder_(folder), data_(folder.file("work")) {}

  void run(const Work& work) {
    begin(work);
    REQUIRE(command(work, "-o " + folder_.file("steps")) == 0);
    const std::size_t kept = previous_contents();
    const Content right = content();
    const std::size_t steps = lines_of(folder_.file("steps"));
    CAPTURE(work.words, steps);
    REQUIRE(steps > 3);
    const std::size_t stride = steps <= kKills ? 1 : steps / kKills;
    for (std::size_t at = 1 + Catch::rngSeed() % stride; at <= steps; at += stride) {
      begin(work);
      const auto old = work.boots ? std::optional(content_of_copy(work.from)) : std::nullopt;
      kill_at(work, at, right, old);
      CHECK(previous_contents() == kept);
    }
  }

 private:
  void kill_at(const Work& work, std::size_t at, const Content& right,
               const std::optional<Content>& old) {
    INFO("killed at step " << at);
    const std::string inject =
        std::string("-e inject=") + kSteps + ":signal=SIGKILL:when=" + std::to_string(at);
    const int killed = command(work, "-o /dev/null " + inject);
    if (killed == 0) return;  // Another run, fewer steps: of names that the time makes.
    REQUIRE(killed == 128 + SIGKILL);
    if (old) {
      const Content between = content_of_copy(data_);
      CHECK((between == *old || between == right));
    }
    REQUIRE(command(work, "-o /dev/null") == 0);
    CHECK(shell(std::string(VZ_BINARY) + " data check --deep " + data_ + " >" +
                folder_.file("check") + " 2>&1") == 0);
    CHECK(content() == right);
  }

  void begin(const Work& work) const {
    fs::remove_all(data_);
    if (!work.from.empty()) fs::copy(work.from, data_, fs::copy_options::recursive);
  }
  /// Exit status; that of a shell if a signal ended it.
  [[nodiscard]] int command(const Work& work, const std::string& how) const {
    std::string words = work.words;
    words.replace(words.find("DATA"), 4, data_);
    // A leak check cannot run under a tracer.
    return shell("ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=" + std::string(kSteps) + " " +
                 how + " " + VZ_BINARY + " " + words + " >" + folder_.file("out") + " 2>&1");
  }
  [[nodiscard]] Content content() const {
    auto found = content_of(data_);
    INFO((found ? "" : found.error().message));
    REQUIRE(found);
    return *std::move(found);
  }
  [[nodiscard]] Content content_of_copy(const std::string& directory) const {
    const std::string copy = folder_.file("copy");
    fs::remove_all(copy);
    if (directory.empty() || !fs::exists(directory)) return {};
    fs::copy(directory, copy, fs::copy_options::recursive);
    auto found = content_of(copy);
    INFO((found ? "" : found.error().message));
    REQUIRE(found);
    return *std::move(found);
  }
  /// How many contents that a restore has replaced are kept.
  [[nodiscard]] std::size_t previous_contents() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(data_))
      count += entry.path().filename().string().starts_with("previous-") ? 1 : 0;
    return count;
  }
  static std::size_t lines_of(const std::string& path) {
    std::ifstream file(path);
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);)
      if (line.find('(') != std::string::npos) ++lines;
    return lines;
  }

  const Folder& folder_;
  const std::string data_;
};

}  // namespace

TEST_CASE("kill: data compact", "[offline][kill]") {
  const Folder folder;
  make_clean_data(folder, "from");
  Kills(folder).run({"data compact DATA --apply --max-rows 16", folder.file("from")});
}

TEST_CASE("kill: data repair of derived files and CURRENT", "[offline][kill]") {
  const Folder folder;
  make_clean_data(folder, "from");
  flip_bit_of_each(folder.file("from"), ".fields-");
  fs::remove(folder.file("from/CURRENT"));
  Kills(folder).run({"data repair DATA --apply", folder.file("from"), false});
}

TEST_CASE("kill: data repair of segments that lose points", "[offline][kill]") {
  const Folder folder;
  make_clean_data(folder, "from");
  flip_bit_of_each(folder.file("from"), "0002.seg");
  Kills(folder).run(
      {"data repair DATA --apply --allow-data-loss 1000", folder.file("from"), false});
}

TEST_CASE("kill: data wal truncate", "[offline][kill]") {
  const Folder folder;
  make_data(folder, "from");
  const Content all = [&] {
    fs::copy(folder.file("from"), folder.file("all"), fs::copy_options::recursive);
    return content_of(folder.file("all")).value();
  }();
  Lsn last = 0;
  for (const auto& [id, point] : all.at("docs")) last = std::max(last, point.version);
  Kills(folder).run(
      {"data wal truncate DATA --at " + std::to_string(last - 2) + " --allow-data-loss 10 --yes",
       folder.file("from")});
}

TEST_CASE("kill: snapshot restore over data, and where there is none", "[offline][kill]") {
  const Folder folder;
  make_clean_data(folder, "archived");
  const std::string archive = packed(folder, folder.file("archived"));
  make_clean_data(folder, "from");
  {
    const auto env = make_posix_env();
    const auto node = node::Node::open(*env, options_of(folder.file("from")));
    REQUIRE(node);
    add_points(**node, 500, 5);
    REQUIRE((*node)->close());
  }
  Kills(folder).run(
      {"snapshot restore " + archive + " --data-dir DATA --replace --yes", folder.file("from")});
  Kills(folder).run({"snapshot restore " + archive + " --data-dir DATA", "", false});
}

TEST_CASE("kill: data restore-abort", "[offline][kill]") {
  const Folder folder;
  make_clean_data(folder, "archived");
  const std::string archive = packed(folder, folder.file("archived"));
  make_clean_data(folder, "from");
  REQUIRE(shell("tar -xzf " + archive + " -C " + folder.file("from")) == 0);
  Kills(folder).run({"data restore-abort DATA", folder.file("from"), false});
}
