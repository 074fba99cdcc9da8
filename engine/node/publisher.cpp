#include "engine/node/publisher.h"

#include <algorithm>
#include <map>

#include "engine/security/security_file.h"
#include "storage/store/restoration.h"

namespace vz::node {
namespace {

using collection::LiveCollection;

Status unchanged(manifest::CollectionEntry& /*entry*/) {
  return {};
}
void nothing() {}

}  // namespace

Garbage garbage_between(const DataFiles& before, const DataFiles& after) {
  Garbage garbage;
  for (const auto& [path, bytes] : after) garbage.bytes_after += bytes;
  for (const auto& [path, bytes] : before) {
    garbage.bytes_before += bytes;
    if (after.contains(path)) continue;
    ++garbage.files_removed;
    garbage.freed_bytes += bytes;
  }
  return garbage;
}

/// The catalog at one durable moment, taken between two groups.
struct Publisher::Capture {
  struct Collection {
    std::shared_ptr<LiveCollection> live;
    std::string name;
    std::string definition_json;
  };
  Lsn lsn = 0;
  std::int64_t time_us = 0;
  std::shared_ptr<const collection::Catalog> catalog;
  std::shared_ptr<const security::State> security;
  std::map<CollectionId, Collection> collections;
};

Publisher::Publisher(store::Store& store, log::Writer& writer, Epoch epoch,
                     std::shared_ptr<const security::State> security_in_file)
    : store_(store),
      writer_(writer),
      epoch_(epoch),
      next_seq_(store.opened_manifest().next_seq),
      next_number_(store.opened_manifest().next_file_number),
      current_(store.opened_manifest()),
      written_security_(std::move(security_in_file)) {}

Status Publisher::write_security(std::shared_ptr<const security::State> security, Lsn lsn) {
  if (security == written_security_) return {};
  VZ_TRY(security::save(store_.env(), store_.paths().root, {.lsn = lsn, .state = *security}));
  written_security_ = std::move(security);
  return {};
}

Status Publisher::checkpoint_security() {
  MutexLock lock(mutex_);
  return checkpoint_locked();
}

Status Publisher::write_security_again() {
  MutexLock lock(mutex_);
  written_security_ = nullptr;
  return checkpoint_locked();
}

Status Publisher::checkpoint_locked() {
  std::shared_ptr<const security::State> security;
  Lsn lsn = 0;
  writer_.run_between_groups([&](const log::NodeState& state) {
    security = state.security;
    lsn = writer_.next_lsn() - 1;
  });
  if (writer_.poisoned())
    return fail(ErrorCode::kUnavailable, "the log has failed: " + writer_.poison_reason());
  if (released_ && security != written_security_)
    return fail(ErrorCode::kUnavailable, "another node has taken this one's place");
  return write_security(std::move(security), lsn);
}

void Publisher::release() {
  MutexLock lock(mutex_);
  released_ = true;
}

collection::PartNumbers Publisher::allocate() {
  return {.epoch = epoch_,
          .seq = next_seq_.fetch_add(1),
          .index = allocate_number(),
          .fields = allocate_number()};
}

void Publisher::avoid_names_of(const manifest::Manifest& arriving) {
  const auto raise = [](std::atomic<std::uint64_t>& value, std::uint64_t to) {
    if (to > store::kNumberMax) return;  // Such a snapshot is refused anyway.
    std::uint64_t now = value.load();
    while (now < to && !value.compare_exchange_weak(now, to)) {
    }
  };
  raise(next_seq_, arriving.next_seq);
  raise(next_number_, arriving.next_file_number);
}

Result<manifest::CollectionEntry> Publisher::entry(CollectionId collection) {
  MutexLock lock(mutex_);
  for (const auto& entry : current_.collections)
    if (entry.id == collection) return entry;
  return fail(ErrorCode::kNotFound, "the manifest has no collection " + std::to_string(collection));
}

Result<Publisher::Pinned> Publisher::pin(CollectionId collection, CutFiles& files) {
  MutexLock lock(mutex_);
  for (const auto& entry : current_.collections) {
    if (entry.id != collection) continue;
    VZ_TRY_ASSIGN(auto missing, files.add_present(entry));
    return Pinned{.entry = entry, .missing = std::move(missing)};
  }
  return fail(ErrorCode::kNotFound, "the manifest has no collection " + std::to_string(collection));
}

Lsn Publisher::log_lsn() {
  MutexLock lock(mutex_);
  return current_.log_lsn;
}

Status Publisher::reread() {
  MutexLock lock(mutex_);
  VZ_TRY_ASSIGN(const auto found, manifest::load(store_.env(), store_.paths().root));
  // A greater one is of a publish that failed after it was in force; the next one replaces it.
  if (found == current_ || found.number > current_.number) return {};
  return fail(ErrorCode::kCorruption,
              "CURRENT: expected " + manifest::file_name(current_.number) +
                  ", found another image: " + manifest::file_name(found.number));
}

Status Publisher::publish_again() {
  MutexLock lock(mutex_);
  return publish_locked(0, unchanged, nothing, End::kOpen);
}

Status Publisher::publish(CollectionId collection, const Edit& edit, const Swap& swap) {
  MutexLock lock(mutex_);
  return publish_locked(collection, edit, swap, End::kOpen);
}

Status Publisher::publish_catalog() {
  std::shared_ptr<const collection::Catalog> catalog;
  writer_.run_between_groups([&](const log::NodeState& state) { catalog = state.catalog; });
  MutexLock lock(mutex_);
  if (catalog == published_catalog_) return {};
  return publish_locked(0, unchanged, nothing, End::kOpen);
}

Status Publisher::remove_old_files(std::chrono::milliseconds quiet) {
  MutexLock lock(mutex_);
  if (old_files_removed_ || std::chrono::steady_clock::now() - published_at_ < quiet) return {};
  old_files_removed_ = true;
  return store_.keeps_old_files() ? publish_locked(0, unchanged, nothing, End::kOpen) : Status();
}

Result<Garbage> Publisher::collect_garbage() {
  MutexLock lock(mutex_);
  VZ_TRY_ASSIGN(const auto before, store_.data_files());
  if (store_.keeps_old_files()) VZ_TRY(publish_locked(0, unchanged, nothing, End::kOpen));
  VZ_TRY(store_.remove_leftovers(store::LeftoverKind::kData));
  VZ_TRY_ASSIGN(const auto after, store_.data_files());
  return garbage_between(before, after);
}

Status Publisher::begin_cut(CutCollector& cut) {
  MutexLock lock(mutex_);
  VZ_ASSERT(cut_ == nullptr);
  // Under our lock no seal can be published between the freeze and the first look.
  writer_.run_between_groups([&](const log::NodeState& state) {
    cut.capture(state, writer_.next_lsn() - 1, writer_.last_time_us());
  });
  if (writer_.poisoned())
    return fail(ErrorCode::kUnavailable, "the log has failed: " + writer_.poison_reason());
  cut.look(current_);
  cut_ = &cut;
  return {};
}

Result<store::SnapshotContents> Publisher::end_cut(CutCollector& cut) {
  MutexLock lock(mutex_);
  cut_ = nullptr;
  manifest::Manifest image = cut.image(current_);
  image.next_seq = next_seq_.load();
  image.next_file_number = next_number_.load();
  return store::make_contents(std::move(image));
}

Status Publisher::publish_clean() {
  MutexLock lock(mutex_);
  return publish_locked(0, unchanged, nothing, End::kClean);
}

Status Publisher::publish_locked(CollectionId collection, const Edit& edit, const Swap& swap,
                                 End end) {
  Capture now;
  writer_.run_between_groups([&](const log::NodeState& state) {
    now.lsn = writer_.next_lsn() - 1;
    now.time_us = writer_.last_time_us();
    now.catalog = state.catalog;
    now.security = state.security;
    for (const auto& [id, live] : state.collections)
      now.collections[id] = {live, live->name(), to_json(*live->definition())};
  });
  if (writer_.poisoned())
    return fail(ErrorCode::kUnavailable, "the log has failed: " + writer_.poison_reason());
  if (collection != 0 && !now.collections.contains(collection))
    return fail(ErrorCode::kNotFound, "the collection was dropped meanwhile");

  VZ_TRY(write_security(now.security, now.lsn));  // Before the log that holds it may go.
  manifest::Manifest next = current_;
  ++next.number;
  next.catalog_lsn = now.lsn;
  next.time_us = std::max(next.time_us, now.time_us);
  next.collections.clear();
  for (const auto& [id, captured] : now.collections) {
    const auto old = std::find_if(current_.collections.begin(), current_.collections.end(),
                                  [id = id](const auto& entry) { return entry.id == id; });
    manifest::CollectionEntry& entry = next.collections.emplace_back();
    if (old != current_.collections.end()) {
      entry = *old;
    } else {
      entry = entry_of_new(*captured.live);
    }
    entry.name = captured.name;
    entry.definition_json = captured.definition_json;
    if (id == collection) VZ_TRY(edit(entry));
  }
  next.aliases.clear();
  for (const auto& [name, target] : now.catalog->aliases) next.aliases.push_back({name, target});

  next.log_lsn = now.lsn + 1;
  for (const auto& entry : next.collections) {
    const Lsn first = now.collections.at(entry.id).live->first_unflushed_lsn(entry.flushed_lsn);
    if (first != 0) next.log_lsn = std::min(next.log_lsn, first);
  }
  next.next_seq = next_seq_.load();
  next.next_file_number = next_number_.load();
  if (end == End::kClean) next.clean_lsn = now.lsn;

  VZ_TRY(store_.publish(next));
  current_ = std::move(next);
  if (cut_ != nullptr) cut_->look(current_);
  published_catalog_ = std::move(now.catalog);
  published_at_ = std::chrono::steady_clock::now();
  old_files_removed_ = false;
  writer_.run_between_groups([&](const log::NodeState&) { swap(); });
  return writer_.remove_log_below(current_.log_lsn);
}

}  // namespace vz::node
