// What Env promises, checked on the real file system and on FaultEnv alike: an engine that passes
// its tests in memory must find the same manners on disk.
#include <functional>

#include <catch2/catch.hpp>

#include "storage/env/env.h"
#include "storage/env/fault_env.h"
#include "tests/storage/env/temporary_directory.h"

using namespace vz;

namespace {

/// Runs `body` with each kind of Env and an existing empty directory of it.
void for_each_env(const std::function<void(Env&, const std::string&)>& body) {
  SECTION("the real file system") {
    const test::TemporaryDirectory directory;
    const auto env = make_posix_env();
    body(*env, directory.path());
  }
  SECTION("the file system in memory") {
    FaultEnv env;
    REQUIRE(env.create_directory("/data"));
    body(env, "/data");
  }
}

std::unique_ptr<File> created(Env& env, const std::string& path, std::string_view text = "") {
  auto file = env.open(path, OpenMode::kCreateNew);
  REQUIRE(file);
  REQUIRE((*file)->write_at(0, as_bytes(text)));
  return std::move(*file);
}

std::string content(Env& env, const std::string& path) {
  const auto bytes = read_file(env, path, 1u << 20);
  REQUIRE(bytes);
  return std::string(as_text(*bytes));
}

std::vector<std::string> names(Env& env, const std::string& path) {
  const auto entries = env.list(path);
  REQUIRE(entries);
  std::vector<std::string> out;
  for (const auto& entry : *entries) out.push_back(entry.name);
  return out;
}

}  // namespace

TEST_CASE("env: what is written reads back, and a gap reads as zeros", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const std::string path = root + "/a";
    const auto file = created(env, path, "hello");

    REQUIRE(file->write_at(8, as_bytes("!")));
    REQUIRE(file->sync());

    CHECK(content(env, path) == std::string("hello\0\0\0!", 9));
    CHECK(file->size() == 9u);
    std::array<std::byte, 4> out{};
    const auto beyond = file->read_at(6, out);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().code == ErrorCode::kIoError);
    CHECK(beyond.error().message.find(path) != std::string::npos);
  });
}

TEST_CASE("env: truncate cuts and extends, fill_zero extends only", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const std::string path = root + "/a";
    const auto file = created(env, path, "hello");

    REQUIRE(file->truncate(2));
    REQUIRE(file->fill_zero(4));
    CHECK(content(env, path) == std::string("he\0\0", 4));
    REQUIRE(file->fill_zero(1));
    CHECK(file->size() == 4u);
    REQUIRE(file->truncate(6));
    CHECK(content(env, path) == std::string("he\0\0\0\0", 6));
    REQUIRE(file->fill_zero((3u << 20) + 5));
    CHECK(file->size() == (3u << 20) + 5);
    CHECK_FALSE(file->write_at(~std::uint64_t{0}, as_bytes("x")));
    CHECK_FALSE(file->truncate(~std::uint64_t{0}));
  });
}

TEST_CASE("env: each open mode finds what it must and refuses the rest", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const std::string path = root + "/a";
    const auto absent = env.open(path, OpenMode::kRead);
    REQUIRE_FALSE(absent);
    CHECK(absent.error().code == ErrorCode::kNotFound);
    CHECK(absent.error().message.find(path) != std::string::npos);
    CHECK(env.open(path, OpenMode::kReadWrite).error().code == ErrorCode::kNotFound);
    CHECK(env.map(path).error().code == ErrorCode::kNotFound);
    CHECK(env.remove(path).error().code == ErrorCode::kNotFound);
    CHECK(env.rename(path, root + "/b").error().code == ErrorCode::kNotFound);
    CHECK(env.list(root + "/none").error().code == ErrorCode::kNotFound);
    CHECK(env.open(root + "/none/a", OpenMode::kCreateNew).error().code == ErrorCode::kNotFound);
    CHECK_FALSE(env.exists(path));

    created(env, path, "x");

    CHECK(env.exists(path));
    CHECK(env.open(path, OpenMode::kCreateNew).error().code == ErrorCode::kAlreadyExists);
    const auto reader = env.open(path, OpenMode::kRead);
    REQUIRE(reader);
    CHECK_FALSE((*reader)->write_at(0, as_bytes("y")));
    CHECK(content(env, path) == "x");
    CHECK_FALSE(env.open(root, OpenMode::kRead));  // A directory is not a file.
    CHECK_FALSE(env.map(root));
  });
}

TEST_CASE("env: rename replaces, and an open file keeps its content", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const auto old_file = created(env, root + "/a", "old");
    created(env, root + "/b", "new");

    REQUIRE(env.rename(root + "/b", root + "/a"));

    CHECK(content(env, root + "/a") == "new");
    CHECK_FALSE(env.exists(root + "/b"));
    std::array<std::byte, 3> out{};
    REQUIRE(old_file->read_at(0, out));
    CHECK(as_text(out) == "old");
    REQUIRE(env.sync_directory(root));
  });
}

TEST_CASE("env: a linked file has two names, and loses only the one that is removed",
          "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    created(env, root + "/a", "text");
    created(env, root + "/taken", "other");

    REQUIRE(env.link(root + "/a", root + "/b"));

    CHECK(env.link(root + "/a", root + "/taken").error().code == ErrorCode::kAlreadyExists);
    CHECK(env.link(root + "/absent", root + "/c").error().code == ErrorCode::kNotFound);
    CHECK(content(env, root + "/taken") == "other");
    REQUIRE(env.remove(root + "/a"));
    CHECK(content(env, root + "/b") == "text");
    CHECK(content(env, root + "/taken") == "other");
  });
}

