// What a power cut leaves of FaultEnv's disk: if this lied, every test of durability would lie.
#include <set>

#include <catch2/catch.hpp>

#include "storage/env/env.h"
#include "storage/env/fault_env.h"

using namespace vz;

namespace {

constexpr std::uint64_t kSeeds = 400;
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

TEST_CASE("fault disk: what was synced survives any power cut, file and name", "[storage][env]") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    const auto file = create(env, "/f");
    REQUIRE(file->write_at(0, as_bytes("synced")));
    REQUIRE(file->sync());
    REQUIRE(env.sync_directory("/"));

    env.lose_power(seed);

    CHECK(content(env, "/f") == "synced");
  }
}

TEST_CASE("fault disk: the worst power cut loses all that was not synced", "[storage][env]") {
  FaultEnv env;
  const auto file = durable_file(env, "/f", 3 * kSector, 'o');
  REQUIRE(file->write_at(kSector / 2, as_bytes(std::string(kSector, 'n'))));
  REQUIRE(file->write_at(3 * kSector, as_bytes("grown")));
  const auto unnamed = create(env, "/unnamed");
  REQUIRE(unnamed->write_at(0, as_bytes("synced but not named")));
  REQUIRE(unnamed->sync());
  const auto unsynced = create(env, "/unsynced");
  REQUIRE(env.create_directory("/d"));

  SECTION("with no sync of the directory") {
    env.lose_power_worst();
    CHECK(env.list("/")->size() == 1);
  }
  SECTION("with a sync of the directory") {
    REQUIRE(unsynced->write_at(0, as_bytes("lost")));
    REQUIRE(env.sync_directory("/"));
    env.lose_power_worst();
    CHECK(content(env, "/unnamed") == "synced but not named");
    CHECK(content(env, "/unsynced").empty());  // The empty file after a rename without a sync.
    CHECK(env.exists("/d"));
  }
  CHECK(content(env, "/f") == std::string(3 * kSector, 'o'));
}

TEST_CASE("fault disk: unsynced sectors are kept in any subset, each of them old or new",
          "[storage][env]") {
  constexpr std::size_t kSectors = 6;
  std::set<std::string> patterns;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    const auto file = durable_file(env, "/f", 3 * kSector, 'o');
    REQUIRE(file->write_at(0, as_bytes(std::string(kSectors * kSector, 'n'))));

    env.lose_power(seed);

    const std::string after = content(env, "/f");
    REQUIRE(after.size() >= 3 * kSector);
    REQUIRE(after.size() <= kSectors * kSector);
    std::string pattern;
    for (std::size_t at = 0; at < after.size(); at += kSector) {
      const std::string sector = after.substr(at, kSector);
      REQUIRE(sector == std::string(sector.size(), sector[0]));  // Never torn within.
      REQUIRE((sector[0] == 'n' || sector[0] == (at < 3 * kSector ? 'o' : '\0')));
      pattern.push_back(sector[0] == '\0' ? '0' : sector[0]);
    }
    patterns.insert(pattern);
  }
  CHECK(patterns.contains("ooo"));
  CHECK(patterns.contains("nnnnnn"));
  CHECK(patterns.contains("ooo000"));
  CHECK(patterns.contains("oonnnn"));  // Reordered: the later write is there, the earlier is not.
  CHECK(patterns.size() > 30);
}

TEST_CASE("fault disk: a small change within a sector never damages its neighbours",
          "[storage][env]") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    const auto file = durable_file(env, "/f", 700, 'o');
    REQUIRE(file->write_at(650, as_bytes(std::string(100, 'n'))));

    env.lose_power(seed);

    const std::string after = content(env, "/f");
    REQUIRE(after.size() >= 700);
    REQUIRE(after.size() <= 750);
    CHECK(after.substr(0, 650) == std::string(650, 'o'));
    const std::string tail = after.substr(650);
    const std::string old = std::string(50, 'o') + std::string(tail.size() - 50, '\0');
    CHECK((tail == std::string(tail.size(), 'n') || tail == old));
  }
}

TEST_CASE("fault disk: an unsynced truncate is kept or lost", "[storage][env]") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    const auto file = durable_file(env, "/f", 4 * kSector, 'o');
    REQUIRE(file->truncate(kSector));

    env.lose_power(seed);

    const std::string after = content(env, "/f");
    sizes.insert(after.size());
    CHECK(after == std::string(after.size(), 'o'));
  }
  CHECK(sizes == std::set<std::size_t>{kSector, 4 * kSector});
}

TEST_CASE("fault disk: a rename is the old or the new, never both and never none",
          "[storage][env]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    REQUIRE(env.make_directory("/a"));
    REQUIRE(env.make_directory("/b"));
    REQUIRE(env.put_file("/b/f", as_bytes("old")));
    REQUIRE(env.put_file("/a/f", as_bytes("new")));
    REQUIRE(env.rename("/a/f", "/b/f"));  // Two directories: one transaction still.

    env.lose_power(seed);

    const std::string to = content(env, "/b/f");
    REQUIRE((to == "old" || to == "new"));
    CHECK(env.exists("/a/f") == (to == "old"));
    seen.insert(to);
  }
  CHECK(seen.size() == 2);
}

