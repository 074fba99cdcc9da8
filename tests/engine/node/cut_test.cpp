// A cut: exactly the writes up to one lsn, of every collection, while writes and merges go on.
#include "engine/node/cut.h"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/node/snapshots.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr std::chrono::milliseconds kQuiet{1};

/// One acknowledged write: the point `id` holds `value` from then on, or nothing.
struct Acknowledged {
  std::string collection;
  std::uint64_t id = 0;
  float value = 0;
  bool erased = false;
};

/// What clients know: lsn -> write.
struct Oracle {
  Mutex mutex;
  std::map<Lsn, Acknowledged> writes VZ_GUARDED_BY(mutex);

  void note(Lsn lsn, Acknowledged write) {
    MutexLock lock(mutex);
    writes[lsn] = std::move(write);
  }
  /// Values by collection and id as of `lsn`.
  std::map<std::string, std::map<std::uint64_t, float>> as_of(Lsn lsn) {
    MutexLock lock(mutex);
    std::map<std::string, std::map<std::uint64_t, float>> out;
    for (const auto& [at, write] : writes) {
      if (at > lsn) break;
      if (write.erased) {
        out[write.collection].erase(write.id);
      } else {
        out[write.collection][write.id] = write.value;
      }
    }
    return out;
  }
};

void write_until(std::atomic<bool>& stop, node::Node& node, const std::string& name,
                 std::uint64_t first_id, Oracle& oracle) {
  for (std::uint64_t round = 0; !stop.load(); ++round) {
    const std::uint64_t id = first_id + round % 40;
    const auto value = static_cast<float>(round);
    const bool erases = round % 7 == 3;
    const auto done = erases ? erase(node, name, {PointId::number(id)})
                             : upsert(node, name, {point(id, {value, 0, 0, 1}, "{}")});
    if (!done || !done->changed) continue;
    oracle.note(done->lsn, {.collection = name, .id = id, .value = value, .erased = erases});
  }
}

Bytes archive_of(Env& env, const node::Cut& cut) {
  archive::MemorySink sink;
  const auto report = snapshot::write_archive(env, cut.root(), cut.contents(),
                                              archive::ArchiveFormat::kTarGzip, sink);
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  return sink.bytes();
}

/// What an archive holds once it is restored elsewhere.
std::map<std::string, std::map<std::uint64_t, float>> restored(const Bytes& archive) {
  FaultEnv env;
  REQUIRE(env.make_directory(kOther));
  const auto report = restore(env, archive, kOther);
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  REQUIRE(report->read.sound());
  const auto read = read_everything(env, kOther);
  INFO((read ? "" : read.error().message));
  REQUIRE(read);
  std::map<std::string, std::map<std::uint64_t, float>> out;
  for (const auto& [name, points] : read->points) {
    auto& values = out[name];
    for (const auto& [id, state] : points) values[id.low] = state.values.at(0);
  }
  return out;
}

std::unique_ptr<node::Node> busy_node(Env& env) {
  node::NodeOptions options = small_node();
  options.background = node::NodeOptions::Background::kOn;
  options.quiet_ms = 1;  // Merges come between.
  auto node = node::Node::open(env, options);
  REQUIRE(node);
  return *std::move(node);
}

std::vector<std::string> paths_of(const node::Cut& cut) {
  std::vector<std::string> out;
  for (const auto& file : cut.contents().files) out.push_back(file.path);
  return out;
}

}  // namespace

TEST_CASE("cut: under concurrent writes it holds exactly the prefix up to its lsn", "[node][cut]") {
  FaultEnv env;
  const auto node = busy_node(env);
  Oracle oracle;
  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (const std::string name : {"a", "b", "c"}) {
    REQUIRE(create(*node, name));
    for (std::uint64_t client = 0; client < 2; ++client)
      clients.emplace_back(
          [&, name, client] { write_until(stop, *node, name, 1 + 100 * client, oracle); });
  }

  std::vector<std::pair<Lsn, Bytes>> archives;
  for (int round = 0; round < 8; ++round) {
    const Lsn before = node->visible_lsn();
    const auto cut = node->cut();
    INFO((cut ? "" : cut.error().message));
    REQUIRE(cut);
    CHECK((*cut)->lsn() >= before);
    CHECK((*cut)->lsn() <= node->visible_lsn());
    archives.emplace_back((*cut)->lsn(), archive_of(env, **cut));
  }
  stop = true;
  for (auto& client : clients) client.join();

  for (const auto& [lsn, archive] : archives) {
    auto expected = oracle.as_of(lsn);
    for (const std::string name : {"a", "b", "c"}) expected[name];
    CHECK(restored(archive) == expected);
  }
  CHECK(names_in(env, std::string(kDataDir) + "/tmp").empty());
}

TEST_CASE("cut: a collection that has not changed since its seal is not sealed again",
          "[node][cut]") {
  FaultEnv env;
  const auto node = open_node(env, kDataDir);
  REQUIRE(node);
  for (const std::string name : {"still", "busy", "empty"}) REQUIRE(create(**node, name));
  REQUIRE(upsert(**node, "still", {point(1, {1, 0, 0, 0}, "{}")}));
  REQUIRE((*node)->seal());
  REQUIRE(upsert(**node, "busy", {point(2, {2, 0, 0, 0}, "{}")}));
  const auto first = (*node)->cut();
  REQUIRE(first);
  const std::uint64_t calls = env.calls(FaultCall::kWrite);

  const auto second = (*node)->cut();

  REQUIRE(second);
  CHECK(env.calls(FaultCall::kWrite) == calls);
  CHECK(paths_of(**second) == paths_of(**first));
  CHECK((*second)->lsn() == (*first)->lsn());
  CHECK((*second)->contents().manifest.collections.size() == 3);
  CHECK(restored(archive_of(env, **second)) ==
        std::map<std::string, std::map<std::uint64_t, float>>{
            {"busy", {{2, 2.0f}}}, {"empty", {}}, {"still", {{1, 1.0f}}}});
}

