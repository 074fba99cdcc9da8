// FaultEnv's plans of failure, its handles after a crash, its planted bugs, and publish_file on it.
#include "storage/env/fault_env.h"

#include <array>
#include <thread>

#include <catch2/catch.hpp>

#include "storage/env/env.h"

using namespace vz;

namespace {

constexpr std::size_t kSector = 512;

std::string content(Env& env, const std::string& path) {
  const auto bytes = read_file(env, path, 1u << 26);
  return bytes ? std::string(as_text(*bytes)) : "(" + bytes.error().message + ")";
}

std::unique_ptr<File> create(Env& env, const std::string& path) {
  auto file = env.open(path, OpenMode::kCreateNew);
  REQUIRE(file);
  return std::move(*file);
}

/// A file of `size` letters whose content and name are durable, open for writing.
std::unique_ptr<File> durable_file(FaultEnv& env, const std::string& path, std::size_t size,
                                   char letter) {
  REQUIRE(env.put_file(path, as_bytes(std::string(size, letter))));
  auto file = env.open(path, OpenMode::kReadWrite);
  REQUIRE(file);
  return std::move(*file);
}

}  // namespace

TEST_CASE("fault env: each kind of mutating call is counted and fails on plan", "[storage][env]") {
  const auto run = [](FaultEnv& env) {
    std::string failed;
    const auto note = [&failed](const auto& result, char letter) {
      if (!result) failed.push_back(letter);
    };
    note(env.create_directory("/d/e"), 'D');
    auto file = env.open("/d/f", OpenMode::kCreateNew);
    note(file, 'c');
    if (!file) file = env.open("/d/f", OpenMode::kCreateNew);
    if (!file) return failed;
    note((*file)->write_at(0, as_bytes("text")), 'w');
    note((*file)->truncate(2), 't');
    note((*file)->fill_zero(8), 'f');
    note((*file)->sync(), 's');
    note(env.rename("/d/f", "/d/g"), 'r');
    note(env.link("/d/g", "/d/h"), 'l');
    note(env.sync_directory("/d"), 'S');
    note(env.remove_directory("/d/e"), 'R');
    note(env.remove("/d/g"), 'm');
    return failed;
  };
  const std::string order = "DcwtfsrlSRm";

  for (std::size_t call = 0; call < order.size(); ++call) {
    CAPTURE(call);
    FaultEnv env;
    REQUIRE(env.make_directory("/d"));
    env.fail_at(call, {.code = ErrorCode::kNoSpace});
    const std::string failed = run(env);
    CHECK(env.fault_hit());
    CHECK(failed.substr(0, 1) == order.substr(call, 1));
  }
  FaultEnv env;
  REQUIRE(env.make_directory("/d"));
  CHECK(run(env).empty());
  CHECK(env.calls() == order.size());
  CHECK(env.calls(FaultCall::kSync) == 1);
  CHECK_FALSE(env.fault_hit());
}

TEST_CASE("fault env: fail_from fails for ever, with the chosen code, until heal",
          "[storage][env]") {
  FaultEnv env;
  const auto file = create(env, "/f");
  env.fail_from(1, {.code = ErrorCode::kNoSpace});

  CHECK(file->write_at(0, as_bytes("a")));
  for (int round = 0; round < 5; ++round) {
    const auto status = file->write_at(1, as_bytes("b"));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kNoSpace);
    CHECK(status.error().message.find("/f") != std::string::npos);
  }
  CHECK(content(env, "/f") == "a");  // Reads go on.
  env.heal();
  CHECK(file->write_at(1, as_bytes("c")));
  CHECK(content(env, "/f") == "ac");
}

TEST_CASE("fault env: a short write leaves half of its bytes", "[storage][env]") {
  FaultEnv env;
  const auto file = create(env, "/f");
  env.fail_at(0, {.short_write = ShortWrite::kHalf});
  CHECK_FALSE(file->write_at(0, as_bytes("12345678")));
  CHECK(content(env, "/f") == "1234");
  env.fail_at(0, {.short_write = ShortWrite::kHalf});
  CHECK_FALSE(file->fill_zero(8));
  CHECK(content(env, "/f") == std::string("1234\0\0", 6));
}

