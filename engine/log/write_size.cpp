#include "engine/log/write_size.h"

#include <algorithm>

namespace vz::log {
namespace {

std::uint64_t bytes_of(const std::vector<PointData>& points) {
  std::uint64_t bytes = 0;
  for (const PointData& point : points) {
    bytes += sizeof(PointData) + point.payload.size();
    for (const PointVector& vector : point.vectors)
      bytes += vector.values.size() * sizeof(float) + vector.indices.size() * sizeof(std::uint32_t);
  }
  return bytes;
}

}  // namespace

std::uint64_t bytes_of(const WriteRequest& request) {
  constexpr std::uint64_t kSmall = 256;
  const auto* write = std::get_if<PointsWrite>(&request);
  if (write == nullptr) return kSmall;
  std::uint64_t bytes = kSmall;
  for (const PointOperation& operation : write->operations) {
    bytes += kSmall;
    if (const auto* upsert = std::get_if<UpsertPoints>(&operation))
      bytes += bytes_of(upsert->points);
    if (const auto* update = std::get_if<UpdateVectors>(&operation))
      bytes += bytes_of(update->points);
  }
  return bytes;
}

bool upserts(const WriteRequest& request) {
  const auto* write = std::get_if<PointsWrite>(&request);
  return write != nullptr &&
         std::any_of(write->operations.begin(), write->operations.end(),
                     [](const auto& one) { return std::holds_alternative<UpsertPoints>(one); });
}

bool grows_data(const WriteRequest& request) {
  if (std::holds_alternative<DropCollection>(request) || std::holds_alternative<DropField>(request))
    return false;
  if (const auto* aliases = std::get_if<AliasActions>(&request)) {
    return !std::all_of(aliases->actions.begin(), aliases->actions.end(), [](const auto& action) {
      return std::holds_alternative<DeleteAlias>(action);
    });
  }
  const auto* write = std::get_if<PointsWrite>(&request);
  if (write == nullptr) return true;
  return !std::all_of(write->operations.begin(), write->operations.end(),
                      [](const auto& one) { return std::holds_alternative<DeletePoints>(one); });
}

}  // namespace vz::log
