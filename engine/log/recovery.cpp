#include "engine/log/recovery.h"

#include <algorithm>

#include "engine/log/apply.h"
#include "engine/security/security_file.h"
#include "storage/base/log.h"
#include "storage/wal/log.h"

namespace vz::log {
namespace {

using collection::LiveCollection;
using collection::SealedPart;

Result<std::shared_ptr<LiveCollection>> open_part_by_part(
    Env& env, const store::Paths& paths, const manifest::CollectionEntry& entry,
    const std::shared_ptr<collection::Visibility>& visibility, LoadProgress& progress) {
  VZ_TRY_ASSIGN(auto definition, collection::definition_from_json(entry.definition_json));
  std::vector<std::shared_ptr<SealedPart>> segments;
  for (const manifest::SegmentEntry& segment : entry.segments) {
    VZ_TRY_ASSIGN(auto part, SealedPart::open(env, paths, entry.id, segment, definition));
    segments.push_back(std::move(part));
    progress.segments.fetch_add(1, std::memory_order_relaxed);
  }
  if (std::any_of(segments.begin(), segments.end(),
                  [](const auto& part) { return part->deaths_lost(); }))
    collection::recover_deaths(segments);
  return std::make_shared<LiveCollection>(
      visibility,
      LiveCollection::Start{.id = entry.id,
                            .name = entry.name,
                            .definition = std::make_shared<const collection::CollectionDefinition>(
                                std::move(definition)),
                            .created_at_us = entry.created_at_us,
                            .updated_at_us = entry.updated_at_us,
                            .points = entry.points,
                            .digest = entry.digest,
                            .segments = std::move(segments)});
}

/// What lies ahead of the start.
void expect(store::Store& store, LoadProgress& progress) {
  progress.reset();
  for (const manifest::CollectionEntry& entry : store.opened_manifest().collections)
    progress.segments_total.fetch_add(entry.segments.size(), std::memory_order_relaxed);
  const auto files = store.env().list(store.paths().wal());
  if (!files) return;  // The replay says so.
  for (const DirectoryEntry& file : *files)
    if (!file.name.starts_with("spare-"))
      progress.log_bytes_total.fetch_add(file.size_bytes, std::memory_order_relaxed);
}

Status open_files(store::Store& store, Recovered& out, LoadProgress& progress) {
  const manifest::Manifest& image = store.opened_manifest();
  auto catalog = std::make_shared<collection::Catalog>();
  for (const manifest::CollectionEntry& entry : image.collections) {
    auto opened =
        open_part_by_part(store.env(), store.paths(), entry, out.state.visibility, progress);
    if (!opened) return while_doing(opened.error(), "opening collection '" + entry.name + "'");
    if (!entry.name.empty()) catalog->collections[entry.name] = *opened;  // Else it arrives.
    out.state.collections[entry.id] = std::move(*opened);
    out.state.flushed_lsn[entry.id] = entry.flushed_lsn;
    out.next_lsn = std::max(out.next_lsn, entry.flushed_lsn + 1);
  }
  for (const manifest::Alias& alias : image.aliases)
    catalog->aliases[alias.name] = alias.collection;
  out.state.catalog = std::move(catalog);
  out.state.catalog_lsn = image.catalog_lsn;
  VZ_TRY_ASSIGN(auto security, security::load(store.env(), store.paths().root));
  out.state.security = std::make_shared<const security::State>(std::move(security.state));
  out.state.security_lsn = security.lsn;
  out.security_in_file = out.state.security;
  out.next_lsn =
      std::max({out.next_lsn, image.catalog_lsn + 1, image.clean_lsn + 1, image.log_lsn});
  if (!image.epochs.empty()) {
    out.epoch = image.epochs.back().epoch;
    out.next_lsn = std::max(out.next_lsn, image.epochs.back().first_lsn);
  }
  out.last_time_us = image.time_us;
  return {};
}

}  // namespace

Result<std::shared_ptr<LiveCollection>> open_collection(Env& env, const store::Paths& paths,
                                                        const manifest::CollectionEntry& entry) {
  LoadProgress unseen;
  auto opened =
      open_part_by_part(env, paths, entry, std::make_shared<collection::Visibility>(), unseen);
  if (!opened) return while_doing(opened.error(), "opening collection '" + entry.name + "'");
  return opened;
}

Status check_openable(Env& env, const store::Paths& paths, const manifest::Manifest& image) {
  for (const manifest::CollectionEntry& entry : image.collections)
    VZ_TRY(open_collection(env, paths, entry));
  return {};
}

Result<Recovered> recover(store::Store& store, const RecoveryOptions& options) {
  Recovered out;
  LoadProgress unseen;
  LoadProgress& progress = options.progress != nullptr ? *options.progress : unseen;
  expect(store, progress);
  VZ_TRY(open_files(store, out, progress));

  const manifest::Manifest& image = store.opened_manifest();
  const auto fold = [&](const format::WalRecord& record) -> Status {
    VZ_TRY(apply(record, out.state));
    progress.records.fetch_add(1, std::memory_order_relaxed);
    progress.log_bytes.fetch_add(record.payload.size() + format::kWalRecordHeaderSize,
                                 std::memory_order_relaxed);
    const auto touched = out.state.collections.find(record.collection);
    if (touched == out.state.collections.end()) return {};
    LiveCollection& collection = *touched->second;
    const auto& active = collection.active();
    if (active.rows() + active.tombstones().size() >= options.seal_rows ||
        active.bytes() >= options.seal_bytes || active.full())
      collection.freeze(record.lsn);
    return {};
  };
  VZ_TRY_ASSIGN(const auto replayed, wal::replay(store.env(), store.paths().wal(), image.log_lsn,
                                                 manifest::durable_lsn(image), fold));
  if (replayed.torn_tail) {
    const wal::TornTail& tail = *replayed.torn_tail;
    const std::string keep = wal::torn_tail_path(store.paths().quarantine(), tail);
    VZ_TRY(wal::cut_torn_tail(store.env(), tail, keep));
    LogEvent(LogLevel::kWarn, "torn_tail_cut")
        .with("path", tail.path)
        .with("offset", tail.offset)
        .with("size_bytes", tail.size)
        .with("lsn", tail.lsn)
        .with("kept", keep);
  }
  out.next_lsn = std::max(out.next_lsn, replayed.last_lsn + 1);
  if (out.state.security_lsn >= out.next_lsn) out.security_in_file = nullptr;
  // It told the records that the file holds from those that it does not; what comes now it does
  // not, though the file be of another directory, whose log was longer.
  out.state.security_lsn = std::min(out.state.security_lsn, out.next_lsn - 1);
  out.epoch = std::max(out.epoch, replayed.last_epoch);
  out.last_time_us = std::max(out.last_time_us, replayed.last_time_us);
  LogEvent(LogLevel::kInfo, "recovered")
      .with("collections", out.state.collections.size())
      .with("records", replayed.records)
      .with("next_lsn", out.next_lsn);
  return out;
}

}  // namespace vz::log
