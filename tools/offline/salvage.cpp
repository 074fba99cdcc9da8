// The plan of a repair says which rows are right and which are dead; they are written from where
// they lie, with the records of the log laid over them.
#include "tools/offline/salvage.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/collection/definition.h"
#include "storage/format/catalog_record.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/layout.h"
#include "tools/offline/log_overlay.h"
#include "tools/offline/point_line.h"
#include "tools/offline/repair_plan.h"
#include "tools/offline/segment_rows.h"

namespace vz::offline {
namespace {

using collection::ColumnVector;
using segment::Segment;

/// Mapped pages are let go of after so many bytes of rows.
constexpr std::uint64_t kForgetBytes = 32u << 20;

std::vector<segment::VectorColumn> columns_of(std::string_view definition_json) {
  const auto definition = collection::definition_from_json(definition_json);
  if (!definition) return {};
  return collection::columns_of(*definition);
}

/// The rows of one segment that live, whole or damaged.
struct Source {
  // Sound:
  std::unique_ptr<Segment> segment{};
  std::vector<bool> dead{};
  // Damaged:
  std::unique_ptr<SegmentRows> rows{};
  const std::vector<KeptRow>* kept = nullptr;

  [[nodiscard]] std::uint32_t count() const {
    if (segment != nullptr) return segment->row_count();
    return kept != nullptr ? static_cast<std::uint32_t>(kept->size()) : 0;
  }
  [[nodiscard]] bool lives(std::uint32_t i) const { return segment == nullptr || !dead[i]; }
  [[nodiscard]] PointId id(std::uint32_t i) const {
    return segment != nullptr ? segment->id(i) : (*kept)[i].id;
  }
  [[nodiscard]] Lsn version(std::uint32_t i) const {
    return segment != nullptr ? segment->version(i) : (*kept)[i].version;
  }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column, std::uint32_t i) const {
    return segment != nullptr ? segment->vector(column, i) : rows->vector(column, (*kept)[i].row);
  }
  [[nodiscard]] Result<std::string> payload(std::uint32_t i) const {
    if (segment != nullptr) return segment->payload(i);
    VZ_TRY_ASSIGN(const std::string_view text, rows->payload((*kept)[i].row));
    return std::string(text);
  }
  [[nodiscard]] std::optional<std::uint32_t> find(const PointId& id) const {
    if (segment != nullptr) {
      const auto row = segment->find(id);
      return row && lives(*row) ? row : std::nullopt;
    }
    if (kept == nullptr) return std::nullopt;
    const auto at =
        std::lower_bound(kept->begin(), kept->end(), id,
                         [](const KeptRow& row, const PointId& wanted) { return row.id < wanted; });
    if (at == kept->end() || at->id != id) return std::nullopt;
    return static_cast<std::uint32_t>(at - kept->begin());
  }
  [[nodiscard]] std::size_t columns() const {
    if (segment != nullptr) return segment->footer().columns.size();
    return rows != nullptr ? rows->footer().columns.size() : 0;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    return segment != nullptr ? segment->file().file_size() : rows != nullptr ? rows->bytes() : 0;
  }
  void forget() const {
    if (segment != nullptr) segment->file().forget();
    if (rows != nullptr) rows->forget();
  }
};

struct SalvagedState {
  SalvagedCollection report{};
  Lsn flushed_lsn = 0;
  std::vector<segment::VectorColumn> columns{};
  std::vector<Source> sources{};
};

class Salvage {
 public:
  Salvage(Env& env, const store::Paths& paths, const SalvageOptions& options)
      : env_(env), paths_(paths), options_(options) {}

  Result<SalvageReport> run() {
    RepairOptions repair{.threads = options_.threads, .progress = options_.progress};
    VZ_TRY_ASSIGN(plan_, plan_repair(env_, paths_, repair));
    out_.records = plan_.report.records;
    out_.notes = plan_.report.notes;
    for (const manifest::CollectionEntry& entry : plan_.image.collections)
      VZ_TRY(open_collection(entry));
    VZ_TRY(follow_catalog());
    const std::uint64_t passes = 1 + log_bytes_ / std::max<std::uint64_t>(1, options_.memory_bytes);
    for (std::uint64_t pass = 0; pass < passes; ++pass) VZ_TRY(write_pass(pass, passes));
    for (auto& [id, state] : states_) {
      out_.points += state.report.points;
      out_.collections.push_back(std::move(state.report));
    }
    VZ_TRY(options_.write(summary()));
    return std::move(out_);
  }