TEST_CASE("cut: a file of the data that is lost is damage, and is named", "[node][cut]") {
  FaultEnv env;
  const auto node = open_node(env, kDataDir);
  REQUIRE(node);
  REQUIRE(create(**node, "docs"));
  REQUIRE(upsert(**node, "docs", {point(1, {1, 0, 0, 0}, "{}")}));
  REQUIRE((*node)->seal());
  const auto whole = (*node)->cut();
  REQUIRE(whole);
  const std::string lost = paths_of(**whole).back();
  REQUIRE(env.remove(kDataDir + ("/" + lost)));

  const auto cut = (*node)->cut();

  REQUIRE_FALSE(cut);
  CHECK(cut.error().code == ErrorCode::kCorruption);
  CHECK(cut.error().message.find(lost) != std::string::npos);
  CHECK(names_in(env, std::string(kDataDir) + "/tmp").find("snapshot-2") == std::string::npos);
}

TEST_CASE("cut: its files stay when they are merged away, and go with it", "[node][cut]") {
  FaultEnv env;
  const auto node = open_node(env, kDataDir);
  REQUIRE(node);
  REQUIRE(create(**node, "docs"));
  for (std::uint64_t id = 1; id <= 6; ++id) {
    REQUIRE(upsert(**node, "docs", {point(id, {static_cast<float>(id), 0, 0, 0}, "{}")}));
    REQUIRE((*node)->seal());
  }
  const bool links = GENERATE(true, false);
  env.refuse_links(!links);
  auto cut = (*node)->cut();
  REQUIRE(cut);

  REQUIRE((*node)->merge());
  for (int round = 0; round < 3; ++round) {
    REQUIRE(upsert(**node, "docs", {point(90, {0, 0, 0, 0}, "{}")}));
    REQUIRE((*node)->settle());
  }

  for (const std::string& path : paths_of(**cut)) {
    if (path.ends_with(".seg")) CHECK_FALSE(env.exists(kDataDir + ("/" + path)));
  }
  CHECK(restored(archive_of(env, **cut)).at("docs").size() == 6);
  const std::string root = (*cut)->root();
  REQUIRE(env.exists(root));
  cut->reset();
  CHECK_FALSE(env.exists(root));
}

TEST_CASE("cut: collections that come and go meanwhile do not make it fail", "[node][cut]") {
  FaultEnv env;
  const auto node = busy_node(env);
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    for (std::uint64_t round = 0; !stop.load(); ++round) {
      (void)create(*node, "passing");
      if (node->find("passing") == nullptr) continue;
      (void)upsert(*node, "passing", {point(round, {1, 0, 0, 0}, "{}")});
      (void)write(*node, log::DropCollection{.name = "passing"});
    }
  });
  REQUIRE(create(*node, "staying"));
  REQUIRE(upsert(*node, "staying", {point(1, {1, 0, 0, 0}, "{}")}));

  for (int round = 0; round < 10; ++round) {
    const auto cut = node->cut();
    INFO((cut ? "" : cut.error().message));
    REQUIRE(cut);
    CHECK(restored(archive_of(env, **cut)).at("staying").size() == 1);
  }

  stop = true;
  churn.join();
}

TEST_CASE("snapshots: a failure at any call leaves the node as it was and no half file",
          "[node][cut][fault]") {
  for (std::uint64_t call = 0;; ++call) {
    FaultEnv env;
    auto owner = std::make_unique<node::NodeOwner>(env, small_node(), kQuiet);
    REQUIRE(owner->open());
    node::Snapshots snapshots(env, *owner, {.data_dir = kDataDir});
    REQUIRE(create(*owner->current(), "docs"));
    REQUIRE(upsert(*owner->current(), "docs", {point(1, {1, 0, 0, 0}, "{}")}));
    env.fail_at(call);

    const auto made = snapshots.create(node::Snapshots::kNode, archive::ArchiveFormat::kTarGzip);

    CAPTURE(call);
    const bool hit = env.fault_hit();
    env.heal();
    const auto list = snapshots.list(node::Snapshots::kNode);
    REQUIRE(list);
    if (!made) {
      CHECK((made.error().code == ErrorCode::kIoError ||
             made.error().code == ErrorCode::kUnavailable));
    }
    for (const auto& info : *list) {  // Perhaps the last sync only: then it is whole.
      const auto source =
          archive::FileSource::open(env, std::string(kDataDir) + "/snapshots/" + info.name);
      REQUIRE(source);
      const auto read = snapshot::verify(**source);
      REQUIRE(read);
      CHECK(read->sound());
      CHECK(info.sha256 == to_hex(read->archive_sha256));
    }
    if (!hit) {
      REQUIRE(made);
      CHECK(list->size() == 1);
      break;
    }
    CHECK(read_all(*owner->current()->find("docs"))->size() == 1);
    CHECK(upsert(*owner->current(), "docs", {point(2, {1, 0, 0, 0}, "{}")}));
    CHECK(snapshots.create(node::Snapshots::kNode, archive::ArchiveFormat::kTarGzip));
    REQUIRE(owner->close());
    owner.reset();
    node::NodeOwner next(env, small_node(), kQuiet);
    REQUIRE(next.open());
    CHECK(names_in(env, std::string(kDataDir) + "/tmp").empty());
    CHECK(read_all(*next.current()->find("docs"))->size() == 2);
  }
}
