// What only the real file system can show: faults in mappings, modes, links, full devices, and
// locks between processes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/env/env.h"
#include "storage/env/sigbus_guard.h"
#include "tests/storage/env/temporary_directory.h"

using namespace vz;

namespace {

constexpr std::size_t kPage = 4096;

void write_file(Env& env, const std::string& path, std::size_t size, char letter) {
  const auto file = env.open(path, OpenMode::kCreateNew);
  REQUIRE(file);
  REQUIRE((*file)->write_at(0, as_bytes(std::string(size, letter))));
}

char letter_at(const MappedFile& file, std::size_t offset) {
  // Volatile: the compiler may not keep an earlier read of a page that has changed under it.
  return static_cast<char>(*static_cast<const volatile unsigned char*>(
      static_cast<const volatile void*>(file.bytes().data() + offset)));
}

/// Pages of the range that count as memory of this process. (mincore would count the page cache.)
std::size_t resident_pages(ByteSpan range) {
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  REQUIRE(pagemap >= 0);
  std::vector<std::uint64_t> entries(range.size() / kPage);
  const std::size_t size = entries.size() * sizeof(std::uint64_t);
  const auto first = reinterpret_cast<std::uintptr_t>(range.data()) / kPage;
  const ssize_t got =
      ::pread(pagemap, entries.data(), size, static_cast<off_t>(first * sizeof(std::uint64_t)));
  ::close(pagemap);
  REQUIRE(got == static_cast<ssize_t>(size));
  return static_cast<std::size_t>(std::count_if(
      entries.begin(), entries.end(), [](std::uint64_t entry) { return (entry >> 63) != 0; }));
}

}  // namespace

TEST_CASE("posix env: a mapped file that shrinks reads as zeros and says so", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", 10 * kPage, 'x');
  write_file(*env, directory / "b", 10 * kPage, 'y');
  const auto shrinking = env->map(directory / "a");
  const auto other = env->map(directory / "b");
  REQUIRE(shrinking);
  REQUIRE(other);
  CHECK(letter_at(**shrinking, 9 * kPage) == 'x');

  REQUIRE(::truncate((directory / "a").c_str(), 3 * kPage) == 0);

  CHECK_FALSE((*shrinking)->failed());  // Nothing was read yet.
  CHECK(letter_at(**shrinking, 2 * kPage) == 'x');
  CHECK_FALSE((*shrinking)->failed());
  CHECK(letter_at(**shrinking, 9 * kPage + 17) == 0);
  CHECK((*shrinking)->failed());
  for (std::size_t page = 3; page < 10; ++page) CHECK(letter_at(**shrinking, page * kPage) == 0);
  CHECK(letter_at(**shrinking, 0) == 'x');  // What can be read still is.
  CHECK_FALSE((*other)->failed());
  CHECK(letter_at(**other, 9 * kPage) == 'y');
}

TEST_CASE("posix env: pages that are forgotten leave memory and read as before", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", 10 * kPage, 'x');
  const auto mapped = env->map(directory / "a");
  REQUIRE(mapped);
  for (std::size_t page = 0; page < 10; ++page) REQUIRE(letter_at(**mapped, page * kPage) == 'x');
  REQUIRE(::truncate((directory / "a").c_str(), 8 * kPage) == 0);
  REQUIRE(letter_at(**mapped, 9 * kPage) == 0);
  REQUIRE(resident_pages((*mapped)->bytes()) >= 8);

  (*mapped)->forget(0, 10 * kPage);

  CHECK(resident_pages((*mapped)->bytes()) == 0);
  CHECK(letter_at(**mapped, 7 * kPage) == 'x');
  CHECK(letter_at(**mapped, 9 * kPage) == 0);  // What could not be read stays so.
  CHECK((*mapped)->failed());
}

TEST_CASE("posix env: a new mapping does not inherit the failure of an old one", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", 2 * kPage, 'x');
  {
    const auto mapped = env->map(directory / "a");
    REQUIRE(mapped);
    REQUIRE(::truncate((directory / "a").c_str(), kPage) == 0);
    CHECK(letter_at(**mapped, kPage) == 0);
    CHECK((*mapped)->failed());
  }

  const auto again = env->map(directory / "a");

  REQUIRE(again);
  CHECK((*again)->bytes().size() == kPage);
  CHECK(letter_at(**again, 0) == 'x');
  CHECK_FALSE((*again)->failed());
}

TEST_CASE("posix env: a fault during the system's own copy of a mapped page is survived",
          "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", 4 * kPage, 'x');
  const auto mapped = env->map(directory / "a");
  REQUIRE(mapped);
  REQUIRE(::truncate((directory / "a").c_str(), 0) == 0);

  Bytes copy(4 * kPage, std::byte{1});
  std::memcpy(copy.data(), (*mapped)->bytes().data(), copy.size());

  CHECK(copy == Bytes(4 * kPage));
  CHECK((*mapped)->failed());
}

TEST_CASE("posix env: many threads fault in many mapped files, each flag is its own",
          "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  constexpr int kThreads = 4;
  constexpr int kRounds = 40;
  std::atomic<int> wrong{0};

  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string path = directory / (std::to_string(thread) + "-" + std::to_string(round));
        auto file = env->open(path, OpenMode::kCreateNew);
        if (!file || !(*file)->fill_zero(8 * kPage)) ++wrong;
        const auto mapped = env->map(path);
        const bool shrinks = (round + thread) % 2 == 0;
        if (shrinks && !(*file)->truncate(kPage)) ++wrong;
        for (std::size_t page = 0; page < 8; ++page) {
          if (letter_at(**mapped, page * kPage) != 0) ++wrong;
        }
        if ((*mapped)->failed() != shrinks) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();

  CHECK(wrong == 0);
}