 private:
  Status open_collection(const manifest::CollectionEntry& entry) {
    SalvagedState& state = states_[entry.id];
    state.report.name = entry.name;
    state.flushed_lsn = entry.flushed_lsn;
    state.columns = columns_of(entry.definition_json);
    const auto repaired =
        std::find_if(plan_.collections.begin(), plan_.collections.end(),
                     [&](const CollectionRepair& repair) { return repair.entry.id == entry.id; });
    if (repaired == plan_.collections.end()) {
      for (const manifest::SegmentEntry& segment : entry.segments)
        VZ_TRY(open_sound(entry.id, segment, nullptr, state));
      return {};
    }
    state.report.points_gone = repaired->lost.gone_count();
    state.flushed_lsn = repaired->entry.flushed_lsn;
    for (const SegmentWork& work : repaired->segments) {
      if (!work.remade) {
        VZ_TRY(open_sound(entry.id, work.entry, work.dead ? &*work.dead : nullptr, state));
      } else if (!work.rows.empty()) {
        Source& source = state.sources.emplace_back();
        VZ_TRY_ASSIGN(source.rows, SegmentRows::open(env_, work.source));
        source.kept = &work.rows;
      }
    }
    return {};
  }

  Status open_sound(CollectionId id, const manifest::SegmentEntry& entry,
                    const std::vector<std::uint32_t>* dead, SalvagedState& state) {
    Source& source = state.sources.emplace_back();
    VZ_TRY_ASSIGN(source.segment, Segment::open(env_, paths_.seg(id, entry.epoch, entry.seq)));
    source.dead.resize(source.segment->row_count());
    std::vector<std::uint32_t> listed;
    if (dead == nullptr && entry.dead) {
      VZ_TRY_ASSIGN(auto read, segment::read_dead_rows(env_, paths_.dead(id, entry.epoch, entry.seq,
                                                                         entry.dead->number)));
      listed = std::move(read.rows);
    }
    for (const std::uint32_t row : dead != nullptr ? *dead : listed)
      if (row < source.dead.size()) source.dead[row] = true;
    return {};
  }

  /// Collections that only the log knows, or that it drops; and how much it holds.
  Status follow_catalog() {
    return each_record([&](const format::WalRecord& record) -> Status {
      log_bytes_ += record.payload.size();
      if (record.lsn <= plan_.image.catalog_lsn) return {};
      if (record.kind == format::WalRecordKind::kCreateCollection) {
        VZ_TRY_ASSIGN(const auto create, format::decode_create_collection(record.payload));
        SalvagedState& state = states_[record.lsn];
        state.report.name = create.name;
        state.flushed_lsn = record.lsn;
        state.columns = columns_of(create.definition);
      } else if (record.kind == format::WalRecordKind::kDropCollection) {
        states_.erase(record.collection);
      }
      return {};
    });
  }

  Status each_record(const wal::RecordVisitor& visitor) {
    return each_kept_record(env_, paths_, plan_.image.log_lsn, plan_.log, visitor);
  }

  Status write_pass(std::uint64_t pass, std::uint64_t passes) {
    const auto wanted = [=](const PointId& id) { return PointIdHash{}(id) % passes == pass; };
    std::map<CollectionId, LogOverlay> overlays;
    for (auto& [id, state] : states_) {
      const auto base = [this, &state = state](const PointId& point) {
        return read_base(state, point);
      };
      overlays.emplace(id, LogOverlay(base, wanted));
    }
    VZ_TRY(each_record([&](const format::WalRecord& record) -> Status {
      const auto at = overlays.find(record.collection);
      if (at == overlays.end() || record.kind != format::WalRecordKind::kPoints ||
          record.lsn <= states_[record.collection].flushed_lsn)
        return {};
      VZ_TRY_ASSIGN(const auto operations, format::decode_points(record.payload));
      return at->second.apply(record.lsn, operations);
    }));
    for (auto& [id, state] : states_) {
      const LogOverlay& overlay = overlays.at(id);
      for (const Source& source : state.sources)
        VZ_TRY(write_source(state, source, [&](const PointId& point) {
          return wanted(point) && !overlay.covers(point);
        }));
      for (const auto& [point, row] : overlay.rows())
        if (row) VZ_TRY(write_point(state, point, row->version, row->columns(), row->payload));
    }
    return {};
  }

