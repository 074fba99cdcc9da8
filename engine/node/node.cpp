#include "engine/node/node.h"

#include <atomic>

#include "engine/log/recovery.h"
#include "engine/log/write_and_wait.h"
#include "engine/log/write_size.h"
#include "engine/log/writer.h"
#include "engine/node/background.h"
#include "engine/node/cut.h"
#include "engine/node/disk_guard.h"
#include "engine/node/drop_hold.h"
#include "engine/node/housekeeper.h"
#include "engine/node/maintenance.h"
#include "engine/node/publisher.h"
#include "storage/base/log.h"
#include "storage/store/store.h"
#include "storage/wal/log.h"

namespace vz::node {

using collection::Catalog;
using collection::LiveCollection;

namespace {

constexpr int kCutAttempts = 10;
/// After so many, collections that somebody drops stay until the cut is there: else one who drops
/// faster than we seal would keep us from ever making one.
constexpr int kCutAttemptsUnheld = 3;

void log_no_checkpoint(const Error& error) {
  LogEvent(LogLevel::kError, "security_not_written").with("reason", error.message);
}

}  // namespace

/// Members are destroyed in reverse order: threads end before what they use.
struct Node::State {
  NodeOptions options;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<DiskGuard> disk;
  std::unique_ptr<runtime::MemoryGuard> memory;
  std::shared_ptr<collection::Visibility> visibility;
  Epoch epoch = 0;
  std::unique_ptr<log::Writer> writer;
  DropHold drops;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<Housekeeper> housekeeper;
  std::unique_ptr<Maintenance> maintenance;
  /// Set once before the first request; the writer wakes it when it freezes a memtable.
  std::atomic<Background*> wake_target{nullptr};
  std::unique_ptr<Background> background;
  bool retired = false;

  /// Ends the threads. Idempotent.
  void stop() {
    if (background) background->request_stop();  // A job may wait for its merge to end.
    maintenance->stop();
    if (background) background->stop();
    wake_target = nullptr;
    writer->stop();
  }
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const {
    MutexLock lock(visibility->mutex);
    return visibility->catalog;
  }
  void freeze_all() {
    writer->run_between_groups([this](const log::NodeState& state) {
      for (const auto& [id, live] : state.collections) live->freeze(writer->next_lsn() - 1);
    });
  }
  Status seal_all() {
    const auto kept = catalog();
    for (const auto& [name, live] : kept->collections) {
      for (bool more = true; more;) {
        VZ_TRY_ASSIGN(more, housekeeper->seal_oldest(*live));
      }
    }
    return {};
  }
};

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Node>> Node::open(Env& env, NodeOptions options,
                                         const store::OpenOptions& opening) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  const NodeOptions& set = state->options;
  VZ_TRY_ASSIGN(state->store, store::Store::open(env, set.data_dir, opening));
  state->disk =
      std::make_unique<DiskGuard>(env, state->store->paths(),
                                  DiskGuard::Options{.reserve_bytes = set.disk_reserve_bytes,
                                                     .look_every = set.disk_look_every});
  state->disk->make_way();
  state->memory = std::make_unique<runtime::MemoryGuard>(set.memory);
  VZ_TRY_ASSIGN(auto recovered, log::recover(*state->store, {.seal_bytes = set.seal_bytes,
                                                             .seal_rows = set.seal_rows,
                                                             .progress = set.progress}));
  VZ_TRY_ASSIGN(const auto leftovers, state->store->remove_leftovers());
  for (const std::string& path : leftovers)
    LogEvent(LogLevel::kInfo, "leftover_removed").with("path", path);
  auto numbers = std::make_shared<log::WriterNumbers>();
  VZ_TRY_ASSIGN(auto log, wal::LogWriter::start(
                              env, state->store->paths().wal(), recovered.epoch, recovered.next_lsn,
                              {.file_size_bytes = set.log_file_bytes,
                               .on_synced = [numbers](auto took) { numbers->sync.record(took); }}));
  state->visibility = recovered.state.visibility;
  std::vector<CollectionId> arriving;
  for (const auto& [id, live] : recovered.state.collections)
    if (live->name().empty()) arriving.push_back(id);
  state->epoch = recovered.epoch;
  recovered.state.published_security = set.security;
  const bool background = set.background == NodeOptions::Background::kOn;
  State* raw = state.get();
  state->writer = std::make_unique<log::Writer>(
      std::move(recovered.state), std::move(log), recovered.last_time_us,
      log::WriterOptions{.seal_bytes = set.seal_bytes,
                         .seal_rows = set.seal_rows,
                         .frozen_max = background ? log::WriterOptions().frozen_max : 0,
                         .on_frozen =
                             [raw] {
                               if (Background* target = raw->wake_target.load()) target->wake();
                             },
                         .on_no_space = [raw] { return raw->disk->release(); },
                         .numbers = std::move(numbers)});
  // A collection that was on its way when the last node ended never arrives.
  for (const CollectionId id : arriving)
    state->writer->submit(log::AbandonArrival{id}, [](const auto& /*outcome*/) {});
  state->publisher = std::make_unique<Publisher>(*state->store, *state->writer, state->epoch,
                                                 std::move(recovered.security_in_file));
  // What the log holds beyond it a restore would forget. The start does not hang on it: the log
  // stays until it is written.
  if (const Status written = state->publisher->checkpoint_security(); !written)
    log_no_checkpoint(written.error());
  state->housekeeper = std::make_unique<Housekeeper>(
      *state->store, *state->writer, *state->publisher,
      HousekeeperOptions{.index_threads = set.index_threads, .zstd_level = set.zstd_level});
  state->maintenance = std::make_unique<Maintenance>(
      *state->store, *state->writer, *state->publisher, *state->housekeeper, state->visibility);
  if (background) {
    state->background =
        std::make_unique<Background>(*state->writer, *state->publisher, *state->housekeeper,
                                     *state->disk, *state->memory, state->visibility, set);
    state->wake_target = state->background.get();
  }
  return std::unique_ptr<Node>(new Node(std::move(state)));
}

