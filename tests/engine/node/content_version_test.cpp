// The version of what a collection answers: another one after each change that readers may see, the
// same as long as nothing changes, and none while a change is on its way.
#include <functional>
#include <optional>

#include <catch2/catch.hpp>

#include "engine/node/maintenance.h"
#include "storage/env/forwarding_env.h"
#include "tests/support/test_node.h"

using namespace vz;
using Version = std::optional<collection::ContentVersion>;

namespace {

/// Calls `on_sync` before a file of the log is synced: what the group holds is applied by then, and
/// not yet visible.
class SyncWatchEnv final : public ForwardingEnv {
 public:
  using ForwardingEnv::ForwardingEnv;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    VZ_TRY_ASSIGN(auto file, ForwardingEnv::open(path, mode));
    if (path.find("/wal/") == std::string::npos) return file;
    return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(file), *this));
  }
  std::function<void()> on_sync;

 private:
  class WatchedFile final : public File {
   public:
    WatchedFile(std::unique_ptr<File> behind, const SyncWatchEnv& env)
        : behind_(std::move(behind)), env_(env) {}
    Status write_at(std::uint64_t offset, ByteSpan bytes) override {
      return behind_->write_at(offset, bytes);
    }
    Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      return behind_->read_at(offset, out);
    }
    Status sync() override {
      if (env_.on_sync) env_.on_sync();
      return behind_->sync();
    }
    Result<std::uint64_t> size() const override { return behind_->size(); }
    Status truncate(std::uint64_t size) override { return behind_->truncate(size); }
    Status fill_zero(std::uint64_t size) override { return behind_->fill_zero(size); }

   private:
    std::unique_ptr<File> behind_;
    const SyncWatchEnv& env_;
  };
};

std::unique_ptr<node::Node> opened(Env& env) {
  auto node = node::Node::open(env, test::small_node());
  REQUIRE(node);
  return *std::move(node);
}

log::PatchCollection ef_search(std::uint32_t value) {
  log::PatchCollection patch{.name = "a", .patch = {}};
  patch.patch.ef_search = value;
  return patch;
}

Version version(const node::Node& node, const std::string& name) {
  return node.find(name)->content_version();
}

}  // namespace

TEST_CASE("content version: each change of a collection gives it another, and of its own alone",
          "[node][cache]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = opened(env);
  REQUIRE(test::create(*node, "a"));
  REQUIRE(test::create(*node, "b"));
  const Version of_b = version(*node, "b");
  Version last = version(*node, "a");
  REQUIRE(last);

  const auto changes = [&](const char* what) {
    CAPTURE(what);
    const Version now = version(*node, "a");
    CHECK(now);
    CHECK(now != last);
    CHECK(version(*node, "a") == now);
    CHECK(version(*node, "b") == of_b);
    last = now;
  };
  REQUIRE(test::upsert(*node, "a", {test::point(1, {1, 2, 3, 4}, R"({"n":1})")}));
  changes("upsert");
  REQUIRE(test::upsert(*node, "a", {test::point(2, {4, 3, 2, 1}, "{}")}));
  changes("a second one");
  REQUIRE(test::erase(*node, "a", {PointId::number(1)}));
  changes("delete");
  REQUIRE(test::write(*node, ef_search(77)));
  changes("ef_search");
  REQUIRE(node->seal());
  changes("seal");
  REQUIRE(node->maintenance().rebuild_index("a", {}));
  changes("index");
  collection::SearchRequest search;
  search.query = std::vector<float>{1, 0, 0, 0};
  CHECK(node->find("a")->search(search));
  CHECK(version(*node, "a") == last);
  CHECK(node->close());
}

TEST_CASE(
    "content version: a collection of the same name and a node of the same directory start anew",
    "[node][cache]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = opened(env);
  REQUIRE(test::create(*node, "a"));
  const Version first = version(*node, "a");
  REQUIRE(test::write(*node, log::DropCollection{"a"}));
  REQUIRE(test::create(*node, "a"));
  const Version second = version(*node, "a");

  REQUIRE(node->close());
  node.reset();
  node = opened(env);
  const Version third = version(*node, "a");

  REQUIRE((first && second && third));
  CHECK(first->collection != second->collection);
  CHECK(second->collection != third->collection);
  CHECK(first->collection != third->collection);
  CHECK(node->close());
}

TEST_CASE("content version: there is none while a write is applied that readers do not see",
          "[node][cache]") {
  FaultEnv disk;
  REQUIRE(disk.make_directory("/"));
  SyncWatchEnv env(disk);
  const auto node = opened(env);
  REQUIRE(test::create(*node, "a"));
  REQUIRE(test::create(*node, "b"));
  const auto a = node->find("a");
  const auto b = node->find("b");
  const Version of_b = b->content_version();
  int syncs = 0;
  Version seen;
  // On the writer's thread, while this one waits. The last sync is that of the write: one before it
  // may be of a new file.
  env.on_sync = [&] {
    ++syncs;
    seen = a->content_version();
    CHECK(b->content_version() == of_b);
  };

  REQUIRE(test::upsert(*node, "a", {test::point(1, {1, 2, 3, 4}, "{}")}));
  CHECK(syncs > 0);
  CHECK_FALSE(seen);
  syncs = 0;
  REQUIRE(test::write(*node, ef_search(77)));
  CHECK(syncs > 0);
  CHECK_FALSE(seen);
  env.on_sync = nullptr;

  CHECK(a->content_version());
  CHECK(node->close());
}

TEST_CASE("content version: after a write that never got durable there is none", "[node][cache]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = opened(env);
  REQUIRE(test::create(*node, "a"));
  env.fail_from(0, {.only = FaultCall::kSync});

  CHECK_FALSE(test::upsert(*node, "a", {test::point(1, {1, 2, 3, 4}, "{}")}));

  CHECK_FALSE(node->find("a")->content_version());
}
