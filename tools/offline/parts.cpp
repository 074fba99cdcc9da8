#include "tools/offline/parts.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/collection/row_hash.h"

namespace vz::offline {
namespace {

using collection::CollectionDefinition;
using collection::SealedPart;

constexpr std::uint32_t kRowsPerStep = 1024;  ///< between two calls of Pace

/// The engine reads column i of every segment as vector i of the definition.
Status check_columns(const SealedPart& part, const CollectionDefinition& definition) {
  if (part.segment().footer().columns == collection::columns_of(definition)) return {};
  return fail(ErrorCode::kCorruption,
              part.segment().file().path() +
                  ": its vectors are not those of the collection's definition in the manifest");
}

}  // namespace

Result<CollectionParts> open_parts(Env& env, const store::Paths& paths,
                                   const manifest::CollectionEntry& entry) {
  CollectionParts out;
  auto definition = collection::definition_from_json(entry.definition_json);
  if (!definition)
    return while_doing(definition.error(), "the definition of collection '" + entry.name + "'");
  out.definition = std::make_shared<const CollectionDefinition>(std::move(*definition));
  for (manifest::SegmentEntry segment : entry.segments) {
    segment.index.reset();
    segment.fields.reset();
    VZ_TRY_ASSIGN(auto part, SealedPart::open(env, paths, entry.id, segment, *out.definition));
    VZ_TRY(check_columns(*part, *out.definition));
    out.segments.push_back(std::move(part));
  }
  if (std::any_of(out.segments.begin(), out.segments.end(),
                  [](const auto& part) { return part->deaths_lost(); }))
    collection::recover_deaths(out.segments);
  return out;
}

Result<RowTotals> total_of(const SealedPart& part, Lsn as_of, check::Pace& pace) {
  const std::uint32_t rows = part.row_count();
  const std::uint64_t bytes = part.segment().file().file_size();
  const std::uint64_t bytes_per_row = rows == 0 ? 0 : bytes / rows;
  const std::size_t columns = part.segment().footer().columns.size();
  RowTotals totals;
  std::vector<collection::ColumnVector> vectors;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if ((row + 1) % kRowsPerStep == 0) pace.spend(bytes_per_row * kRowsPerStep);
    if (part.dead().dead_at(row, as_of)) continue;
    vectors.clear();
    for (std::size_t column = 0; column < columns; ++column) {
      VZ_TRY_ASSIGN(const auto vector, part.vector(column, row));
      if (vector) vectors.push_back({column, *vector});
    }
    VZ_TRY_ASSIGN(const std::string payload, part.payload(row));
    ++totals.points;
    totals.digest += collection::row_hash(part.id(row), vectors, payload);
  }
  pace.spend(bytes - bytes_per_row * (rows - rows % kRowsPerStep));
  if (const std::string damage = part.damage(); !damage.empty())
    return fail(ErrorCode::kCorruption, damage);
  return totals;
}

Result<RowTotals> total_of(const Parts& parts, Lsn as_of, check::Pace& pace) {
  RowTotals sum;
  for (const auto& part : parts) {
    VZ_TRY_ASSIGN(const RowTotals one, total_of(*part, as_of, pace));
    sum += one;
  }
  return sum;
}

std::string text_of(const RowTotals& totals) {
  return fmt::format("{} points, digest {:016x}", totals.points, totals.digest);
}

}  // namespace vz::offline
