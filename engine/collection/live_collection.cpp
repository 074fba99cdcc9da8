#include "engine/collection/live_collection.h"

#include <algorithm>
#include <chrono>

#include "storage/segment/checksum_errors.h"

namespace vz::collection {
namespace {

std::uint64_t next_instance() {
  static std::atomic<std::uint64_t> made{0};
  return made.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

std::shared_ptr<LiveCollection> Catalog::by_id(CollectionId id) const {
  for (const auto& [name, collection] : collections)
    if (collection->id() == id) return collection;
  return nullptr;
}

std::shared_ptr<LiveCollection> Catalog::find(std::string_view name) const {
  if (const auto found = collections.find(name); found != collections.end()) return found->second;
  const auto alias = aliases.find(name);
  return alias == aliases.end() ? nullptr : by_id(alias->second);
}

LiveCollection::LiveCollection(std::shared_ptr<Visibility> visibility, Start start)
    : visibility_(std::move(visibility)),
      instance_(next_instance()),
      id_(start.id),
      first_name_(std::move(start.name)),
      shown_name_(&first_name_),
      created_at_us_(start.created_at_us),
      definition_(start.definition),
      updated_at_us_(start.updated_at_us),
      points_(start.points),
      digest_(start.digest) {
  auto parts = std::make_shared<Parts>();
  parts->segments = std::move(start.segments);
  parts->active = std::make_shared<Memtable>(start.definition);
  parts_ = std::move(parts);
}

void LiveCollection::set_parts(std::shared_ptr<const Parts> parts) {
  {
    MutexLock lock(visibility_->mutex);
    parts_.swap(parts);
    ++layout_;
  }
  // The old parts, perhaps the last reference to a memtable, are freed outside the lock.
}

View LiveCollection::view() const {
  MutexLock lock(visibility_->mutex);
  return {parts_, visibility_->lsn};
}

std::optional<ContentVersion> LiveCollection::content_version() const {
  MutexLock lock(visibility_->mutex);
  const Lsn written = written_lsn_.load(std::memory_order_relaxed);
  if (written > visibility_->lsn) return std::nullopt;
  return ContentVersion{.collection = instance_,
                        .written_lsn = written,
                        .layout = layout_,
                        .checksum_errors = segment::checksum_errors()};
}

void LiveCollection::part_changed() {
  MutexLock lock(visibility_->mutex);
  ++layout_;
}

void LiveCollection::define(Lsn lsn, std::shared_ptr<const CollectionDefinition> definition) {
  // In this order: whoever reads by the new definition and asks for the version then sees the lsn.
  written_lsn_.store(lsn, std::memory_order_relaxed);
  definition_.store(std::move(definition));
}

const Memtable& LiveCollection::active() const {
  return *parts_->active;
}

std::optional<RowLocation> LiveCollection::find_live(const PointId& id) const {
  std::optional<RowLocation> found;
  parts_->for_each([&](Part& part) {
    if (found) return;
    if (const auto row = part.find(id, kLsnMax)) found = RowLocation{&part, *row};
  });
  return found;
}

Result<std::vector<PointId>> LiveCollection::find_matching(const payload::Filter& filter,
                                                           std::size_t limit) const {
  std::vector<PointId> ids;
  Status status;
  parts_->for_each([&](Part& part) {
    if (!status || ids.size() > limit) return;
    payload::EvaluateStats stats;
    const auto rows = part.evaluate(filter, kLsnMax, stats);
    if (!rows) {
      status = tl::unexpected<Error>(rows.error());
      return;
    }
    for (std::uint32_t row = 0; row < rows->rows() && ids.size() <= limit; ++row)
      if (rows->contains(row) && part.alive(row, kLsnMax)) ids.push_back(part.id(row));
    if (const std::string damage = part.damage(); !damage.empty())
      status = fail(ErrorCode::kCorruption, damage);
  });
  VZ_TRY(std::move(status));
  std::sort(ids.begin(), ids.end());
  return ids;
}

void LiveCollection::kill(const RowLocation& location, Lsn lsn) {
  digest_.fetch_sub(location.part->row_hash(location.row), std::memory_order_relaxed);
  location.part->dead().mark(location.row, lsn);
  points_.fetch_sub(1, std::memory_order_relaxed);
}

void LiveCollection::put(const PointId& id, Lsn lsn, std::span<const ColumnVector> vectors,
                         std::string_view payload) {
  if (const auto old = find_live(id)) kill(*old, lsn);
  const std::uint64_t hash = row_hash(id, vectors, payload);
  parts_->active->append(id, lsn, hash, vectors, payload);
  points_.fetch_add(1, std::memory_order_relaxed);
  digest_.fetch_add(hash, std::memory_order_relaxed);
}

bool LiveCollection::erase(const PointId& id, Lsn lsn) {
  const auto old = find_live(id);
  if (!old) return false;
  kill(*old, lsn);
  parts_->active->note_delete(id, lsn);
  return true;
}

void LiveCollection::touched(Lsn lsn, std::int64_t time_us) {
  if (active_first_lsn_.load(std::memory_order_relaxed) == 0) active_first_lsn_ = lsn;
  // Before the lsn gets visible, which is when readers may see the rows.
  written_lsn_.store(lsn, std::memory_order_relaxed);
  updated_at_us_.store(time_us, std::memory_order_relaxed);
  last_write_ns_.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                       std::memory_order_relaxed);
}

bool LiveCollection::freeze(Lsn lsn) {
  if (active_first_lsn_.load(std::memory_order_relaxed) == 0) return false;
  auto next = std::make_shared<Parts>(*parts_);
  next->frozen.push_back({.memtable = next->active,
                          .first_lsn = active_first_lsn_.load(std::memory_order_relaxed),
                          .flushed_lsn = lsn,
                          .points = points_.load(std::memory_order_relaxed),
                          .digest = digest_.load(std::memory_order_relaxed),
                          .updated_at_us = updated_at_us_.load(std::memory_order_relaxed)});
  next->active = std::make_shared<Memtable>(definition_.load());
  set_parts(std::move(next));
  active_first_lsn_.store(0, std::memory_order_relaxed);
  return true;
}

void LiveCollection::attach(std::shared_ptr<SealedPart> part, std::uint64_t points,
                            std::uint64_t digest) {
  auto next = std::make_shared<Parts>(*parts_);
  VZ_ASSERT(next->segments.empty() && next->frozen.empty());
  if (part != nullptr) next->segments.push_back(std::move(part));
  points_.store(points, std::memory_order_relaxed);
  digest_.store(digest, std::memory_order_relaxed);
  set_parts(std::move(next));
}

void LiveCollection::give_name(std::string name) {
  VZ_ASSERT(shown_name_.load() == &first_name_ && first_name_.empty());
  given_name_ = std::move(name);
  shown_name_.store(&given_name_, std::memory_order_release);
}

void LiveCollection::replace_frozen(std::shared_ptr<SealedPart> segment,
                                    std::span<const std::uint32_t> order) {
  auto next = std::make_shared<Parts>(*parts_);
  VZ_ASSERT(!next->frozen.empty());
  if (segment != nullptr) {
    const index::DeadLsns& died = next->frozen.front().memtable->dead();
    for (std::uint32_t row = 0; row < order.size(); ++row)
      if (const Lsn lsn = died.get(order[row]); lsn != 0) segment->dead().mark(row, lsn);
    next->segments.push_back(std::move(segment));
  }
  next->frozen.erase(next->frozen.begin());
  set_parts(std::move(next));
}

void LiveCollection::replace_segments(std::span<const std::shared_ptr<SealedPart>> inputs,
                                      std::shared_ptr<SealedPart> output,
                                      std::span<const MergedRow> sources) {
  auto next = std::make_shared<Parts>(*parts_);
  if (output != nullptr) {
    for (std::uint32_t row = 0; row < sources.size(); ++row) {
      const Lsn lsn = inputs[sources[row].input]->dead().get(sources[row].row);
      if (lsn != 0) output->dead().mark(row, lsn);
    }
  }
  auto& segments = next->segments;
  const auto is_input = [&](const std::shared_ptr<SealedPart>& part) {
    return std::find(inputs.begin(), inputs.end(), part) != inputs.end();
  };
  const auto first = std::find_if(segments.begin(), segments.end(), is_input);
  VZ_ASSERT(first != segments.end());
  const auto position = first - segments.begin();
  segments.erase(std::remove_if(first, segments.end(), is_input), segments.end());
  if (output != nullptr) segments.insert(segments.begin() + position, std::move(output));
  set_parts(std::move(next));
}

Lsn LiveCollection::first_unflushed_lsn(Lsn flushed) const {
  MutexLock lock(visibility_->mutex);
  for (const FrozenMemtable& frozen : parts_->frozen)
    if (frozen.flushed_lsn > flushed) return frozen.first_lsn;
  return active_first_lsn_.load(std::memory_order_relaxed);
}

SearchNumbers LiveCollection::search_numbers() const {
  return {.latency = search_latency_.snapshot(),
          .failed = failed_searches_.load(std::memory_order_relaxed)};
}

CollectionStats LiveCollection::stats() const {
  const View view = this->view();
  CollectionStats out;
  out.memory_bytes = sizeof *this;
  std::uint64_t dead = 0;
  std::uint64_t unindexed = 0;
  const auto memtable = [&](const Memtable& table) {
    const std::uint32_t rows = table.rows();
    dead += table.dead().count();
    unindexed += rows - std::min(rows, table.dead().count());
    out.size_bytes += table.bytes();
    out.memory_bytes += table.memory_bytes();
  };
  memtable(*view.parts->active);
  for (const FrozenMemtable& frozen : view.parts->frozen) memtable(*frozen.memtable);
  if (unindexed < index::kGraphRowsMin) unindexed = 0;  // Their exact scan is the index.
  for (const auto& segment : view.parts->segments) {
    dead += segment->dead().count();
    if (!segment->settled()) unindexed += segment->live_rows();
    out.size_bytes += segment->file_bytes();
    out.memory_bytes += segment->memory_bytes();
    if (const std::string damage = segment->damage(); !damage.empty()) out.damage = damage;
  }
  out.points = points_.load(std::memory_order_relaxed);
  out.deleted_points = dead;
  out.indexed_points = out.points - std::min(out.points, unindexed);
  out.segments = view.parts->segments.size();
  const auto latency = search_latency_.snapshot();
  out.searches = latency.count;
  out.evaluations = evaluations_.load(std::memory_order_relaxed);
  out.avg_search_ms = latency.mean_ns * 1e-6;
  out.p50_search_ms = latency.quantile_ns(0.5) * 1e-6;
  out.p99_search_ms = latency.quantile_ns(0.99) * 1e-6;
  out.created_at_us = created_at_us_;
  out.updated_at_us = updated_at_us_.load(std::memory_order_relaxed);
  out.status = !out.damage.empty() ? "red" : unindexed > 0 ? "yellow" : "green";
  return out;
}

}  // namespace vz::collection
