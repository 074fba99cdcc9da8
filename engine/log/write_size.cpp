#include "engine/log/write_size.h"

#include <algorithm>

#include "engine/limits.h"

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

/// Of the ids that it names. A filter's are known when it is resolved.
std::uint64_t bytes_of(const PointSelector& selector) {
  const auto* ids = std::get_if<std::vector<PointId>>(&selector);
  return ids == nullptr ? 0 : ids->size() * sizeof(PointId);
}

/// At most, as JSON of the log.
constexpr std::uint64_t kKeyBytes =
    1'024 + 2 * (limits::kKeyNameBytesMax + limits::kKeyGlobBytesMax) + limits::kKeyCidrsMax * 64;
constexpr std::uint64_t kRangeBytes = 256;

/// Beside what every operation takes.
struct BytesOf {
  std::uint64_t operator()(const UpsertPoints& one) const { return bytes_of(one.points); }
  std::uint64_t operator()(const UpdateVectors& one) const { return bytes_of(one.points); }
  std::uint64_t operator()(const DeletePoints& one) const { return bytes_of(one.points); }
  std::uint64_t operator()(const SetPayload& one) const {
    return bytes_of(one.points) + one.payload.size() + (one.key ? one.key->size() : 0);
  }
  std::uint64_t operator()(const OverwritePayload& one) const {
    return bytes_of(one.points) + one.payload.size();
  }
  std::uint64_t operator()(const DeletePayload& one) const {
    std::uint64_t bytes = bytes_of(one.points);
    for (const std::string& key : one.keys) bytes += sizeof(key) + key.size();
    return bytes;
  }
  std::uint64_t operator()(const ClearPayload& one) const { return bytes_of(one.points); }
  std::uint64_t operator()(const DeleteVectors& one) const {
    return bytes_of(one.points) + one.columns.size() * sizeof(std::size_t);
  }
  std::uint64_t operator()(const security::CreateKey&) const { return kKeyBytes; }
  std::uint64_t operator()(const security::RotateKey&) const { return 2 * kKeyBytes; }
  std::uint64_t operator()(const security::RevokeKey&) const { return 0; }
  std::uint64_t operator()(const security::BlockIps& one) const {
    return one.ranges.size() * (kRangeBytes + 2 * one.reason.size());
  }
  std::uint64_t operator()(const security::UnblockIps& one) const {
    return one.ranges.size() * kRangeBytes;
  }
};

}  // namespace

std::uint64_t bytes_of(const WriteRequest& request) {
  constexpr std::uint64_t kSmall = 256;
  if (const auto* security = std::get_if<SecurityWrite>(&request))
    return kSmall + std::visit(BytesOf{}, security->request);
  const auto* write = std::get_if<PointsWrite>(&request);
  if (write == nullptr) return kSmall;
  std::uint64_t bytes = kSmall;
  for (const PointOperation& operation : write->operations)
    bytes += kSmall + std::visit(BytesOf{}, operation);
  return bytes;
}

bool upserts(const WriteRequest& request) {
  const auto* write = std::get_if<PointsWrite>(&request);
  return write != nullptr &&
         std::any_of(write->operations.begin(), write->operations.end(),
                     [](const auto& one) { return std::holds_alternative<UpsertPoints>(one); });
}

bool is_urgent(const WriteRequest& request) {
  return std::holds_alternative<SecurityWrite>(request) ||
         std::holds_alternative<BeginArrival>(request) ||
         std::holds_alternative<EndArrival>(request) ||
         std::holds_alternative<AbandonArrival>(request);
}

bool grows_data(const WriteRequest& request) {
  // Bounded, and never so urgent as when all else goes wrong.
  if (std::holds_alternative<SecurityWrite>(request)) return false;
  if (std::holds_alternative<DropCollection>(request) ||
      std::holds_alternative<AbandonArrival>(request) || std::holds_alternative<DropField>(request))
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