TEST_CASE("posix env: a SIGBUS that is nobody's still ends the process", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", kPage, 'x');
  const auto mapped = env->map(directory / "a");  // Installs the handler.
  REQUIRE(mapped);

  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(5);  // A handler that loops must not hang the test.
    ::close(STDERR_FILENO);
    ::kill(::getpid(), SIGBUS);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);

  // The sanitizers turn the signal into an exit status of their own.
  const bool by_signal = WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
  const bool by_sanitizer = WIFEXITED(status) && WEXITSTATUS(status) != 0;
  CHECK((by_signal || by_sanitizer));
}

TEST_CASE("posix env: the table of guarded ranges is bounded and gives slots back",
          "[storage][env]") {
  std::vector<GuardedRange> ranges;
  ranges.reserve(kGuardedRangesMax);
  static const char page[kPage] = {};
  for (std::size_t index = 0; index < kGuardedRangesMax; ++index) {
    auto range = GuardedRange::create(page, kPage);
    if (!range) break;
    ranges.push_back(std::move(*range));
  }

  const auto one_more = GuardedRange::create(page, kPage);

  REQUIRE_FALSE(one_more);
  CHECK(one_more.error().code == ErrorCode::kIoError);
  CHECK(ranges.size() == kGuardedRangesMax);
  ranges.pop_back();
  CHECK(GuardedRange::create(page, kPage));
}

TEST_CASE("posix env: files are for their owner only", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "a", 1, 'x');
  REQUIRE(env->create_directory(directory / "d"));
  REQUIRE(env->lock(directory / "LOCK", LockMode::kExclusive, "me"));

  struct stat facts {};
  REQUIRE(::stat((directory / "a").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  REQUIRE(::stat((directory / "LOCK").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  REQUIRE(::stat((directory / "d").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0700);
}

TEST_CASE("posix env: no descriptor left is told from a broken disk", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  write_file(*env, directory / "file", kPage, 'a');
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);

  const auto opened = env->open(directory / "file", OpenMode::kRead);
  const auto mapped = env->map(directory / "file");

  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kExhausted);
  REQUIRE_FALSE(mapped);
  CHECK(mapped.error().code == ErrorCode::kExhausted);
}

TEST_CASE("posix env: a FIFO, a link and a device are not taken for files", "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("/nowhere", (directory / "link").c_str()) == 0);

  CHECK(env->open(directory / "fifo", OpenMode::kRead).error().code == ErrorCode::kIoError);
  CHECK(env->map(directory / "fifo").error().code == ErrorCode::kIoError);
  CHECK(env->open("/dev/null", OpenMode::kReadWrite).error().code == ErrorCode::kIoError);
  CHECK(env->exists(directory / "link"));
  CHECK(env->open(directory / "link", OpenMode::kCreateNew).error().code ==
        ErrorCode::kAlreadyExists);
  const auto entries = env->list(directory.path());
  REQUIRE(entries);
  for (const auto& entry : *entries) CHECK(entry.type == FileType::kOther);
}

TEST_CASE("posix env: a file is opened beneath a directory, and no link leads out of it",
          "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  REQUIRE(env->create_directory(directory / "in"));
  REQUIRE(env->create_directory(directory / "in/a"));
  REQUIRE(publish_file(*env, directory / "in/a/file", as_bytes("ours")));
  REQUIRE(publish_file(*env, directory / "out", as_bytes("theirs")));
  REQUIRE(::symlink("../../out", (directory / "in/a/link").c_str()) == 0);
  REQUIRE(::symlink("a", (directory / "in/b").c_str()) == 0);
  REQUIRE(::symlink("in", (directory / "way").c_str()) == 0);
  const auto code = [&](const std::string& relative) {
    const auto opened = env->open_beneath(directory / "in", relative);
    REQUIRE_FALSE(opened);
    return opened.error().code;
  };

  CHECK(env->open_beneath(directory / "in", "a/file"));
  CHECK(env->open_beneath(directory / "way", "a/file"));  // The directory itself is the caller's.
  CHECK(code("a/absent") == ErrorCode::kNotFound);
  CHECK(code("a/link") == ErrorCode::kIoError);
  CHECK(code("b/file") == ErrorCode::kIoError);
  CHECK(code("a") == ErrorCode::kIoError);
  for (const char* relative : {"", "../out", "a/../../out", "/etc/passwd", "a//file", "./a/file"}) {
    CAPTURE(relative);
    CHECK(code(relative) == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("posix env: another process is kept out at once and told the holder, until it dies",
          "[storage][env]") {
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string path = directory / "LOCK";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto child_env = make_posix_env();
    const auto held = child_env->lock(path, LockMode::kExclusive, R"({"pid":"the child"})");
    const char answer = held ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');

  const auto start = std::chrono::steady_clock::now();
  const auto refused = env->lock(path, LockMode::kExclusive, "me");
  const auto took = std::chrono::steady_clock::now() - start;

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLocked);
  CHECK(refused.error().message.find("the child") != std::string::npos);
  CHECK(took < std::chrono::seconds(1));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(env->lock(path, LockMode::kExclusive, "me"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("posix env: the space of a disk is known", "[storage][env]") {
  const auto env = make_posix_env();
  const auto space = env->disk_space("/");
  REQUIRE(space);
  CHECK(space->total_bytes > 0);
  CHECK(space->free_bytes <= space->total_bytes);
  CHECK(env->disk_space("/no/such/place").error().code == ErrorCode::kNotFound);
}
