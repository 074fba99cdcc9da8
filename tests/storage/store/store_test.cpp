// One data directory: what is taken for ours, what is refused, what is kept and what is removed.
#include "storage/store/store.h"

#include <chrono>
#include <functional>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/base/crc32c.h"
#include "storage/env/forwarding_env.h"
#include "tests/storage/env/temporary_directory.h"
#include "tests/storage/store/store_fixture.h"

using namespace vz;
using namespace vz::test;
using store::DataFileName;
using store::Store;

namespace {

ErrorCode code_of_open(Env& env, std::string* message = nullptr) {
  const auto opened = Store::open(env, kData);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find('\n') == std::string::npos);
  if (message != nullptr) *message = opened.error().message;
  return opened.error().code;
}

bool is_uuid_version_4(const std::string& text) {
  return text.size() == 36 && text[14] == '4' && std::string("89ab").find(text[19]) < 4 &&
         PointId::parse_uuid(text);
}

/// FORMAT as a later version might write it, with a right checksum.
std::string format_text(const std::string& body) {
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32c(as_bytes(body)));
  return body + ",\"crc32c\":\"" + checksum + "\"}\n";
}

/// Passes everything on, and lets another process act just before a lock is taken.
class InterruptedEnv final : public ForwardingEnv {
 public:
  InterruptedEnv(Env& behind, std::function<void()> before_lock)
      : ForwardingEnv(behind), before_lock_(std::move(before_lock)) {}

  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                         const std::string& owner) override {
    before_lock_();
    return ForwardingEnv::lock(path, mode, owner);
  }

 private:
  std::function<void()> before_lock_;
};

}  // namespace

TEST_CASE("store: a creator that comes second finds what the first has made and written",
          "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  std::string cluster_id;
  InterruptedEnv slow(env, [&] {
    const auto first = open_store(env);
    REQUIRE(write_files(*first, image(2, 1)));
    REQUIRE(first->publish(image(2, 1)));
    cluster_id = first->identity().cluster_id;
  });

  const auto second = open_store(slow);  // Saw an empty directory before it had the lock.

  CHECK(second->identity().cluster_id == cluster_id);
  CHECK(second->opened_manifest() == image(2, 1));
  CHECK(files_are_whole(env, image(2, 1)));
}

TEST_CASE("store: an absent directory is created with an identity and an empty image",
          "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/srv"));

  const auto store = open_store(env);

  CHECK(names_in(env, kData) == std::vector<std::string>{"CURRENT", "FORMAT", "LOCK", "MANIFEST-1",
                                                         "collections", "quarantine", "wal"});
  CHECK(store->identity().format == 1);
  CHECK(is_uuid_version_4(store->identity().cluster_id));
  CHECK(is_uuid_version_4(store->identity().node_id));
  CHECK(store->identity().cluster_id != store->identity().node_id);
  CHECK(store->opened_manifest() == manifest::Manifest{.number = 1});
}

TEST_CASE("store: opened again it is the same one, at the image in force", "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  auto store = open_store(env);
  const store::Identity first = store->identity();
  REQUIRE(write_files(*store, image(2, 1)));
  REQUIRE(store->publish(image(2, 1)));
  store.reset();
  env.lose_power_worst();

  const auto again = open_store(env);

  CHECK(again->identity().cluster_id == first.cluster_id);
  CHECK(again->identity().node_id == first.node_id);
  CHECK(again->opened_manifest() == image(2, 1));
  CHECK(files_are_whole(env, image(2, 1)));
}

TEST_CASE("store: two directories get different identities", "[storage][store]") {
  FaultEnv env;
  const auto one = Store::open(env, "/one");
  const auto two = Store::open(env, "/two/");
  REQUIRE(one);
  REQUIRE(two);
  CHECK((*one)->identity().cluster_id != (*two)->identity().cluster_id);
  CHECK((*one)->identity().node_id != (*two)->identity().node_id);
  CHECK((*two)->paths().root == "/two");
}