TEST_CASE("fault disk: a second name is kept or lost, and the file stays one file",
          "[storage][env]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/d"));
  REQUIRE(env.put_file("/d/a", as_bytes("text")));
  REQUIRE(env.link("/d/a", "/d/b"));
  const auto unsynced = env.crash_image(0);
  REQUIRE(env.sync_directory("/d"));

  env.lose_power_worst();

  CHECK(unsynced->exists("/d/a"));
  const auto file = env.open("/d/a", OpenMode::kReadWrite);
  REQUIRE(file);
  REQUIRE((*file)->write_at(0, as_bytes("TEXT")));
  const auto other = read_file(env, "/d/b", 100);
  REQUIRE(other);
  CHECK(as_text(*other) == "TEXT");
}

TEST_CASE("fault disk: changes of names in one directory are kept in order", "[storage][env]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    FaultEnv env;
    for (const char* name : {"/1", "/2", "/3", "/4"}) create(env, name);
    REQUIRE(env.remove("/1"));

    env.lose_power(seed);

    std::string names;
    const auto entries = env.list("/");
    REQUIRE(entries);
    for (const auto& entry : *entries) names += entry.name;
    seen.insert(names);
  }
  CHECK(seen == std::set<std::string>{"", "1", "12", "123", "1234", "234"});
}

TEST_CASE("fault disk: a power cut can keep the names and lose the content", "[storage][env]") {
  FaultEnv env;
  REQUIRE(env.put_file("/old", as_bytes("old")));
  const auto file = create(env, "/f");
  REQUIRE(file->write_at(0, as_bytes("new")));
  REQUIRE(env.rename("/f", "/g"));
  REQUIRE(env.remove("/old"));

  env.lose_power_names_kept();

  CHECK_FALSE(env.exists("/f"));
  CHECK_FALSE(env.exists("/old"));
  REQUIRE(env.exists("/g"));
  CHECK(env.map("/g").value()->bytes().empty());
}

TEST_CASE("fault disk: one synced directory says nothing about another", "[storage][env]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/a"));
  REQUIRE(env.make_directory("/b"));
  create(env, "/a/f");
  create(env, "/b/f");
  REQUIRE(env.sync_directory("/a"));

  env.lose_power_worst();

  CHECK(env.exists("/a/f"));
  CHECK_FALSE(env.exists("/b/f"));
}

TEST_CASE("fault disk: a synced file under an unsynced directory vanishes with it",
          "[storage][env]") {
  FaultEnv env;
  REQUIRE(env.create_directory("/d"));
  const auto file = create(env, "/d/f");
  REQUIRE(file->sync());
  REQUIRE(env.sync_directory("/d"));

  env.lose_power_worst();

  CHECK_FALSE(env.exists("/d"));
}

TEST_CASE("fault disk: after a failed sync a later one does not bring the data back",
          "[storage][env]") {
  FaultEnv env;
  const auto file = durable_file(env, "/f", 2 * kSector, 'o');
  REQUIRE(file->write_at(0, as_bytes(std::string(3 * kSector, 'n'))));
  env.fail_at(0, {.only = FaultCall::kSync});
  REQUIRE_FALSE(file->sync());
  REQUIRE(file->write_at(kSector, as_bytes(std::string(kSector, 'w'))));

  REQUIRE(file->sync());  // Says OK, as Linux does.
  env.lose_power_worst();

  CHECK(content(env, "/f") ==
        std::string(kSector, 'o') + std::string(kSector, 'w') + std::string(kSector, '\0'));
}

TEST_CASE("fault disk: the same seed leaves the same disk, and an image leaves the original alone",
          "[storage][env]") {
  const auto run = [](FaultEnv& env) {
    REQUIRE(env.make_directory("/d"));
    const auto file = create(env, "/d/f");
    REQUIRE(file->write_at(0, as_bytes(std::string(40 * kSector, 'n'))));
    create(env, "/d/g");
    REQUIRE(env.rename("/d/g", "/d/h"));
  };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    FaultEnv first;
    FaultEnv second;
    run(first);
    run(second);

    const auto image = first.crash_image(seed);
    CHECK(content(first, "/d/f").size() == 40 * kSector);
    first.lose_power(seed);
    second.lose_power(seed);

    CHECK(content(first, "/d/f") == content(second, "/d/f"));
    CHECK(content(first, "/d/f") == content(*image, "/d/f"));
    CHECK(first.exists("/d/g") == second.exists("/d/g"));
    CHECK(first.exists("/d/h") == image->exists("/d/h"));
  }
}