TEST_CASE("fault env: after a power cut old handles are dead, old mappings readable, locks free",
          "[storage][env]") {
  FaultEnv env;
  auto file = durable_file(env, "/f", 10, 'o');
  auto lock = env.lock("/LOCK", LockMode::kExclusive, "me");
  REQUIRE(lock);
  REQUIRE(file->write_at(0, as_bytes(std::string(10, 'n'))));
  const auto mapped = env.map("/f");
  REQUIRE(mapped);
  REQUIRE(file->write_at(0, as_bytes(std::string(10, 'm'))));

  SECTION("power") {
    env.lose_power_worst();
    CHECK(content(env, "/f") == std::string(10, 'o'));
  }
  SECTION("kill -9: what was written stays") {
    env.kill_process();
    CHECK(content(env, "/f") == std::string(10, 'm'));
    env.lose_power_worst();
    CHECK(content(env, "/f") == std::string(10, 'o'));
  }

  std::array<std::byte, 1> out{};
  CHECK(file->read_at(0, out).error().code == ErrorCode::kIoError);
  CHECK(file->write_at(0, as_bytes("x")).error().code == ErrorCode::kIoError);
  CHECK(file->sync().error().code == ErrorCode::kIoError);
  CHECK(file->truncate(0).error().code == ErrorCode::kIoError);
  CHECK(file->fill_zero(1).error().code == ErrorCode::kIoError);
  CHECK(file->size().error().code == ErrorCode::kIoError);
  CHECK(as_text((*mapped)->bytes()) == std::string(10, 'n'));
  auto again = env.lock("/LOCK", LockMode::kExclusive, "you");
  REQUIRE(again);
  lock->reset();  // The dead lock frees nothing.
  CHECK(env.lock("/LOCK", LockMode::kExclusive, "third").error().code == ErrorCode::kLocked);
}

TEST_CASE("fault env: planted bugs make nothing durable and say OK", "[storage][env]") {
  FaultEnv env;
  const auto file = durable_file(env, "/f", 1, 'o');
  env.ignore_file_syncs(true);
  env.ignore_directory_syncs(true);
  REQUIRE(file->write_at(0, as_bytes("n")));
  REQUIRE(file->sync());
  create(env, "/g");
  REQUIRE(env.sync_directory("/"));

  env.lose_power_worst();

  CHECK(content(env, "/f") == "o");
  CHECK_FALSE(env.exists("/g"));
}

TEST_CASE("fault env: helpers damage a file durably, within its bounds", "[storage][env]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/a/b/c"));
  REQUIRE(env.put_file("/a/b/c/f", as_bytes("AB")));
  REQUIRE(env.flip_bit("/a/b/c/f", 1, 0));
  CHECK_FALSE(env.flip_bit("/a/b/c/f", 2, 0));
  CHECK_FALSE(env.flip_bit("/a/b/c/f", 0, 8));
  CHECK(content(env, "/a/b/c/f") == "AC");
  REQUIRE(env.truncate_file("/a/b/c/f", 1));
  env.lose_power_worst();
  CHECK(content(env, "/a/b/c/f") == "A");
  env.set_disk_space({.free_bytes = 5, .total_bytes = 9});
  CHECK(env.disk_space("/a")->free_bytes == 5);
  CHECK(env.disk_space("/none").error().code == ErrorCode::kNotFound);
}

TEST_CASE("fault env: publish_file leaves the old or the new content whatever fails",
          "[storage][env][fault]") {
  const std::string old(3 * kSector + 7, 'o');
  const std::string next(5 * kSector + 3, 'n');
  constexpr std::uint64_t kCalls = 5;  // create, write, sync, rename, sync of the directory
  for (const ShortWrite short_write : {ShortWrite::kNothing, ShortWrite::kHalf}) {
    for (std::uint64_t call = 0; call <= kCalls; ++call) {
      for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(call, seed);
        FaultEnv env;
        REQUIRE(env.put_file("/f", as_bytes(old)));
        env.fail_from(call, {.short_write = short_write});

        const auto published = publish_file(env, "/f", as_bytes(next));
        if (seed == 0) {
          env.lose_power_worst();
        } else {
          env.lose_power(seed);
        }

        const std::string after = content(env, "/f");
        CHECK(published.has_value() == (call == kCalls));
        if (published) CHECK(after == next);
        CHECK((after == old || after == next));
      }
    }
  }
}

TEST_CASE("fault env: publish_file without either sync is caught by this test kit",
          "[storage][env][fault]") {
  int lost = 0;
  int torn = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (const bool files : {true, false}) {
      FaultEnv env;
      REQUIRE(env.put_file("/f", as_bytes("old")));
      env.ignore_file_syncs(files);
      env.ignore_directory_syncs(!files);
      REQUIRE(publish_file(env, "/f", as_bytes(std::string(4 * kSector, 'n'))));
      env.lose_power(seed);
      const std::string after = content(env, "/f");
      if (after == "old") ++lost;
      if (after != "old" && after != std::string(4 * kSector, 'n')) ++torn;
    }
  }
  CHECK(lost > 0);
  CHECK(torn > 0);
}

TEST_CASE("fault env: many threads use it at once", "[storage][env]") {
  FaultEnv env;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&env, thread] {
      const std::string path = "/" + std::to_string(thread);
      for (int round = 0; round < 100; ++round) {
        const auto published = publish_file(env, path, as_bytes(std::to_string(round)));
        const auto mapped = env.map(path);
        if (!published || !mapped || as_text((*mapped)->bytes()) != std::to_string(round)) {
          std::abort();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  env.lose_power_worst();
  for (const char* path : {"/0", "/1", "/2", "/3"}) CHECK(content(env, path) == "99");
}
