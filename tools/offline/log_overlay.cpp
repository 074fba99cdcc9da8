#include "tools/offline/log_overlay.h"

#include <algorithm>
#include <cstring>

#include "engine/payload/payload.h"

namespace vz::offline {
namespace {

template <typename T>
std::vector<T> numbers_of(ByteSpan bytes) {
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

OwnedRow::Vector owned(const format::LoggedVector& vector) {
  return {vector.column, numbers_of<float>(vector.values),
          numbers_of<std::uint32_t>(vector.indices)};
}

/// Puts the vectors in, each in the place of the one that its column has.
void put_vectors(OwnedRow& row, const std::vector<format::LoggedVector>& vectors) {
  for (const format::LoggedVector& vector : vectors) {
    const auto at =
        std::find_if(row.vectors.begin(), row.vectors.end(),
                     [&](const OwnedRow::Vector& one) { return one.column >= vector.column; });
    if (at != row.vectors.end() && at->column == vector.column) {
      *at = owned(vector);
    } else {
      row.vectors.insert(at, owned(vector));
    }
  }
}

}  // namespace

std::vector<collection::ColumnVector> OwnedRow::columns() const {
  std::vector<collection::ColumnVector> out;
  for (const Vector& vector : vectors)
    out.push_back({vector.column, {vector.values, vector.indices}});
  return out;
}

void LogOverlay::put_row(const format::LoggedRow& row, Lsn lsn) {
  if (!wanted_(row.id)) return;
  OwnedRow whole{.version = lsn, .payload = row.payload.empty() ? "{}" : std::string(row.payload)};
  put_vectors(whole, row.vectors);
  rows_[row.id] = std::move(whole);
}

Status LogOverlay::edit(const PointId& id, Lsn lsn, const std::function<void(OwnedRow&)>& change) {
  if (!wanted_(id)) return {};
  auto at = rows_.find(id);
  if (at == rows_.end()) {
    VZ_TRY_ASSIGN(auto base, base_(id));
    if (!base) return {};
    at = rows_.emplace(id, std::move(base)).first;
  }
  if (!at->second) return {};
  change(*at->second);
  at->second->version = lsn;
  return {};
}

Status LogOverlay::apply_one(Lsn lsn, const format::PointsOperation& operation) {
  if (const auto* put = std::get_if<format::PutRows>(&operation)) {
    for (const auto& row : put->rows) put_row(row, lsn);
  } else if (const auto* erased = std::get_if<format::DeleteRows>(&operation)) {
    for (const PointId& id : erased->ids)
      if (wanted_(id)) rows_[id].reset();
  } else if (const auto* set = std::get_if<format::SetPayload>(&operation)) {
    std::optional<std::string> key;
    if (set->has_key) key = set->key;
    for (const PointId& id : set->ids)
      VZ_TRY(edit(id, lsn, [&](OwnedRow& row) {
        row.payload = payload::set(row.payload, set->patch, key);
      }));
  } else if (const auto* replace = std::get_if<format::ReplacePayload>(&operation)) {
    for (const PointId& id : replace->ids)
      VZ_TRY(edit(id, lsn, [&](OwnedRow& row) { row.payload = replace->payload; }));
  } else if (const auto* keys = std::get_if<format::DeleteKeys>(&operation)) {
    const std::vector<std::string> paths(keys->keys.begin(), keys->keys.end());
    for (const PointId& id : keys->ids)
      VZ_TRY(edit(id, lsn,
                  [&](OwnedRow& row) { row.payload = payload::delete_keys(row.payload, paths); }));
  } else if (const auto* vectors = std::get_if<format::PutVectors>(&operation)) {
    for (const auto& row : vectors->rows)
      VZ_TRY(edit(row.id, lsn, [&](OwnedRow& base) { put_vectors(base, row.vectors); }));
  } else if (const auto* dropped = std::get_if<format::DeleteVectors>(&operation)) {
    for (const PointId& id : dropped->ids)
      VZ_TRY(edit(id, lsn, [&](OwnedRow& row) {
        std::erase_if(row.vectors, [&](const OwnedRow::Vector& vector) {
          return std::find(dropped->columns.begin(), dropped->columns.end(), vector.column) !=
                 dropped->columns.end();
        });
      }));
  }
  return {};
}

Status LogOverlay::apply(Lsn lsn, const std::vector<format::PointsOperation>& operations) {
  for (const format::PointsOperation& operation : operations) VZ_TRY(apply_one(lsn, operation));
  return {};
}

}  // namespace vz::offline