  Result<std::optional<OwnedRow>> read_base(const SalvagedState& state, const PointId& id) const {
    for (const Source& source : state.sources) {
      const auto row = source.find(id);
      if (!row) continue;
      OwnedRow out{.version = source.version(*row)};
      VZ_TRY_ASSIGN(out.payload, source.payload(*row));
      for (std::size_t column = 0; column < source.columns(); ++column) {
        VZ_TRY_ASSIGN(const auto vector, source.vector(column, *row));
        if (!vector) continue;
        out.vectors.push_back({column,
                               {vector->values.begin(), vector->values.end()},
                               {vector->indices.begin(), vector->indices.end()}});
      }
      return std::optional(std::move(out));
    }
    return std::optional<OwnedRow>();
  }

  template <typename Wanted>
  Status write_source(SalvagedState& state, const Source& source, const Wanted& wanted) {
    const std::uint64_t row_bytes = source.bytes() / std::max<std::uint32_t>(1, source.count());
    std::uint64_t mapped = 0;
    for (std::uint32_t row = 0; row < source.count(); ++row) {
      mapped += row_bytes;
      if (mapped > kForgetBytes) {
        source.forget();
        mapped = 0;
      }
      const PointId id = source.id(row);
      if (!source.lives(row) || !wanted(id)) continue;
      std::vector<ColumnVector> vectors;
      for (std::size_t column = 0; column < source.columns(); ++column) {
        VZ_TRY_ASSIGN(const auto vector, source.vector(column, row));
        if (vector) vectors.push_back({column, *vector});
      }
      VZ_TRY_ASSIGN(const std::string payload, source.payload(row));
      VZ_TRY(write_point(state, id, source.version(row), vectors, payload));
    }
    source.forget();
    return {};
  }

  Status write_point(SalvagedState& state, const PointId& id, Lsn version,
                     const std::vector<ColumnVector>& vectors, std::string_view payload) {
    ++state.report.points;
    return options_.write(line_of({.collection = state.report.name,
                                   .id = id,
                                   .version = version,
                                   .columns = state.columns,
                                   .vectors = vectors,
                                   .payload = payload}));
  }

  [[nodiscard]] std::string summary() const {
    std::string out =
        fmt::format("{{\"summary\":{{\"points\":{},\"complete\":{},", out_.points, out_.complete());
    out += fmt::format("\"log_records_lost\":{},\"first_lost_lsn\":{},\"last_lost_lsn\":{},",
                       out_.records.records, out_.records.first_lsn, out_.records.last_lsn);
    out += "\"collections\":[";
    for (const SalvagedCollection& one : out_.collections) {
      if (out.back() != '[') out += ',';
      out += fmt::format("{{\"collection\":{},\"points\":{},\"points_gone\":{}}}",
                         json_string(one.name), one.points, one.points_gone);
    }
    return out + "]}}";
  }

  Env& env_;
  const store::Paths& paths_;
  const SalvageOptions& options_;
  RepairPlan plan_;
  std::map<CollectionId, SalvagedState> states_;
  std::uint64_t log_bytes_ = 0;
  SalvageReport out_;
};

}  // namespace

bool SalvageReport::complete() const {
  return records.records == 0 &&
         std::all_of(collections.begin(), collections.end(),
                     [](const SalvagedCollection& one) { return one.points_gone == 0; });
}

Result<SalvageReport> salvage(Env& env, const std::string& directory,
                              const SalvageOptions& options) {
  VZ_ASSERT(options.threads >= 1 && options.threads <= kCheckThreadsMax);
  const store::Paths paths = paths_of(directory);
  check::Findings unused(paths);
  VZ_TRY(read_format(env, paths, unused));
  VZ_TRY_ASSIGN(const auto lock, lock_shared(env, paths));
  VZ_TRY(require_no_swap(env, paths));
  VZ_TRY(require_no_restore(env, paths));
  return Salvage(env, paths, options).run();
}

}  // namespace vz::offline