TEST_CASE("env: an entry tells that its file has changed", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const auto changed = [&] { return env.list(root)->front().changed_ns; };
    const auto file = created(env, root + "/a", "text");
    const auto first = changed();
    CHECK(changed() == first);

    // The clock of a file system may stand still for some milliseconds.
    for (int write = 0; write < 1'000'000 && changed() == first; ++write)
      REQUIRE(file->write_at(0, as_bytes("TEXT")));

    CHECK(changed() != first);
  });
}

TEST_CASE("env: directories are listed in order and removed only when empty", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    REQUIRE(env.create_directory(root + "/d"));
    REQUIRE(env.create_directory(root + "/d"));
    created(env, root + "/d/z", "12345");
    created(env, root + "/a");
    created(env, root + "/d!");

    const auto entries = env.list(root);
    REQUIRE(entries);
    REQUIRE(entries->size() == 3);
    CHECK(names(env, root) == std::vector<std::string>{"a", "d", "d!"});
    CHECK(entries->at(1).type == FileType::kDirectory);
    CHECK(entries->at(0).type == FileType::kRegular);
    CHECK(env.list(root + "/d")->at(0).size_bytes == 5);
    CHECK(env.create_directory(root + "/a").error().code == ErrorCode::kAlreadyExists);
    CHECK_FALSE(env.remove(root + "/d"));
    CHECK_FALSE(env.remove_directory(root + "/d"));
    REQUIRE(env.remove(root + "/d/z"));
    REQUIRE(env.remove_directory(root + "/d"));
    CHECK_FALSE(env.exists(root + "/d"));
    CHECK(env.sync_directory(root + "/d").error().code == ErrorCode::kNotFound);
  });
}

TEST_CASE("env: a mapped file shows the whole content and outlives its name", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    created(env, root + "/a", std::string(10'000, 'x'));
    created(env, root + "/empty");

    const auto mapped = env.map(root + "/a");
    REQUIRE(mapped);
    (*mapped)->read_ahead(0, 10'000);
    (*mapped)->read_ahead(9'999, ~std::uint64_t{0});
    (*mapped)->read_ahead(~std::uint64_t{0}, 1);
    REQUIRE(env.remove(root + "/a"));
    (*mapped)->forget(0, 10'000);
    (*mapped)->forget(9'999, ~std::uint64_t{0});
    (*mapped)->forget(~std::uint64_t{0}, 1);

    CHECK(as_text((*mapped)->bytes()) == std::string(10'000, 'x'));
    CHECK_FALSE((*mapped)->failed());
    const auto empty = env.map(root + "/empty");
    REQUIRE(empty);
    CHECK((*empty)->bytes().empty());
    CHECK_FALSE((*empty)->failed());
  });
}

TEST_CASE("env: an exclusive lock keeps others out and tells them who holds it", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const std::string path = root + "/LOCK";
    auto lock = env.lock(path, LockMode::kExclusive, R"({"pid":42})");
    REQUIRE(lock);
    CHECK(content(env, path) == "{\"pid\":42}\n");

    for (const LockMode mode : {LockMode::kExclusive, LockMode::kShared}) {
      const auto second = env.lock(path, mode, "me");
      REQUIRE_FALSE(second);
      CHECK(second.error().code == ErrorCode::kLocked);
      CHECK(second.error().message.find(R"({"pid":42})") != std::string::npos);
      CHECK(second.error().message.find(path) != std::string::npos);
    }
    CHECK(content(env, path) == "{\"pid\":42}\n");

    lock->reset();
    CHECK(env.lock(path, LockMode::kExclusive, "short"));
  });
}

TEST_CASE("env: shared locks go together and keep an exclusive one out", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    const std::string path = root + "/LOCK";
    CHECK(env.lock(path, LockMode::kShared, "").error().code == ErrorCode::kNotFound);
    CHECK_FALSE(env.exists(path));
    created(env, path, "left by a process that died");

    auto first = env.lock(path, LockMode::kShared, "");
    auto second = env.lock(path, LockMode::kShared, "");
    REQUIRE(first);
    REQUIRE(second);

    CHECK(env.lock(path, LockMode::kExclusive, "me").error().code == ErrorCode::kLocked);
    first->reset();
    CHECK(env.lock(path, LockMode::kExclusive, "me").error().code == ErrorCode::kLocked);
    second->reset();
    CHECK(env.lock(path, LockMode::kExclusive, "me"));
  });
}

TEST_CASE("env: publish_file replaces whole and overwrites a leftover", "[storage][env]") {
  for_each_env([](Env& env, const std::string& root) {
    created(env, root + "/f", "old");
    created(env, root + "/f.tmp", "a leftover that is longer than the new content");

    REQUIRE(publish_file(env, root + "/f", as_bytes("new")));

    CHECK(content(env, root + "/f") == "new");
    CHECK(names(env, root) == std::vector<std::string>{"f"});
    const auto too_large = read_file(env, root + "/f", 2);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().code == ErrorCode::kTooLarge);
  });
}

TEST_CASE("env: the parent of a path is its directory part", "[storage][env]") {
  CHECK(parent_directory("/a/b") == "/a");
  CHECK(parent_directory("/a/b/") == "/a");
  CHECK(parent_directory("/a//b") == "/a");
  CHECK(parent_directory("a/b/c") == "a/b");
  CHECK(parent_directory("/a") == "/");
  CHECK(parent_directory("a") == ".");
  CHECK(parent_directory("/") == "/");
  CHECK(parent_directory("") == ".");
}
