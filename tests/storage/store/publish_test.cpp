// What publishing keeps and removes, and what the removal of leftovers may touch.
#include <catch2/catch.hpp>

#include "storage/base/log.h"
#include "tests/storage/store/store_fixture.h"

using namespace vz;
using namespace vz::test;

namespace {

using Names = std::vector<std::string>;
const std::string kRoot = kData;
const std::string kDocs = kRoot + "/collections/7";

std::unique_ptr<store::Store> open_with_images(FaultEnv& env, std::uint64_t newest) {
  REQUIRE(env.make_directory(kData));
  auto store = open_store(env);
  for (std::uint64_t number = 2; number <= newest; ++number) {
    REQUIRE(write_files(*store, image(number, number)));
    REQUIRE(store->publish(image(number, number)));
  }
  return store;
}

}  // namespace

TEST_CASE("store: publishing keeps the previous image with its files and removes older ones",
          "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 3);
  CHECK(names_in(env, kDocs) == Names{"0001-00000002.dead-2", "0001-00000002.seg",
                                      "0001-00000003.dead-3", "0001-00000003.seg"});
  CHECK_FALSE(env.exists(kRoot + "/MANIFEST-1"));
  CHECK(store->keeps_old_files());

  REQUIRE(write_files(*store, image(4, 4)));
  REQUIRE(store->publish(image(4, 4)));

  CHECK(names_in(env, kDocs) == Names{"0001-00000003.dead-3", "0001-00000003.seg",
                                      "0001-00000004.dead-4", "0001-00000004.seg"});
  CHECK_FALSE(env.exists(kRoot + "/MANIFEST-2"));
  CHECK(manifest::load_image(env, kData, 3) == image(3, 3));
  CHECK(manifest::load(env, kData) == image(4, 4));
}

TEST_CASE("store: a file that a kept image still names is not removed", "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 3);
  for (std::uint64_t number = 4; number < 8; ++number) {
    manifest::Manifest next = image(number, 3);  // The same segment, a new image.
    next.next_seq = 100;
    next.collections[0].segments[0].dead->number = 3;
    REQUIRE(store->publish(next));
    CHECK(files_are_whole(env, next));
  }
  CHECK(names_in(env, kDocs) == Names{"0001-00000003.dead-3", "0001-00000003.seg"});
  CHECK_FALSE(store->keeps_old_files());
}

TEST_CASE("store: a file that an older image shares with the previous one is not removed",
          "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 2);
  manifest::Manifest same_files = image(3, 2);
  REQUIRE(store->publish(same_files));
  REQUIRE(write_files(*store, image(4, 4)));

  REQUIRE(store->publish(image(4, 4)));  // 2 goes; 3 is kept and names the files of 2.

  CHECK_FALSE(env.exists(kRoot + "/MANIFEST-2"));
  CHECK(files_are_whole(env, same_files));
  CHECK(files_are_whole(env, image(4, 4)));
}

TEST_CASE("store: after opening again the previous image is still the one that is kept",
          "[storage][store]") {
  FaultEnv env;
  auto store = open_with_images(env, 3);
  store.reset();
  store = open_store(env);

  REQUIRE(write_files(*store, image(4, 4)));
  REQUIRE(store->publish(image(4, 4)));

  CHECK(names_in(env, kDocs) == Names{"0001-00000003.dead-3", "0001-00000003.seg",
                                      "0001-00000004.dead-4", "0001-00000004.seg"});
}

TEST_CASE("store: the directory of a dropped collection goes when it is empty",
          "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 2);
  manifest::Manifest without{.number = 3, .next_seq = 10, .next_file_number = 10};

  REQUIRE(store->publish(without));
  CHECK(files_are_whole(env, image(2, 2)));  // The previous image names it.
  SECTION("empty") {
    without.number = 4;
    REQUIRE(store->publish(without));
    CHECK_FALSE(env.exists(kDocs));
  }
  SECTION("with a file of somebody else") {
    REQUIRE(env.put_file(kDocs + "/notes.txt", as_bytes("mine")));
    without.number = 4;
    REQUIRE(store->publish(without));
    CHECK(names_in(env, kDocs) == Names{"notes.txt"});
  }
}

TEST_CASE("store: an image whose number does not grow, or that is unsound, changes nothing",
          "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 3);
  const std::uint64_t calls = env.calls();

  CHECK(store->publish(image(3, 9)).error().code == ErrorCode::kFailedPrecondition);
  CHECK(store->publish(image(2, 9)).error().code == ErrorCode::kFailedPrecondition);
  manifest::Manifest unsound = image(4, 4);
  unsound.next_seq = 4;
  CHECK(store->publish(unsound).error().code == ErrorCode::kOutOfRange);

  CHECK(env.calls() == calls);
  CHECK(manifest::load(env, kData) == image(3, 3));
}

