#include "cli/commands/snapshot_shared.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "storage/base/utc.h"
#include "tools/drive/url.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

}  // namespace

void add_archive_option(CLI::App& command, std::string& archive) {
  command.add_option("FILE", archive, "A .tar.gz or .tar.zst snapshot; - for standard input")
      ->required();
}

std::string snapshots_path(const std::string& collection) {
  if (collection.empty()) return "/snapshots";
  return "/collections/" + drive::path_part(collection) + "/snapshots";
}

std::string replace_question(const std::string& archive, const std::string& collection) {
  if (collection.empty())
    return "Replace what the node holds by " + archive +
           "? The old content is kept in previous-<time>/.";
  return "Make " + archive + " the collection '" + collection +
         "'? One that has this name is dropped.";
}

Result<std::unique_ptr<archive::ByteSource>> open_archive(Env& env, const std::string& archive) {
  if (archive != kPipe) {
    VZ_TRY_ASSIGN(std::unique_ptr<archive::ByteSource> file,
                  archive::FileSource::open(env, archive));
    return file;
  }
  if (::isatty(STDIN_FILENO) == 1) {
    return fail(ErrorCode::kInvalidArgument, "standard input is a terminal, not an archive");
  }
  return std::unique_ptr<archive::ByteSource>(
      std::make_unique<archive::FdSource>(STDIN_FILENO, "standard input"));
}

void add_summary(const snapshot::SnapshotSummary& summary, ordered_json& out) {
  out["scope"] = summary.scope == store::SnapshotScope::kCollection ? "collection" : "node";
  out["created"] = summary.created_us > 0
                       ? ordered_json(rfc3339_seconds(summary.created_us / kMicrosecondsPerSecond))
                       : ordered_json();
  out["lsn"] = summary.lsn;
  out["epoch"] = summary.epoch;
  out["points"] = summary.points;
  out["files"] = summary.files;
  out["bytes"] = summary.bytes;
  out["aliases"] = summary.aliases;
  ordered_json& collections = out["collections"] = ordered_json::array();
  for (const auto& one : summary.collections) {
    collections.push_back({{"name", one.name},
                           {"id", one.id},
                           {"points", one.points},
                           {"segments", one.segments},
                           {"bytes", one.bytes},
                           {"flushed_lsn", one.flushed_lsn},
                           {"digest", hex(one.digest)}});
  }
}

void add_report(const snapshot::ReadReport& report, ordered_json& out) {
  out["sound"] = report.sound();
  out["files_checked"] = report.files_checked;
  out["bytes_checked"] = report.bytes_checked;
  out["archive_sha256"] = to_hex(report.archive_sha256);
  if (report.summary) add_summary(*report.summary, out);
  ordered_json& findings = out["findings"] = ordered_json::array();
  for (const auto& finding : report.findings)
    findings.push_back({{"file", finding.file}, {"problem", finding.problem}});
}

}  // namespace vz::cli
