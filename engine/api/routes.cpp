// THE table. Literal paths stand before patterns that would take them.
#include <array>

#include "engine/api/handlers.h"
#include "engine/api/route.h"
#include "engine/api/upload_body.h"

namespace vz::api {
namespace {

using enum net::Method;
constexpr auto kRoot = Mount::kRoot;
constexpr auto kBoth = Mount::kBoth;
constexpr auto kOnlyQdrant = Mount::kQdrant;
constexpr auto kPublic = Scope::kPublic;
constexpr auto kRead = Scope::kRead;
constexpr auto kWrite = Scope::kWrite;
constexpr auto kSnapshot = Scope::kSnapshot;
constexpr auto kAdmin = Scope::kAdmin;
constexpr auto kNative = Envelope::kNative;
constexpr auto kQdrant = Envelope::kQdrant;
constexpr auto kAlways = Needs::kNothing;
constexpr auto kNode = Needs::kNode;

#define VZ_POINTS "/collections/{collection_name}/points"
#define VZ_COLLECTION "/collections/{collection_name}"

// clang-format off
constexpr std::array kRoutes{
    // Liveness and what this is
    Route{kGet, "/", kRoot, kPublic, kNative, kAlways, get_root, "What this server is"},
    Route{kGet, "/", kOnlyQdrant, kPublic, kNative, kAlways, get_qdrant_version, "Version, as Qdrant's clients ask for it"},
    Route{kGet, "/openapi.json", kRoot, kPublic, kNative, kAlways, get_openapi, "This interface"},
    Route{kGet, "/health", kRoot, kPublic, kNative, kAlways, get_health, "Health with its checks"},
    Route{kGet, "/health/master", kRoot, kPublic, kNative, kAlways, get_health_master, "200 on the master"},
    Route{kGet, "/health/replica", kRoot, kPublic, kNative, kAlways, get_health_replica, "200 on a replica"},
    Route{kGet, "/healthz", kBoth, kPublic, kNative, kAlways, get_livez, "The process answers"},
    Route{kGet, "/livez", kBoth, kPublic, kNative, kAlways, get_livez, "The process answers"},
    Route{kGet, "/readyz", kBoth, kPublic, kNative, kAlways, get_readyz, "The node serves"},
    Route{kGet, "/stats", kRoot, kRead, kNative, kNode, get_stats, "Numbers of the node and its collections"},
    Route{kGet, "/metrics", kBoth, Scope::kMetrics, kNative, kAlways, get_metrics, "Prometheus metrics"},
    Route{kGet, "/telemetry", kOnlyQdrant, kRead, kQdrant, kAlways, not_built, "Telemetry"},

    // Collections
    Route{kGet, "/collections", kRoot, kRead, kNative, kNode, list_collections, "List collections"}.listing(),
    Route{kGet, "/collections", kOnlyQdrant, kRead, kQdrant, kNode, list_collection_names, "List collection names"}.listing(),
    Route{kPost, "/collections/aliases", kBoth, kWrite, kQdrant, kNode, change_aliases, "Create, delete and rename aliases, all or none"},
    Route{kGet, "/aliases", kBoth, kRead, kQdrant, kNode, list_aliases, "List aliases"}.listing(),
    Route{kGet, VZ_COLLECTION, kBoth, kRead, kQdrant, kNode, get_collection, "Describe a collection"},
    Route{kPut, VZ_COLLECTION, kBoth, kWrite, kQdrant, kNode, create_collection, "Create a collection"},
    Route{kPatch, VZ_COLLECTION, kBoth, kWrite, kQdrant, kNode, update_collection, "Change a collection's settings"},
    Route{kDelete, VZ_COLLECTION, kBoth, kWrite, kQdrant, kNode, delete_collection, "Delete a collection"},
    Route{kGet, VZ_COLLECTION "/exists", kBoth, kRead, kQdrant, kNode, collection_exists, "Whether a collection exists"},
    Route{kGet, VZ_COLLECTION "/aliases", kBoth, kRead, kQdrant, kNode, list_collection_aliases, "List a collection's aliases"},
    Route{kPut, VZ_COLLECTION "/index", kBoth, kWrite, kQdrant, kNode, declare_field, "Declare a payload index"},
    Route{kDelete, VZ_COLLECTION "/index/{field_name}", kBoth, kWrite, kQdrant, kNode, drop_field, "Drop a payload index"},
    Route{kGet, VZ_COLLECTION "/config", kRoot, kRead, kNative, kNode, get_config, "Effective settings"},
    Route{kPatch, VZ_COLLECTION "/config", kRoot, kWrite, kNative, kNode, patch_config, "Change settings, live"},
    Route{kPost, VZ_COLLECTION "/index/rebuild", kRoot, kAdmin, kNative, kNode, rebuild_index, "Rebuild the index"},
    Route{kPost, VZ_COLLECTION "/optimize", kRoot, kAdmin, kNative, kNode, optimize_collection, "Merge segments"},
    Route{kPut, VZ_COLLECTION "/vectors/{vector_name}", kBoth, kWrite, kQdrant, kNode, not_built, "Add a named vector"},
    Route{kDelete, VZ_COLLECTION "/vectors/{vector_name}", kBoth, kWrite, kQdrant, kNode, not_built, "Drop a named vector"},
    Route{kPost, VZ_COLLECTION "/facet", kBoth, kRead, kQdrant, kNode, not_built, "Count the values of a key"},
    Route{kGet, VZ_COLLECTION "/cluster", kBoth, kRead, kQdrant, kNode, not_built, "Shards of a collection"},
    Route{kPost, VZ_COLLECTION "/cluster", kBoth, kAdmin, kQdrant, kNode, not_built, "Move shards"},

    // Points
    Route{kPut, VZ_POINTS, kBoth, kWrite, kQdrant, kNode, upsert_points, "Upsert points"},
    Route{kPost, VZ_POINTS, kBoth, kRead, kQdrant, kNode, get_points, "Get points by id"},
    Route{kPost, VZ_POINTS "/delete", kBoth, kWrite, kQdrant, kNode, delete_points, "Delete points by ids or filter"},
    Route{kPut, VZ_POINTS "/vectors", kBoth, kWrite, kQdrant, kNode, update_vectors, "Replace vectors of points"},
    Route{kPost, VZ_POINTS "/vectors/delete", kBoth, kWrite, kQdrant, kNode, delete_vectors, "Delete vectors of points"},
    Route{kPost, VZ_POINTS "/payload", kBoth, kWrite, kQdrant, kNode, set_payload, "Merge into payloads"},
    Route{kPut, VZ_POINTS "/payload", kBoth, kWrite, kQdrant, kNode, overwrite_payload, "Replace payloads"},
    Route{kPost, VZ_POINTS "/payload/delete", kBoth, kWrite, kQdrant, kNode, delete_payload, "Delete keys of payloads"},
    Route{kPost, VZ_POINTS "/payload/clear", kBoth, kWrite, kQdrant, kNode, clear_payload, "Empty payloads"},
    Route{kPost, VZ_POINTS "/batch", kBoth, kWrite, kQdrant, kNode, batch_operations, "Several writes as one"},
    Route{kPost, VZ_POINTS "/scroll", kBoth, kRead, kQdrant, kNode, scroll_points, "Page through points by id"},
    Route{kPost, VZ_POINTS "/count", kBoth, kRead, kQdrant, kNode, count_points, "Count points"},
    Route{kPost, VZ_POINTS "/query", kBoth, kRead, kQdrant, kNode, query_points, "Nearest points, or a listing"},
    Route{kPost, VZ_POINTS "/query/batch", kBoth, kRead, kQdrant, kNode, query_points_batch, "Several queries"},
    Route{kPost, VZ_POINTS "/query/groups", kBoth, kRead, kQdrant, kNode, not_built, "Query by groups"},
    Route{kPost, VZ_POINTS "/search", kBoth, kRead, kQdrant, kNode, search_points, "Nearest points"},
    Route{kPost, VZ_POINTS "/search/batch", kBoth, kRead, kQdrant, kNode, search_points_batch, "Several searches"},
    Route{kPost, VZ_POINTS "/search/groups", kBoth, kRead, kQdrant, kNode, not_built, "Search by groups"},
    Route{kPost, VZ_POINTS "/search/matrix/pairs", kBoth, kRead, kQdrant, kNode, not_built, "Distances as pairs"},
    Route{kPost, VZ_POINTS "/search/matrix/offsets", kBoth, kRead, kQdrant, kNode, not_built, "Distances as offsets"},
    Route{kPost, VZ_POINTS "/recommend", kBoth, kRead, kQdrant, kNode, not_built, "Recommend by examples"},
    Route{kPost, VZ_POINTS "/recommend/batch", kBoth, kRead, kQdrant, kNode, not_built, "Several recommendations"},
    Route{kPost, VZ_POINTS "/recommend/groups", kBoth, kRead, kQdrant, kNode, not_built, "Recommend by groups"},
    Route{kPost, VZ_POINTS "/discover", kBoth, kRead, kQdrant, kNode, not_built, "Discover by context"},
    Route{kPost, VZ_POINTS "/discover/batch", kBoth, kRead, kQdrant, kNode, not_built, "Several discoveries"},
    Route{kGet, VZ_POINTS "/{id}", kBoth, kRead, kQdrant, kNode, get_point, "Get a point"},

    // Snapshots
    Route{kPost, "/snapshots", kBoth, kSnapshot, kQdrant, kNode, create_snapshot, "Snapshot the node"},
    Route{kGet, "/snapshots", kBoth, kSnapshot, kQdrant, kNode, list_snapshots, "List snapshots"},
    Route{kPost, "/snapshots/recover", kBoth, kAdmin, kQdrant, kNode, recover_snapshot, "Restore a snapshot"},
    Route{kPut, "/snapshots/recover", kBoth, kAdmin, kQdrant, kNode, recover_snapshot, "Restore a snapshot"},
    Route{kPost, "/snapshots/upload", kBoth, kAdmin, kQdrant, kNode, receive_snapshot, upload_snapshot, "Restore an uploaded snapshot"},
    Route{kPut, "/snapshots/upload", kBoth, kAdmin, kQdrant, kNode, receive_snapshot, upload_snapshot, "Restore an uploaded snapshot"},
    Route{kGet, "/snapshots/{snapshot_name}", kBoth, kSnapshot, kQdrant, kNode, get_snapshot, "Download a snapshot"},
    Route{kDelete, "/snapshots/{snapshot_name}", kBoth, kSnapshot, kQdrant, kNode, delete_snapshot, "Delete a snapshot"},
    Route{kPost, VZ_COLLECTION "/snapshots", kBoth, kSnapshot, kQdrant, kNode, create_snapshot, "Snapshot a collection"},
    Route{kGet, VZ_COLLECTION "/snapshots", kBoth, kSnapshot, kQdrant, kNode, list_snapshots, "List a collection's snapshots"},
    Route{kPost, VZ_COLLECTION "/snapshots/recover", kBoth, kAdmin, kQdrant, kNode, recover_snapshot, "Restore a collection"},
    Route{kPut, VZ_COLLECTION "/snapshots/recover", kBoth, kAdmin, kQdrant, kNode, recover_snapshot, "Restore a collection"},
    Route{kPost, VZ_COLLECTION "/snapshots/upload", kBoth, kAdmin, kQdrant, kNode, receive_snapshot, upload_snapshot, "Restore an uploaded collection"},
    Route{kPut, VZ_COLLECTION "/snapshots/upload", kBoth, kAdmin, kQdrant, kNode, receive_snapshot, upload_snapshot, "Restore an uploaded collection"},
    Route{kGet, VZ_COLLECTION "/snapshots/{snapshot_name}", kBoth, kSnapshot, kQdrant, kNode, get_snapshot, "Download a collection's snapshot"},
    Route{kDelete, VZ_COLLECTION "/snapshots/{snapshot_name}", kBoth, kSnapshot, kQdrant, kNode, delete_snapshot, "Delete a collection's snapshot"},

    // Replication and cluster
    Route{kGet, "/cluster/status", kRoot, kPublic, kNative, kNode, get_cluster_status, "Nodes and the master"},
    Route{kGet, "/replication/status", kRoot, kPublic, kNative, kNode, get_replication_status, "Role and lag"},
    Route{kGet, "/cluster", kOnlyQdrant, kRead, kQdrant, kAlways, get_qdrant_cluster, "Whether this is a cluster"}.listing(),
    Route{kPost, "/cluster/rebalance", kRoot, kAdmin, kNative, kNode, not_built, "Rebalance shards"},
    Route{kPost, "/replication/promote", kRoot, kAdmin, kNative, kNode, not_built, "Become the master"},
    Route{kPost, "/replication/demote", kRoot, kAdmin, kNative, kNode, not_built, "Step down"},
    Route{kPost, "/replication/follow", kRoot, kAdmin, kNative, kNode, not_built, "Follow a master"},

    // Operations
    Route{kPost, "/admin/integrity-check", kRoot, kAdmin, kNative, kNode, check_integrity, "Check all data"},
    Route{kGet, "/admin/integrity-check/status", kRoot, kAdmin, kNative, kNode, get_integrity, "Verdict of the check"},
    Route{kPost, "/admin/compact", kRoot, kAdmin, kNative, kNode, compact_node, "Rewrite data"},
    Route{kPost, "/admin/gc", kRoot, kAdmin, kNative, kNode, collect_garbage, "Remove what nothing names"},
    Route{kGet, "/admin/config", kRoot, kAdmin, kNative, kNode, get_settings, "Run-time settings"},
    Route{kPost, "/admin/config", kRoot, kAdmin, kNative, kNode, change_settings, "Change run-time settings"},
    Route{kPatch, "/admin/config", kRoot, kAdmin, kNative, kNode, change_settings, "Change run-time settings"},
    Route{kGet, "/admin/slow-queries", kRoot, kAdmin, kNative, kAlways, list_slow_queries, "Slow queries"},
    Route{kGet, "/admin/ip-block", kRoot, kAdmin, kNative, kNode, list_ip_rules, "Blocked addresses"},
    Route{kPost, "/admin/ip-block", kRoot, kAdmin, kNative, kNode, block_ips, "Block addresses"},
    Route{kDelete, "/admin/ip-block", kRoot, kAdmin, kNative, kNode, unblock_ips, "Unblock addresses"},
    Route{kGet, "/admin/keys", kRoot, kAdmin, kNative, kNode, list_keys, "List API keys"},
    Route{kPost, "/admin/keys", kRoot, kAdmin, kNative, kNode, create_key, "Create an API key"},
    Route{kPost, "/admin/keys/revoke", kRoot, kAdmin, kNative, kNode, revoke_key, "Revoke an API key"},
    Route{kPost, "/admin/keys/rotate", kRoot, kAdmin, kNative, kNode, rotate_key, "Rotate an API key"},
    Route{kGet, "/admin/audit", kRoot, kAdmin, kNative, kNode, list_audit, "The audit log"},
    Route{kPost, "/admin/audit/verify", kRoot, kAdmin, kNative, kNode, verify_audit, "Verify the audit log"},
    Route{kGet, "/admin/jobs", kRoot, kAdmin, kNative, kNode, list_jobs, "List jobs"},
    Route{kGet, "/admin/jobs/{job_id}", kRoot, kAdmin, kNative, kNode, get_job, "Describe a job"},
    Route{kDelete, "/admin/jobs/{job_id}", kRoot, kAdmin, kNative, kNode, cancel_job, "Cancel a job"},
};
// clang-format on

#undef VZ_POINTS
#undef VZ_COLLECTION

/// No two rows may answer the same request by accident.
constexpr bool rows_are_distinct() {
  for (std::size_t i = 0; i < kRoutes.size(); ++i)
    for (std::size_t j = i + 1; j < kRoutes.size(); ++j)
      if (kRoutes[i].method == kRoutes[j].method && kRoutes[i].pattern == kRoutes[j].pattern &&
          (kRoutes[i].mount == kRoutes[j].mount || kRoutes[i].mount == Mount::kBoth ||
           kRoutes[j].mount == Mount::kBoth))
        return false;
  return true;
}
static_assert(rows_are_distinct());

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace vz::api
