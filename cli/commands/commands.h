// Every command registers itself here. Parsing fills its options; nothing runs until CLI11 has
// accepted the whole line.
#pragma once

namespace CLI {
class App;
}

namespace vz::cli {

struct Context;

void add_audit_command(CLI::App& app, Context& context);
void add_bench_command(CLI::App& app, Context& context);
void add_cache_command(CLI::App& app, Context& context);
void add_collection_command(CLI::App& app, Context& context);
void add_compact_command(CLI::App& app, Context& context);
void add_config_command(CLI::App& app, Context& context);
void add_data_command(CLI::App& app, Context& context);
void add_gc_command(CLI::App& app, Context& context);
void add_health_command(CLI::App& app, Context& context);
void add_integrity_command(CLI::App& app, Context& context);
void add_ip_command(CLI::App& app, Context& context);
void add_job_command(CLI::App& app, Context& context);
void add_key_command(CLI::App& app, Context& context);
void add_metrics_command(CLI::App& app, Context& context);
void add_serve_command(CLI::App& app, Context& context);
void add_slowlog_command(CLI::App& app, Context& context);
void add_snapshot_command(CLI::App& app, Context& context);
void add_stats_command(CLI::App& app, Context& context);
void add_version_command(CLI::App& app, Context& context);

}  // namespace vz::cli