TEST_CASE("store: a full disk fails a publish, and the next one after it works",
          "[storage][store][fault]") {
  for (std::uint64_t call = 0; call < 10; ++call) {
    for (const std::uint64_t retry_number : {4u, 5u}) {
      CAPTURE(call, retry_number);
      FaultEnv env;
      const auto store = open_with_images(env, 3);
      REQUIRE(write_files(*store, image(4, 4)));
      env.fail_from(call, {.code = ErrorCode::kNoSpace, .short_write = ShortWrite::kHalf});
      CHECK(store->publish(image(4, 4)).error().code == ErrorCode::kNoSpace);
      env.heal();

      REQUIRE(write_files(*store, image(retry_number, 5)));
      REQUIRE(store->publish(image(retry_number, 5)));

      CHECK(manifest::load(env, kData) == image(retry_number, 5));
      CHECK(files_are_whole(env, image(retry_number, 5)));
      CHECK(files_are_whole(env, image(3, 3)));  // It became the previous one.
      CHECK_FALSE(env.exists(store->paths().seg(7, 1, 4)));
      CHECK_FALSE(env.exists(kRoot + "/MANIFEST-2"));
      CHECK(env.exists(kRoot + "/MANIFEST-4") == (retry_number == 4));
    }
  }
}

TEST_CASE("store: a file that cannot be removed does not fail the publish, and goes next time",
          "[storage][store]") {
  FaultEnv env;
  const auto store = open_with_images(env, 3);
  REQUIRE(write_files(*store, image(4, 4)));
  configure_log(LogLevel::kError, LogFormat::kText);
  env.fail_from(0, {.only = FaultCall::kRemove});
  REQUIRE(store->publish(image(4, 4)));
  CHECK(env.exists(store->paths().seg(7, 1, 2)));
  env.heal();

  const auto removed = store->remove_leftovers();

  REQUIRE(removed);
  CHECK(*removed ==
        Names{kRoot + "/MANIFEST-2", store->paths().dead(7, 1, 2, 2), store->paths().seg(7, 1, 2)});
  CHECK(store->remove_leftovers()->empty());
}

TEST_CASE("store: leftovers are removed and listed; what is unknown or not yet given out stays",
          "[storage][store]") {
  FaultEnv env;
  auto store = open_with_images(env, 3);
  store.reset();
  REQUIRE(env.make_directory(kRoot + "/collections/9"));    // Dropped: 9 <= catalog_lsn.
  REQUIRE(env.make_directory(kRoot + "/collections/60"));   // Only the log knows it yet.
  REQUIRE(env.make_directory(kRoot + "/collections/007"));  // Not a name of ours.
  const Names leftovers = {kRoot + "/CURRENT.tmp",          kRoot + "/MANIFEST-1",
                           kRoot + "/MANIFEST-4.tmp",       kRoot + "/wal/0001-1.wal.tmp",
                           kDocs + "/0001-00000001.seg",    kDocs + "/0001-00000002.index-1",
                           kDocs + "/0001-00000003.dead-2", kDocs + "/0001-00000009.seg.tmp"};
  const Names strangers = {kRoot + "/notes.txt",
                           kRoot + "/MANIFEST-9",
                           kRoot + "/wal/0001-1.wal",
                           kRoot + "/quarantine/x.tmp",
                           kRoot + "/collections/007/0001-00000001.seg",
                           kDocs + "/0001-00000004.seg",     // seq 4 is not given out yet.
                           kDocs + "/0001-00000001.dead-4",  // Nor is number 4.
                           kDocs + "/0001-00000001.seg.bak",
                           kDocs + "/notes.txt"};
  for (const Names& files : {leftovers, strangers}) {
    for (const std::string& path : files) REQUIRE(env.put_file(path, as_bytes("?")));
  }
  store = open_store(env);

  const auto removed = store->remove_leftovers();

  REQUIRE(removed);
  Names expected = leftovers;
  expected.push_back(kRoot + "/collections/9");
  CHECK_THAT(*removed, Catch::UnorderedEquals(expected));
  for (const std::string& path : leftovers) CHECK_FALSE(env.exists(path));
  for (const std::string& path : strangers) {
    CAPTURE(path);
    CHECK(env.exists(path));
  }
  CHECK(env.exists(kRoot + "/collections/60"));
  CHECK(files_are_whole(env, image(3, 3)));
  CHECK(files_are_whole(env, image(2, 2)));
  CHECK(store->remove_leftovers()->empty());
}

TEST_CASE("store: while the previous image is damaged, no file that it may name is removed",
          "[storage][store]") {
  FaultEnv env;
  auto store = open_with_images(env, 3);
  store.reset();
  REQUIRE(env.flip_bit(kRoot + "/MANIFEST-2", 60, 1));

  store = open_store(env);
  const auto removed = store->remove_leftovers();

  REQUIRE(removed);
  CHECK(removed->empty());
  CHECK(files_are_whole(env, image(2, 2)));
  REQUIRE(write_files(*store, image(4, 4)));
  REQUIRE(store->publish(image(4, 4)));
  REQUIRE(store->remove_leftovers());
  CHECK(names_in(env, kDocs) == Names{"0001-00000003.dead-3", "0001-00000003.seg",
                                      "0001-00000004.dead-4", "0001-00000004.seg"});
  CHECK_FALSE(env.exists(kRoot + "/MANIFEST-2"));
}
