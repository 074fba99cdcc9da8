// The document's lines that the tests run, each whole or by a part that no other line has.
#pragma once

#include <array>
#include <string_view>

namespace vz::runbook::lines {

using Line = std::string_view;

inline constexpr Line kHealthOfPod = "curl http://vectorizer-0.vectorizer:15002/health";
inline constexpr Line kHealth = "curl http://localhost:15002/health";
inline constexpr Line kVectorsOfPods = "jq '.total_vectors'";
inline constexpr Line kStats = "curl http://localhost:15002/stats";
inline constexpr Line kCollections = "curl http://localhost:15002/collections";
inline constexpr Line kMetrics = "curl http://localhost:15002/metrics";

inline constexpr Line kSearchLatency = "grep search_latency";
inline constexpr Line kSearchTimes = "{name, avg_search_ms}";
inline constexpr Line kSlowThreshold = "slow_query_threshold_ms";
inline constexpr Line kSlowLog = "grep \"slow_query\"";
inline constexpr Line kEfSearch = "ef_search";
inline constexpr Line kQueryCache = "query_cache";
inline constexpr Line kOptimize = "/optimize";

inline constexpr Line kLargest = "sort_by(-.size_bytes)";
inline constexpr Line kCompression = "compression_level";
inline constexpr Line kCompact = "/admin/compact";
inline constexpr Line kOldest = "sort_by(.created_at)";
inline constexpr Line kDelete = "curl -X DELETE";
inline constexpr Line kGarbage = "/admin/gc";

inline constexpr Line kCheck = "curl -X POST http://localhost:15002/admin/integrity-check";
inline constexpr Line kCheckOne = "{\"collections\": [\"important_collection\"]}";
inline constexpr Line kCheckStatus = "/admin/integrity-check/status";
inline constexpr Line kCheckLogs = "integrity\\|error\\|corrupt";
inline constexpr Line kRebuild = "/index/rebuild";

inline constexpr Line kSnapshot = "curl -X POST http://localhost:15002/qdrant/snapshots";
inline constexpr Line kListArchive = "tar -tzf";
inline constexpr Line kHashArchive = "sha256sum";
inline constexpr Line kRecover = "/qdrant/snapshots/recover";
inline constexpr Line kManifest = "backup-manifest.json";
inline constexpr Line kRemoveData = "rm -rf /data/*";
inline constexpr Line kCopyArchive = "kubectl cp";
inline constexpr Line kUnpack = "tar -xzf";

inline constexpr Line kBlockIps = "/admin/ip-block";
inline constexpr Line kRevokeKey = "/admin/keys/revoke";

inline constexpr Line kSaveStats = "> current_stats.json";
inline constexpr Line kCompareStats = "diff baseline_stats.json";

inline constexpr std::array kAll = {
    kHealthOfPod,   kHealth,      kVectorsOfPods, kStats,         kCollections, kMetrics,
    kSearchLatency, kSearchTimes, kEfSearch,      kOptimize,      kLargest,     kCompression,
    kCompact,       kOldest,      kDelete,        kGarbage,       kRebuild,     kSnapshot,
    kListArchive,   kHashArchive, kRecover,       kManifest,      kRemoveData,  kCopyArchive,
    kUnpack,        kSaveStats,   kCompareStats,  kSlowThreshold, kSlowLog,     kQueryCache,
    kCheck,         kCheckOne,    kCheckStatus,   kCheckLogs,     kBlockIps,    kRevokeKey};

}  // namespace vz::runbook::lines
