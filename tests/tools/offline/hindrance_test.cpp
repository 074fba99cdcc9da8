// Promise: what cannot be opened or is no file of its own is an error of the operation, never
// damage; what the disk does not give is.
#include "tools/offline/hindrance.h"

#include <filesystem>
#include <fstream>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/wal/log_file.h"
#include "tests/storage/env/temporary_directory.h"
#include "tests/tools/offline/data_kit.h"
#include "tests/tools/offline/refusing_env.h"
#include "tools/offline/repair.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

namespace fs = std::filesystem;

/// One of each kind, absolute.
std::vector<std::string> file_of_each_kind(Env& env) {
  const std::string root = kDataDir;
  std::vector<std::string> out = {root + "/FORMAT", root + "/CURRENT",
                                  root + "/" + manifest::file_name(image_of(env).number)};
  for (const std::string kind : {".seg", ".dead-", ".index-", ".fields-"})
    out.push_back(named_file(env, kind));
  const auto logs = wal::list_log_files(env, root + "/wal");
  REQUIRE(logs);
  out.push_back(logs->back().path);
  return out;
}

/// A repair that may lose whatever it likes.
Result<offline::RepairReport> repaired(Env& env, const std::string& directory) {
  return offline::repair(
      env, directory,
      {.run = offline::RepairOptions::Run::kApplied, .loss_allowed = 1'000'000, .tool = "test"});
}

void copy_to_disk(Env& env, const std::string& from, const fs::path& to) {
  fs::create_directories(to);
  const auto entries = env.list(from);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const std::string path = from + "/" + entry.name;
    if (entry.type == FileType::kDirectory) {
      copy_to_disk(env, path, to / entry.name);
      continue;
    }
    const auto bytes = read_file(env, path, 1u << 30);
    REQUIRE(bytes);
    std::ofstream(to / entry.name, std::ios::binary) << as_text(*bytes);
  }
}

/// Every name with its type and size.
std::string tree_of(const fs::path& root) {
  std::map<std::string, std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto status = entry.symlink_status();
    names[entry.path().string()] =
        std::to_string(static_cast<int>(status.type())) + " " +
        (fs::is_regular_file(status) ? std::to_string(entry.file_size()) : std::string());
  }
  std::string text;
  for (const auto& [name, facts] : names) text += name + " " + facts + "\n";
  return text;
}

}  // namespace

TEST_CASE("hindrance: a file that may not be opened is an error of check and repair, not damage",
          "[offline]") {
  FaultEnv disk;
  make_data(disk, Ending::kKilled);
  const auto calls = disk.calls();
  for (const std::string& path : file_of_each_kind(disk)) {
    for (const ErrorCode code : {ErrorCode::kPermissionDenied, ErrorCode::kExhausted}) {
      CAPTURE(path, error_code_name(code));
      RefusingEnv env(disk, path, code);

      const auto check = offline::check(env, kDataDir, {.level = Level::kContents});
      const auto repair = repaired(env, kDataDir);

      REQUIRE_FALSE(check);
      CHECK(check.error().code == code);
      CHECK(check.error().message.find("opening " + path + "; ") != std::string::npos);
      REQUIRE_FALSE(repair);
      CHECK(repair.error().code == code);
      CHECK(repair.error().message.find(path) != std::string::npos);
    }
  }
  CHECK(disk.calls() == calls);
}

TEST_CASE("hindrance: what the disk does not give is damage, with file and offset", "[offline]") {
  FaultEnv disk;
  make_data(disk, Ending::kClosed);
  const std::string segment = named_file(disk, ".seg");
  RefusingEnv env(disk, segment, ErrorCode::kIoError, RefusingEnv::At::kRead);

  const auto report = offline::check(env, kDataDir, {.level = Level::kBlocks});

  REQUIRE(report);
  INFO(text_of(report->findings));
  CHECK(has(*report, FindingId::kSegmentUnreadable));
  for (const auto& finding : report->findings)
    CHECK(std::string(kDataDir) + "/" + finding.file == segment);
}

