#include <ctime>

#include "engine/node/snapshots.h"
#include "engine/payload/json_text.h"
#include "storage/base/utc.h"

namespace vz::node {
namespace {

std::string field(const char* key, std::uint64_t value) {
  return std::string("\"") + key + "\":" + std::to_string(value);
}

std::string field(const char* key, const std::string& value) {
  return std::string("\"") + key + "\":" + payload::quoted(value);
}

}  // namespace

std::string snapshot_manifest_json(const std::string& node_id, const std::string& name,
                                   const store::SnapshotContents& contents, Lsn lsn,
                                   const snapshot::PackReport& report) {
  const snapshot::SnapshotSummary& summary = report.summary;
  std::string out =
      "{" + field("node", node_id) + "," + field("lsn", lsn) + "," + field("epoch", summary.epoch) +
      "," + field("created_at", rfc3339_seconds(std::time(nullptr))) + ",\n" + "\"archive\":{" +
      field("name", name) + "," + field("size", report.archive_bytes) + "," +
      field("sha256", to_hex(report.archive_sha256)) + "},\n\"collections\":[";
  const char* between = "\n";
  for (const auto& one : summary.collections) {
    out += between + ("{" + field("name", one.name)) + "," + field("vector_count", one.points) +
           "," + field("id", one.id) + "," + field("vectors", one.points) + "," +
           field("segments", one.segments) + "," + field("size_bytes", one.bytes) + "}";
    between = ",\n";
  }
  out += "],\n" + field("total_collections", summary.collections.size()) + ",\n\"files\":[";
  between = "\n";
  for (const auto& file : contents.files) {
    out += between + ("{" + field("path", file.path)) + "," + field("size", file.size_bytes) + "," +
           field("sha256", to_hex(file.sha256)) + "}";
    between = ",\n";
  }
  return out + "]}\n";
}

}  // namespace vz::node
