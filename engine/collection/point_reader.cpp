// Reads by id, in order and by count.
#include "engine/collection/point_reader.h"

#include <algorithm>

namespace vz::collection {
namespace {

Status sound(const Part& part) {
  if (const std::string damage = part.damage(); !damage.empty())
    return fail(ErrorCode::kCorruption, damage);
  return {};
}

/// Rows of the set that live at `lsn`.
std::uint64_t alive_among(const Part& part, const index::RowSet& passing, Lsn lsn) {
  std::uint64_t alive = 0;
  for (std::uint32_t row = 0; row < passing.rows(); ++row)
    if (passing.contains(row) && !part.dead().dead_at(row, lsn)) ++alive;
  return alive;
}

bool selected(const VectorSelection& selection, const std::string& name) {
  switch (selection.mode) {
    case VectorSelection::Mode::kNone:
      return false;
    case VectorSelection::Mode::kAll:
      return true;
    case VectorSelection::Mode::kNamed:
      return std::find(selection.names.begin(), selection.names.end(), name) !=
             selection.names.end();
  }
  return false;
}

}  // namespace

Result<ReadLocation> locate(const View& view, const PointId& id) {
  ReadLocation found;
  Status status;
  view.parts->for_each([&](const Part& part) {
    if (found.part != nullptr || !status) return;
    if (const auto row = part.find(id, view.lsn)) found = {&part, *row};
    status = sound(part);
  });
  VZ_TRY(std::move(status));
  return found;
}

Result<Record> read_point(const Part& part, std::uint32_t row,
                          const CollectionDefinition& definition, const PointSelection& selection) {
  Record record{.id = part.id(row), .version = part.version(row)};
  if (selection.payload.mode != payload::Selection::Mode::kNone) {
    VZ_TRY_ASSIGN(record.payload, part.payload(row));
    if (selection.payload.mode != payload::Selection::Mode::kAll)
      record.payload = payload::select(record.payload, selection.payload);
  }
  for (std::size_t column = 0; column < definition.vectors.size(); ++column) {
    const VectorDefinition& vector = definition.vectors[column];
    if (!selected(selection.vectors, vector.name)) continue;
    VZ_TRY_ASSIGN(const auto value, part.vector(column, row));
    if (!value) continue;
    record.vectors.push_back({.name = vector.name,
                              .kind = vector.kind,
                              .dimension = vector.size,
                              .values = {value->values.begin(), value->values.end()},
                              .indices = {value->indices.begin(), value->indices.end()}});
  }
  VZ_TRY(sound(part));
  return record;
}

Result<std::vector<Record>> LiveCollection::get(std::span<const PointId> ids,
                                                const PointSelection& selection) const {
  const View view = this->view();
  const auto definition = definition_.load();
  std::vector<Record> out;
  for (const PointId& id : ids) {
    VZ_TRY_ASSIGN(const auto found, locate(view, id));
    if (found.part == nullptr) continue;
    VZ_TRY_ASSIGN(auto record, read_point(*found.part, found.row, *definition, selection));
    out.push_back(std::move(record));
  }
  return out;
}

Result<ScrollOutcome> LiveCollection::scroll(const ScrollRequest& request) const {
  const View view = this->view();
  const auto definition = definition_.load();
  struct Found {
    PointId id;
    ReadLocation at;
  };
  // Each part gives its first limit + 1 rows: the page and the begin of the next are among them.
  std::vector<Found> found;
  Status status;
  view.parts->for_each([&](const Part& part) {
    if (!status) return;
    std::vector<std::uint32_t> rows;
    index::RowSet passing;
    if (!request.filter.empty()) {
      payload::EvaluateStats stats;
      auto evaluated = part.evaluate(request.filter, view.lsn, stats);
      if (!evaluated) {
        status = tl::unexpected<Error>(evaluated.error());
        return;
      }
      passing = std::move(*evaluated);
    }
    part.rows_from(request.offset, view.lsn, request.filter.empty() ? nullptr : &passing,
                   request.limit + 1, rows);
    for (const std::uint32_t row : rows) found.push_back({part.id(row), {&part, row}});
    status = sound(part);
  });
  VZ_TRY(std::move(status));
  const auto kept = static_cast<std::ptrdiff_t>(std::min(found.size(), request.limit + 1));
  std::partial_sort(found.begin(), found.begin() + kept, found.end(),
                    [](const Found& a, const Found& b) { return a.id < b.id; });
  found.resize(static_cast<std::size_t>(kept));

  ScrollOutcome outcome;
  if (found.size() > request.limit) {
    outcome.next_page_offset = found.back().id;
    found.pop_back();
  }
  for (const Found& point : found) {
    VZ_TRY_ASSIGN(auto record,
                  read_point(*point.at.part, point.at.row, *definition, request.selection));
    outcome.points.push_back(std::move(record));
  }
  return outcome;
}

Result<std::uint64_t> LiveCollection::count(const payload::Filter& filter) const {
  const View view = this->view();
  std::uint64_t total = 0;
  Status status;
  view.parts->for_each([&](const Part& part) {
    if (!status) return;
    if (!filter.empty()) {
      payload::EvaluateStats stats;
      const auto evaluated = part.evaluate(filter, view.lsn, stats);
      if (!evaluated) {
        status = tl::unexpected<Error>(evaluated.error());
        return;
      }
      total += alive_among(part, *evaluated, view.lsn);
    } else {
      const std::uint32_t rows = part.rows_at(view.lsn);
      for (std::uint32_t row = 0; row < rows; ++row)
        if (!part.dead().dead_at(row, view.lsn)) ++total;
    }
    status = sound(part);
  });
  VZ_TRY(std::move(status));
  return total;
}

std::vector<std::uint64_t> LiveCollection::field_counts() const {
  const View view = this->view();
  const auto definition = definition_.load();
  std::vector<std::uint64_t> counts;
  for (const payload::DeclaredField& field : definition->fields) {
    std::uint64_t& count = counts.emplace_back(0);
    for (const auto& segment : view.parts->segments) {
      const auto derived = segment->derived();
      if (derived->fields != nullptr) count += derived->fields->rows_with(field.path).value_or(0);
    }
    const auto filter = payload::has_value_at(field.path);
    if (!filter) continue;
    const auto add = [&](const Memtable& memtable) {
      payload::EvaluateStats stats;
      const auto passing = memtable.evaluate(*filter, view.lsn, stats);
      if (passing) count += alive_among(memtable, *passing, view.lsn);
    };
    for (const auto& frozen : view.parts->frozen) add(*frozen.memtable);
    add(*view.parts->active);
  }
  return counts;
}

}  // namespace vz::collection
