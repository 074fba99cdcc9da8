// A node for tests: synchronous writes, short forms for the things tests say often, and a model of
// what a collection should hold.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/node/node.h"
#include "storage/env/fault_env.h"

namespace vz::test {

inline constexpr const char* kDataDir = "/data";

/// No background work, tiny memtables and log files; no reserve, so that no disk in memory holds a
/// ballast.
inline node::NodeOptions small_node() {
  node::NodeOptions options;
  options.data_dir = kDataDir;
  options.seal_rows = 8;
  options.index_threads = 1;
  options.log_file_bytes = 5u << 10;  // A 4 KiB header and a few records: it rotates often.
  options.background = node::NodeOptions::Background::kOff;
  options.disk_reserve_bytes = 0;
  return options;
}

inline Result<log::WriteOutcome> write(node::Node& node, log::WriteRequest request) {
  std::promise<Result<log::WriteOutcome>> promise;
  auto answer = promise.get_future();
  node.submit(std::move(request),
              [&](Result<log::WriteOutcome> outcome) { promise.set_value(std::move(outcome)); });
  return answer.get();
}

inline collection::CollectionDefinition dense_definition(
    std::uint32_t size, vector::Distance distance = vector::Distance::kDot) {
  collection::CollectionDefinition definition;
  definition.vectors.push_back({.name = "",
                                .kind = segment::VectorKind::kDense,
                                .size = size,
                                .distance = distance,
                                .hnsw = {}});
  return definition;
}

inline Result<log::WriteOutcome> create(node::Node& node, const std::string& name,
                                        std::uint32_t size = 4) {
  return write(node, log::CreateCollection{name, dense_definition(size)});
}

inline log::PointData point(std::uint64_t id, std::vector<float> values, std::string payload) {
  return {.id = PointId::number(id),
          .vectors = {{.column = 0, .values = std::move(values), .indices = {}}},
          .payload = std::move(payload)};
}

inline log::PointsWrite points_write(const node::Node& node, const std::string& name,
                                     std::vector<log::PointOperation> operations) {
  return {.collection = node.find(name)->id(), .operations = std::move(operations)};
}

inline Result<log::WriteOutcome> upsert(node::Node& node, const std::string& name,
                                        std::vector<log::PointData> points) {
  std::vector<log::PointOperation> operations;
  operations.push_back(log::UpsertPoints{.points = std::move(points)});
  return write(node, points_write(node, name, std::move(operations)));
}

inline Result<log::WriteOutcome> erase(node::Node& node, const std::string& name,
                                       std::vector<PointId> ids) {
  std::vector<log::PointOperation> operations;
  operations.push_back(log::DeletePoints{std::move(ids)});
  return write(node, points_write(node, name, std::move(operations)));
}

inline payload::Filter filter(const std::string& json) {
  auto parsed = payload::parse_filter(json);
  VZ_ASSERT(parsed.has_value());
  return *parsed;
}

/// Everything that a point is, in a form that compares and prints.
struct PointState {
  Lsn version = 0;
  std::vector<float> values;
  std::string payload;
  friend bool operator==(const PointState&, const PointState&) = default;
};
using CollectionState = std::map<PointId, PointState>;

/// The whole collection, read by scrolling in small pages.
inline Result<CollectionState> read_all(const collection::Reader& reader) {
  CollectionState out;
  collection::ScrollRequest request;
  request.limit = 7;
  request.selection.payload.mode = payload::Selection::Mode::kAll;
  request.selection.vectors.mode = collection::VectorSelection::Mode::kAll;
  for (;;) {
    VZ_TRY_ASSIGN(const auto page, reader.scroll(request));
    for (const auto& record : page.points) {
      VZ_ASSERT(out.find(record.id) == out.end());
      out[record.id] = {record.version,
                        record.vectors.empty() ? std::vector<float>() : record.vectors[0].values,
                        record.payload};
    }
    if (!page.next_page_offset) return out;
    request.offset = page.next_page_offset;
  }
}

}  // namespace vz::test