TEST_CASE("hindrance: no memory in the middle of a read ends the check", "[offline]") {
  FaultEnv disk;
  make_data(disk, Ending::kClosed);
  RefusingEnv env(disk, named_file(disk, ".seg"), ErrorCode::kExhausted, RefusingEnv::At::kRead);

  const auto report = offline::check(env, kDataDir, {.level = Level::kBlocks});

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kExhausted);
}

TEST_CASE("hindrance: a link, a pipe or a directory in the place of a file is said to be one",
          "[offline]") {
  FaultEnv made;
  make_data(made, Ending::kKilled);
  const auto files = file_of_each_kind(made);
  const auto env = make_posix_env();
  for (const std::string& path : files) {
    for (const std::string what : {"link", "dangling", "pipe", "directory"}) {
      CAPTURE(path, what);
      const TemporaryDirectory scratch;
      const std::string data = scratch / "data";
      copy_to_disk(made, kDataDir, data);
      const fs::path place = data + path.substr(std::string(kDataDir).size());
      fs::rename(place, scratch / "away");
      if (what == "link") fs::create_symlink(scratch / "away", place);
      if (what == "dangling") fs::create_symlink(scratch / "nothing", place);
      if (what == "pipe") REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
      if (what == "directory") fs::create_directory(place);
      const std::string before = tree_of(data);

      const auto check = offline::check(*env, data, {});
      const auto repair = repaired(*env, data);

      REQUIRE_FALSE(check);
      CHECK(check.error().code == ErrorCode::kIoError);
      CHECK(check.error().message.find(place.string() + ": expected a regular file") == 0);
      REQUIRE_FALSE(repair);
      CHECK(repair.error().message == check.error().message);
      CHECK(tree_of(data) == before);
    }
  }
}

TEST_CASE("hindrance: a directory of ours may be a link to one, and nothing else", "[offline]") {
  FaultEnv made;
  make_data(made, Ending::kClosed);
  const auto env = make_posix_env();
  const TemporaryDirectory scratch;
  const std::string data = scratch / "data";
  copy_to_disk(made, kDataDir, data);
  fs::rename(data + "/wal", scratch / "wal");
  fs::create_directory_symlink(scratch / "wal", data + "/wal");

  const auto linked = offline::check(*env, data, {});
  fs::remove(data + "/wal");
  std::ofstream(data + "/wal") << "a file";
  const auto file = offline::check(*env, data, {});

  REQUIRE(linked);
  CHECK_FALSE(linked->damaged());
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("/wal: expected a directory") != std::string::npos);
}

TEST_CASE("hindrance: a user who may not read one segment is denied", "[offline]") {
  if (::geteuid() != 0) return;  // Others cannot become somebody else.
  constexpr uid_t kNobody = 65534;
  FaultEnv made;
  make_data(made, Ending::kClosed);
  const TemporaryDirectory scratch;
  const std::string data = scratch / "data";
  copy_to_disk(made, kDataDir, data);
  const std::string segment = named_file(made, ".seg").substr(std::string(kDataDir).size());
  const auto open_up = fs::perms::others_read | fs::perms::others_exec;
  fs::permissions(scratch.path(), open_up, fs::perm_options::add);
  fs::permissions(data, open_up, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(data))
    fs::permissions(entry.path(), open_up, fs::perm_options::add);
  for (const fs::perms mode : {fs::perms::others_read, fs::perms::none}) {
    fs::permissions(data + segment, mode);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const bool changed = ::setgroups(0, nullptr) == 0 && ::setegid(kNobody) == 0;
      if (!changed || ::seteuid(kNobody) != 0) ::_exit(99);
      const auto report = offline::check(*make_posix_env(), data, {});
      ::_exit(report ? 0 : static_cast<int>(report.error().code) + 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);

    const int denied = static_cast<int>(ErrorCode::kPermissionDenied) + 1;
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == (mode == fs::perms::none ? denied : 0));
  }
}