TEST_CASE("store: a directory that holds anything else is not ours and is left alone",
          "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  const std::string root = kData;
  std::string culprit;
  SECTION("a file") {
    culprit = "thesis.txt";
    REQUIRE(env.put_file(root + "/thesis.txt", as_bytes("years of work")));
  }
  SECTION("somebody's temporary file") {
    culprit = "thesis.tmp";
    REQUIRE(env.put_file(root + "/thesis.tmp", as_bytes("years of work")));
  }
  SECTION("a directory") {
    culprit = "photos";
    REQUIRE(env.make_directory(root + "/photos"));
  }
  SECTION("a log, but no FORMAT") {
    culprit = "wal";
    REQUIRE(env.make_directory(root + "/wal"));
    REQUIRE(env.put_file(root + "/wal/0001-1.wal", as_bytes("records")));
  }
  SECTION("segments, but no FORMAT") {
    culprit = "collections";
    REQUIRE(env.make_directory(root + "/collections/7"));
  }
  SECTION("something set aside, but no FORMAT") {
    culprit = "quarantine";
    REQUIRE(env.make_directory(root + "/quarantine/epoch-1"));
  }
  SECTION("an image that is not the first") {
    culprit = "MANIFEST-2";
    REQUIRE(env.put_file(root + "/MANIFEST-2", as_bytes("?")));
  }
  SECTION("a first image that names data") {
    culprit = "MANIFEST-1";
    REQUIRE(env.put_file(root + "/MANIFEST-1", manifest::encode(image(1, 1))));
  }
  SECTION("a name that would break the line") {
    culprit = "a?b";
    REQUIRE(env.put_file(root + "/a\nb", as_bytes("")));
  }
  const auto before = names_in(env, kData);
  const std::uint64_t calls = env.calls();

  std::string message;
  CHECK(code_of_open(env, &message) == ErrorCode::kNoData);

  CHECK(message.find(kData) != std::string::npos);
  CHECK(message.find("\"" + culprit + "\"") != std::string::npos);
  CHECK(names_in(env, kData) == before);
  CHECK(env.calls() == calls);  // Not a single change was tried.
}

TEST_CASE("store: what is no data counts as empty", "[storage][store]") {
  FaultEnv env;
  const std::string root = kData;
  for (const char* name : {"/lost+found", "/snapshots", "/jobs", "/log", "/tmp", "/wal",
                           "/collections", "/quarantine"}) {
    REQUIRE(env.make_directory(root + name));
  }
  for (const char* name : {"/LOCK", "/FORMAT.tmp", "/CURRENT.tmp", "/MANIFEST-1.tmp",
                           "/log/vectorizer.log", "/snapshots/a.tar.gz"}) {
    REQUIRE(env.put_file(root + name, as_bytes("?")));
  }

  const auto store = open_store(env);

  CHECK(env.exists(root + "/FORMAT"));
  CHECK(env.exists(root + "/snapshots/a.tar.gz"));
  REQUIRE(store->remove_leftovers());
  CHECK_FALSE(env.exists(root + "/FORMAT.tmp"));
}

TEST_CASE("store: a newer format is incompatible, and the directory is not even locked",
          "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  REQUIRE(env.put_file(std::string(kData) + "/FORMAT",
                       as_bytes(format_text("{\"format\":2,\"shape\":\"unheard of\""))));
  const std::uint64_t calls = env.calls();

  std::string message;
  CHECK(code_of_open(env, &message) == ErrorCode::kIncompatible);

  CHECK(message.find("/FORMAT") != std::string::npos);
  CHECK(message.find("format 2") != std::string::npos);
  CHECK(env.calls() == calls);
}

