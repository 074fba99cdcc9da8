// A collection that is recovered beside the others: whatever fails, and whenever the power goes,
// the name leads to the old content or to the new one, and the others lose nothing.
#include <catch2/catch.hpp>

#include "engine/node/cut.h"
#include "engine/node/node_owner.h"
#include "engine/node/snapshots.h"
#include "tests/support/instrumented.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

using namespace vz;
using namespace vz::test;
using node::NodeOwner;
using node::Snapshots;

namespace {

constexpr std::chrono::milliseconds kQuiet{2'000};
constexpr const char* kArchive = "/archive.tar.gz";
const std::vector<float> kVector{1, 2, 3, 4};

using Content = std::map<std::string, CollectionState>;

Content serving(const node::Node& node) {
  Content out;
  for (const auto& reader : node.collections()) {
    const auto points = read_all(*reader);
    REQUIRE(points);
    out[reader->name()] = *points;
    for (auto& [id, point] : out[reader->name()]) point.version = 0;  // Of another history.
    CHECK(reader->stats().points == points->size());
  }
  return out;
}

/// "docs" with four points in the archive and others now, "other" beside it, and an alias.
struct Running {
  FaultEnv env;
  std::unique_ptr<NodeOwner> owner;
  Content old_content;
  Content new_content;

  Running() {
    open();
    REQUIRE(create(node(), "docs"));
    for (std::uint64_t id = 1; id <= 4; ++id)
      REQUIRE(upsert(node(), "docs", {point(id, kVector, R"({"age":1})")}));
    REQUIRE(upsert(node(), "docs", {point(9, kVector, "{}")}));
    REQUIRE(node().seal());
    REQUIRE(
        write(node(), points_write(node(), "docs",
                                   {log::DeletePoints{std::vector<PointId>{PointId::number(9)}}})));
    Snapshots snapshots(env, *owner, {.data_dir = kDataDir});
    const auto made = snapshots.create("docs", archive::ArchiveFormat::kTarGzip);
    REQUIRE(made);
    const auto bytes = read_file(
        env, snapshot::folder_of_collection(kDataDir, "docs") + "/" + made->name, 1u << 20);
    REQUIRE(bytes);
    REQUIRE(env.put_file(kArchive, *bytes));
    new_content = serving(node());
    for (std::uint64_t id = 3; id <= 7; ++id)
      REQUIRE(upsert(node(), "docs", {point(id, kVector, R"({"age":2})")}));
    REQUIRE(create(node(), "other"));
    REQUIRE(upsert(node(), "other", {point(1, kVector, "{}")}));
    REQUIRE(write(node(), log::AliasActions{{log::CreateAlias{"alias", "docs"}}}));
    old_content = serving(node());
    new_content["other"] = old_content["other"];
  }
  void open() {
    owner = std::make_unique<NodeOwner>(env, small_node(), kQuiet);
    REQUIRE(owner->open());
  }
  node::Node& node() { return *owner->current(); }
  Result<Lsn> recover(const std::string& name = "docs", std::stop_token stop = {}) {
    VZ_TRY_ASSIGN(const auto source, archive::FileSource::open(env, kArchive));
    return owner->recover_collection(name, *source, std::nullopt, std::move(stop));
  }
  [[nodiscard]] std::size_t collection_directories() {
    return env.list(std::string(kDataDir) + "/collections")->size();
  }
};

}  // namespace

TEST_CASE("arrival: a collection comes back, by itself and after a start", "[node][arrival]") {
  Running running;
  const bool clean = GENERATE(true, false);
  const Lsn before = running.node().visible_lsn();

  const auto recovered = running.recover();

  INFO((recovered ? "" : recovered.error().message));
  REQUIRE(recovered);
  CHECK(*recovered == before + 2);  // It began and ended: two records, whatever it holds.
  CHECK(serving(running.node()) == running.new_content);
  CHECK(running.node().find("alias") == running.node().find("docs"));
  REQUIRE(upsert(running.node(), "docs", {point(50, kVector, "{}")}));
  running.new_content["docs"][PointId::number(50)] = {0, kVector, "{}"};
  REQUIRE(running.node().settle());
  if (clean) REQUIRE(running.owner->close());
  running.owner.reset();
  running.open();
  CHECK(serving(running.node()) == running.new_content);
  CHECK(running.node().find("alias") == running.node().find("docs"));
  CHECK(running.collection_directories() == 2);
  CHECK(names_in(running.env, std::string(kDataDir) + "/tmp").empty());
}

TEST_CASE("arrival: one that is stopped leaves nothing, and the next one comes",
          "[node][arrival]") {
  Running running;
  std::stop_source stopped;
  stopped.request_stop();

  const auto cancelled = running.recover("docs", stopped.get_token());

  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().code == ErrorCode::kCancelled);
  CHECK(serving(running.node()) == running.old_content);
  CHECK(names_in(running.env, std::string(kDataDir) + "/tmp").empty());
  REQUIRE(running.recover());
  CHECK(serving(running.node()) == running.new_content);
}

TEST_CASE("arrival: a snapshot of the node does not show one that is on its way",
          "[node][arrival]") {
  Running running;
  const auto begun =
      write(running.node(), log::BeginArrival{*running.node().find("docs")->definition()});
  REQUIRE(begun);
  CHECK(running.node().collections().size() == 2);
  CHECK(running.node().find("") == nullptr);

  const auto cut = running.owner->cut();

  REQUIRE(cut);
  CHECK((*cut)->contents().manifest.collections.size() == 2);
  running.owner.reset();  // Killed: it never arrives.
  running.open();
  CHECK(serving(running.node()) == running.old_content);
  CHECK_FALSE(write(running.node(), log::EndArrival{begun->lsn, "docs"}));
  REQUIRE(running.owner->close());
  running.owner.reset();
  running.open();
  CHECK(serving(running.node()) == running.old_content);
}

TEST_CASE("arrival: a failing call and a power cut, at every call, leave the old or the new",
          "[node][arrival][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  const std::uint64_t calls = [] {
    Running running;
    const auto before = running.env.calls();
    REQUIRE(running.recover());
    return running.env.calls() - before;
  }();
  constexpr std::uint64_t kStride = kInstrumented ? 3 : 1;
  std::size_t old_seen = 0;
  std::size_t new_seen = 0;
  for (std::uint64_t fault = 0; fault < calls; fault += kStride) {
    for (const bool stays : {false, true}) {
      Running running;
      stays ? running.env.fail_from(fault) : running.env.fail_at(fault);
      const auto recovered = running.recover();
      running.env.heal();
      INFO("failing call " << fault << " of " << calls << ", stays " << stays);
      const Content now = serving(running.node());
      REQUIRE((now == running.old_content || now == running.new_content));
      if (recovered) REQUIRE(now == running.new_content);
      running.env.lose_power(seed + fault);
      running.owner.reset();
      running.open();
      const Content after = serving(running.node());
      REQUIRE((after == running.old_content || after == running.new_content));
      if (recovered) REQUIRE(after == running.new_content);
      old_seen += after == running.old_content ? 1 : 0;
      new_seen += after == running.new_content ? 1 : 0;
      REQUIRE(running.node().find("alias") == running.node().find("docs"));
      // It can be asked again, and what is not needed goes.
      REQUIRE(running.recover());
      REQUIRE(serving(running.node()) == running.new_content);
      REQUIRE(running.owner->close());
      running.owner.reset();
      running.open();
      REQUIRE(serving(running.node()) == running.new_content);
      REQUIRE(running.owner->close());
    }
  }
  CHECK(old_seen > 0);
  CHECK(new_seen > 0);
}
