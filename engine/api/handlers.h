// All handlers, by resource. The table in routes.cpp says where each is found.
#pragma once

#include <memory>

namespace vz::api {

class Call;

// service.cpp
void get_root(std::shared_ptr<Call> call);
void get_openapi(std::shared_ptr<Call> call);
void get_qdrant_version(std::shared_ptr<Call> call);
void get_health(std::shared_ptr<Call> call);
void get_livez(std::shared_ptr<Call> call);
void get_readyz(std::shared_ptr<Call> call);
void get_health_master(std::shared_ptr<Call> call);
void get_health_replica(std::shared_ptr<Call> call);
void get_cluster_status(std::shared_ptr<Call> call);
void get_replication_status(std::shared_ptr<Call> call);
void get_qdrant_cluster(std::shared_ptr<Call> call);
/// For routes of the design that are not built yet: 400 that names the route.
void not_built(std::shared_ptr<Call> call);

// stats.cpp
void get_stats(std::shared_ptr<Call> call);
void list_collections(std::shared_ptr<Call> call);

// metrics.cpp
void get_metrics(std::shared_ptr<Call> call);

// collections.cpp
void list_collection_names(std::shared_ptr<Call> call);
void get_collection(std::shared_ptr<Call> call);
void collection_exists(std::shared_ptr<Call> call);
void create_collection(std::shared_ptr<Call> call);
void update_collection(std::shared_ptr<Call> call);
void delete_collection(std::shared_ptr<Call> call);
void change_aliases(std::shared_ptr<Call> call);
void list_aliases(std::shared_ptr<Call> call);
void list_collection_aliases(std::shared_ptr<Call> call);
void declare_field(std::shared_ptr<Call> call);
void drop_field(std::shared_ptr<Call> call);
void get_config(std::shared_ptr<Call> call);
void patch_config(std::shared_ptr<Call> call);

// snapshots.cpp
void create_snapshot(std::shared_ptr<Call> call);
void list_snapshots(std::shared_ptr<Call> call);
void get_snapshot(std::shared_ptr<Call> call);
void delete_snapshot(std::shared_ptr<Call> call);
void recover_snapshot(std::shared_ptr<Call> call);
void upload_snapshot(std::shared_ptr<Call> call);

// points_write.cpp
void upsert_points(std::shared_ptr<Call> call);
void delete_points(std::shared_ptr<Call> call);
void set_payload(std::shared_ptr<Call> call);
void overwrite_payload(std::shared_ptr<Call> call);
void delete_payload(std::shared_ptr<Call> call);
void clear_payload(std::shared_ptr<Call> call);
void update_vectors(std::shared_ptr<Call> call);
void delete_vectors(std::shared_ptr<Call> call);
void batch_operations(std::shared_ptr<Call> call);

// slow_query_answers.cpp
void list_slow_queries(std::shared_ptr<Call> call);
void list_audit(std::shared_ptr<Call> call);
void verify_audit(std::shared_ptr<Call> call);

// points_read.cpp
void get_point(std::shared_ptr<Call> call);
void get_points(std::shared_ptr<Call> call);
void scroll_points(std::shared_ptr<Call> call);
void count_points(std::shared_ptr<Call> call);
void search_points(std::shared_ptr<Call> call);
void search_points_batch(std::shared_ptr<Call> call);
void query_points(std::shared_ptr<Call> call);
void query_points_batch(std::shared_ptr<Call> call);

// operations.cpp
void optimize_collection(std::shared_ptr<Call> call);
void rebuild_index(std::shared_ptr<Call> call);
void compact_node(std::shared_ptr<Call> call);
void collect_garbage(std::shared_ptr<Call> call);
void get_settings(std::shared_ptr<Call> call);
void change_settings(std::shared_ptr<Call> call);

// keys.cpp
void list_keys(std::shared_ptr<Call> call);
void create_key(std::shared_ptr<Call> call);
void revoke_key(std::shared_ptr<Call> call);
void rotate_key(std::shared_ptr<Call> call);

// ip_rules.cpp
void list_ip_rules(std::shared_ptr<Call> call);
void block_ips(std::shared_ptr<Call> call);
void unblock_ips(std::shared_ptr<Call> call);

// integrity.cpp
void check_integrity(std::shared_ptr<Call> call);
void get_integrity(std::shared_ptr<Call> call);

// job_answers.cpp
void list_jobs(std::shared_ptr<Call> call);
void get_job(std::shared_ptr<Call> call);
void cancel_job(std::shared_ptr<Call> call);

}  // namespace vz::api