TEST_CASE("store: no damaged byte of FORMAT is believed", "[storage][store]") {
  const std::string good = store::encode_identity(
      {1, "c0ffee00-0000-4000-8000-000000000001", "c0ffee00-0000-4000-8000-000000000002"});
  REQUIRE(store::decode_identity(good));

  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = store::decode_identity(bad);
    INFO("flipped bit " << bit);
    REQUIRE_FALSE(decoded);
    REQUIRE(decoded.error().code == ErrorCode::kCorruption);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(store::decode_identity(good.substr(0, size)).error().code == ErrorCode::kCorruption);
  }
  for (const char* body :
       {"{\"format\":0", "{\"format\":1", "{\"format\":-1", "{\"format\":x",
        "{\"format\":1,\"cluster_id\":\"x\",\"node_id\":\"y\"", "{\"format\":99999999999"}) {
    CAPTURE(body);
    CHECK(store::decode_identity(format_text(body)).error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("store: a lost CURRENT or a damaged image is corruption, never a new start",
          "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  auto store = open_store(env);
  REQUIRE(write_files(*store, image(2, 1)));
  REQUIRE(store->publish(image(2, 1)));
  store.reset();
  const std::string root = kData;

  SECTION("CURRENT is gone") {
    REQUIRE(env.remove(root + "/CURRENT"));
  }
  SECTION("CURRENT is damaged") {
    REQUIRE(env.flip_bit(root + "/CURRENT", 9, 0));
  }
  SECTION("the image is gone") {
    REQUIRE(env.remove(root + "/MANIFEST-2"));
  }
  SECTION("the image is damaged") {
    REQUIRE(env.flip_bit(root + "/MANIFEST-2", 70, 0));
  }
  SECTION("FORMAT is damaged") {
    REQUIRE(env.flip_bit(root + "/FORMAT", 20, 0));
  }
  CHECK(code_of_open(env) == ErrorCode::kCorruption);
  CHECK(files_are_whole(env, image(2, 1)));
}

TEST_CASE("store: without FORMAT a directory with data is not begun anew", "[storage][store]") {
  FaultEnv env;
  REQUIRE(env.make_directory(kData));
  auto store = open_store(env);
  REQUIRE(write_files(*store, image(2, 1)));
  REQUIRE(store->publish(image(2, 1)));
  store.reset();
  REQUIRE(env.remove(std::string(kData) + "/FORMAT"));

  CHECK(code_of_open(env) == ErrorCode::kNoData);

  CHECK(manifest::load(env, kData) == image(2, 1));
  CHECK(files_are_whole(env, image(2, 1)));
}

TEST_CASE("store: the second opener is refused at once and told who holds it", "[storage][store]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string data = directory / "data";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto child_env = make_posix_env();
    const auto held = Store::open(*child_env, data);
    const char answer = held ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');

  const auto start = std::chrono::steady_clock::now();
  const auto second = Store::open(*env, data);
  const auto took = std::chrono::steady_clock::now() - start;

  REQUIRE_FALSE(second);
  const std::string& message = second.error().message;
  CAPTURE(message);
  CHECK(second.error().code == ErrorCode::kLocked);
  CHECK(took < std::chrono::seconds(1));
  CHECK(message.find("\"pid\":" + std::to_string(child)) != std::string::npos);
  CHECK(message.find("\"command\":\"test_storage_store") != std::string::npos);
  CHECK(message.find("\"host\":\"") != std::string::npos);
  CHECK(message.find("\"since\":\"20") != std::string::npos);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(Store::open(*env, data));  // The lock died with its process.
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("store: within one process too there is one opener at a time", "[storage][store]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  auto first = Store::open(*env, directory.path());
  REQUIRE(first);
  CHECK(Store::open(*env, directory.path()).error().code == ErrorCode::kLocked);
  first->reset();
  CHECK(Store::open(*env, directory.path()));
}

TEST_CASE("store: names of data files read back, and nothing else does", "[storage][store]") {
  const store::Paths paths{"/d"};
  CHECK(paths.seg(7, 1, 7) == "/d/collections/7/0001-00000007.seg");
  CHECK(paths.dead(7, 1, 7, 3) == "/d/collections/7/0001-00000007.dead-3");
  CHECK(paths.index(7, 12'345, 123'456'789, 3) == "/d/collections/7/12345-123456789.index-3");
  CHECK(paths.fields(7, 1, 7, 0) == "/d/collections/7/0001-00000007.fields-0");
  CHECK(paths.segment_stem(7, 1, 7) == "/d/collections/7/0001-00000007");

  using Kind = DataFileName::Kind;
  CHECK(store::parse_data_file_name("0001-00000007.seg") == DataFileName{1, 7, Kind::kSeg, 0});
  CHECK(store::parse_data_file_name("0001-00000007.dead-3") == DataFileName{1, 7, Kind::kDead, 3});
  CHECK(store::parse_data_file_name("12345-123456789.index-18446744073709551615") ==
        DataFileName{12'345, 123'456'789, Kind::kIndex, ~std::uint64_t{0}});
  CHECK(store::parse_data_file_name("0001-00000007.fields-0") ==
        DataFileName{1, 7, Kind::kFields, 0});
  for (const char* name :
       {"", "-", "0001-", "0001-00000007", "1-7.seg", "0001-00000007.seg.tmp",
        "0001-00000007.seg-1", "0001-00000007.dead", "0001-00000007.dead-", "0001-00000007.dead-03",
        "00001-00000007.seg", "0001-000000007.seg", "4294967296-00000007.seg", "+001-00000007.seg",
        "0001-00000007.index-x", " 0001-00000007.seg", "0001-00000007.SEG"}) {
    CAPTURE(name);
    CHECK_FALSE(store::parse_data_file_name(name));
  }
}
