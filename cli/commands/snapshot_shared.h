// What the commands of `snapshot` share: archives by name, and reports as JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "cli/context/context.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "storage/archive/byte_stream.h"
#include "storage/base/status.h"
#include "storage/env/env.h"
#include "storage/snapshot/read.h"

namespace CLI {
class App;
}

namespace vz::cli {

/// create, list, recover and delete.
void add_snapshot_online_commands(CLI::App& snapshot, Context& context);
void add_snapshot_download_command(CLI::App& snapshot, Context& context);
void add_snapshot_upload_command(CLI::App& snapshot, Context& context);
void add_snapshot_pack_command(CLI::App& snapshot, Context& context);
void add_snapshot_inspect_command(CLI::App& snapshot, Context& context);
void add_snapshot_verify_command(CLI::App& snapshot, Context& context);
void add_snapshot_extract_command(CLI::App& snapshot, Context& context);
void add_snapshot_restore_command(CLI::App& snapshot, Context& context);

inline constexpr std::string_view kPipe = "-";

/// Where the node has the snapshots of a collection; of the whole node if `collection` is "".
std::string snapshots_path(const std::string& collection);

/// What to ask before an archive takes the place of a collection, or of all if that is "".
std::string replace_question(const std::string& archive, const std::string& collection);

/// FILE, or - for standard input. `archive` must outlive `command`.
void add_archive_option(CLI::App& command, std::string& archive);

/// Errors: kNotFound and the like; kInvalidArgument: - and standard input is a terminal.
Result<std::unique_ptr<archive::ByteSource>> open_archive(Env& env, const std::string& archive);

/// Adds scope, created, lsn, epoch, points, files, bytes, aliases and the array collections.
void add_summary(const snapshot::SnapshotSummary& summary, nlohmann::ordered_json& out);
/// Adds sound, the summary if there is one, what was checked, and the array findings.
void add_report(const snapshot::ReadReport& report, nlohmann::ordered_json& out);

}  // namespace vz::cli