Node::~Node() {
  state_->stop();
  // The visibility holds the catalog, the catalog the collections, and each of them the visibility.
  auto catalog = std::make_shared<const collection::Catalog>();
  MutexLock lock(state_->visibility->mutex);
  state_->visibility->catalog.swap(catalog);
}

Result<std::shared_ptr<const Cut>> Node::cut() {
  auto cut = try_to_cut();
  state_->drops.release(*state_->writer);
  return cut;
}

Result<std::shared_ptr<const Cut>> Node::try_to_cut() {
  for (int attempt = 0; attempt < kCutAttempts; ++attempt) {
    if (attempt == kCutAttemptsUnheld) state_->drops.hold();
    VZ_TRY_ASSIGN(auto files, CutFiles::make(state_->store->env(), state_->store->paths()));
    CutCollector collector(*files);
    VZ_TRY(state_->publisher->begin_cut(collector));
    Status sealed;
    for (const auto& live : collector.collections()) {
      while (sealed && collector.awaits(live->id())) {
        const auto more = state_->housekeeper->seal_oldest(*live);
        if (!more) sealed = tl::unexpected<Error>(more.error());
        if (more && !*more) break;  // It was dropped.
      }
    }
    auto contents = state_->publisher->end_cut(collector);
    VZ_TRY(sealed);
    VZ_TRY(collector.status());
    VZ_TRY(contents);
    if (!collector.complete()) continue;
    return std::make_shared<const Cut>(std::move(files), *std::move(contents), collector.lsn());
  }
  return fail(ErrorCode::kUnavailable,
              "collections were dropped while they were sealed for a snapshot, " +
                  std::to_string(kCutAttempts) + " times: try again");
}

Status Node::checkpoint_security() {
  return state_->publisher->checkpoint_security();
}

void Node::retire() {
  state_->stop();
  if (const Status written = state_->publisher->checkpoint_security(); !written)
    log_no_checkpoint(written.error());
  state_->publisher->release();
  state_->store->release();
  state_->retired = true;
}

void Node::avoid_names_of(const manifest::Manifest& arriving) {
  state_->publisher->avoid_names_of(arriving);
}

Status Node::close() {
  state_->stop();
  if (state_->retired) return {};  // Not ours any more.
  if (state_->writer->poisoned())
    return fail(ErrorCode::kIoError, "the log has failed: " + state_->writer->poison_reason());
  state_->freeze_all();
  const auto end = [this]() -> Status {
    VZ_TRY(state_->seal_all());
    return state_->publisher->publish_clean();
  };
  Status ended = end();
  if (!ended && ended.error().code == ErrorCode::kNoSpace && state_->disk->release()) ended = end();
  return ended;
}

std::shared_ptr<const collection::Reader> Node::find(std::string_view name) const {
  return state_->catalog()->find(name);
}

std::vector<std::shared_ptr<const collection::Reader>> Node::collections() const {
  std::vector<std::shared_ptr<const collection::Reader>> out;
  const auto catalog = state_->catalog();
  for (const auto& [name, live] : catalog->collections) out.push_back(live);
  return out;
}

std::vector<AliasInfo> Node::aliases() const {
  const auto catalog = state_->catalog();
  std::vector<AliasInfo> out;
  for (const auto& [alias, id] : catalog->aliases)
    if (const auto live = catalog->by_id(id)) out.push_back({alias, live->name()});
  return out;
}

void Node::submit(log::WriteRequest request, log::WriteCallback done) {
  if (log::grows_data(request)) {
    Status room = state_->disk->admit_growth();
    if (room) room = state_->memory->admit_write();
    if (!room) return done(tl::unexpected<Error>(room.error()));
  }
  if (std::holds_alternative<log::DropCollection>(request) && state_->drops.keeps(request, done))
    return;
  state_->writer->submit(std::move(request), std::move(done));
}

Result<log::WriteOutcome> Node::change_security(security::Request request) {
  VZ_TRY_ASSIGN(const log::WriteOutcome outcome,
                log::write_and_wait(*state_->writer, log::SecurityWrite{std::move(request)}));
  if (const Status written = state_->publisher->checkpoint_security(); !written)
    return while_doing(written.error(), "the change is in force, but not in security.json");
  return outcome;
}

Maintenance& Node::maintenance() const {
  return *state_->maintenance;
}

Lsn Node::visible_lsn() const {
  MutexLock lock(state_->visibility->mutex);
  return state_->visibility->lsn;
}

Epoch Node::epoch() const {
  return state_->epoch;
}
const std::string& Node::node_id() const {
  return state_->store->identity().node_id;
}
bool Node::poisoned() const {
  return state_->writer->poisoned();
}

std::vector<HealthCheck> Node::health() const {
  std::vector<HealthCheck> checks;
  const std::string reason = state_->writer->poison_reason();
  checks.push_back({.name = "log",
                    .healthy = reason.empty(),
                    .detail = reason.empty() ? "durable" : "a sync has failed: " + reason,
                    .ready = reason.empty()});
  std::string damage;
  const auto catalog = state_->catalog();
  for (const auto& [name, live] : catalog->collections)
    if (const auto stats = live->stats(); !stats.damage.empty())
      damage += (damage.empty() ? "" : "; ") + name + ": " + stats.damage;
  checks.push_back(
      {.name = "segments",
       .healthy = damage.empty(),
       .detail = damage.empty() ? "no damage met" : "out of service, corrupt: " + damage});
  const Status room = state_->disk->admit_growth();
  checks.push_back({.name = "disk",
                    .healthy = room.has_value(),
                    .detail = room
                                  ? std::to_string(state_->disk->space().free_bytes) + " bytes free"
                                  : room.error().message});
  const Status memory = state_->memory->admit_write();
  checks.push_back({.name = "memory",
                    .healthy = memory.has_value(),
                    .detail = memory
                                  ? std::to_string(state_->memory->usage_bytes()) + " bytes of " +
                                        std::to_string(state_->memory->limit_bytes())
                                  : memory.error().message});
  return checks;
}

Status Node::admit_search() const {
  return state_->memory->admit_search();
}

NodeNumbers Node::numbers() const {
  const log::WriterNumbers& writer = state_->writer->numbers();
  return {.log_bytes = state_->writer->log_bytes(),
          .writes_waiting = state_->writer->queue_size(),
          .log_sync = writer.sync.snapshot(),
          .insert = writer.insert.snapshot(),
          .inserts_failed = writer.inserts_failed.load(std::memory_order_relaxed),
          .index_errors = (state_->background ? state_->background->index_errors() : 0) +
                          state_->maintenance->damaged_indexes(),
          .memory_bytes = state_->memory->usage_bytes(),
          .memory_limit_bytes = state_->memory->limit_bytes(),
          .disk = state_->disk->space()};
}

Status Node::seal() {
  state_->freeze_all();
  return state_->seal_all();
}

Status Node::merge() {
  const auto catalog = state_->catalog();
  for (const auto& [name, live] : catalog->collections) {
    for (bool more = true; more;) {
      VZ_TRY_ASSIGN(more, state_->housekeeper->merge_next(*live, collection::Activity::kQuiet, {}));
    }
  }
  return state_->publisher->publish_catalog();
}

Status Node::settle() {
  VZ_TRY(seal());
  return merge();
}

}  // namespace vz::node
