#include "tools/offline/log_contents.h"

#include <algorithm>

#include "storage/wal/log_file.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/unflushed.h"

namespace vz::offline {
namespace {

using format::WalRecord;

void add(RecordCount& count, std::uint64_t bytes) {
  ++count.records;
  count.bytes += bytes;
}

/// Counts the records of one file up to the first that cannot be read.
class FileCount {
 public:
  FileCount(const manifest::Manifest& image, LogSummary& summary)
      : image_(image), summary_(summary) {}

  LogFileSummary read(Env& env, const wal::LogFileName& name) {
    LogFileSummary file{.name = name.path.substr(name.path.rfind('/') + 1),
                        .epoch = name.epoch,
                        .first_lsn = name.first_lsn,
                        .size_bytes = name.size_bytes};
    auto reader = wal::LogFileReader::open(env, name);
    if (!reader) {
      file.problem = reader.error().message;
      return file;
    }
    for (;;) {
      const auto record = reader->next();
      if (!record) file.problem = record.error().message;
      if (!record || !*record) break;
      see(**record, file);
    }
    if (const Status readable = reader->readable(); !readable)
      file.problem = readable.error().message;
    return file;
  }

 private:
  void see(const WalRecord& record, LogFileSummary& file) {
    const std::uint64_t bytes = format::wal_record_size(record.payload.size());
    if (file.records == 0) file.first_time_us = record.time_us;
    file.last_time_us = record.time_us;
    file.last_lsn = record.lsn;
    ++file.records;
    file.record_bytes += bytes;
    add(summary_.all, bytes);
    add(summary_.kinds[record.kind], bytes);
    add(summary_.collections[record.collection], bytes);
    if (is_unflushed(record, image_)) add(summary_.unflushed, bytes);
  }

  const manifest::Manifest& image_;
  LogSummary& summary_;
};

}  // namespace

std::string_view log_kind_name(format::WalRecordKind kind) {
  switch (kind) {
    case format::WalRecordKind::kCreateCollection:
      return "create_collection";
    case format::WalRecordKind::kDropCollection:
      return "drop_collection";
    case format::WalRecordKind::kDefineCollection:
      return "define_collection";
    case format::WalRecordKind::kAliases:
      return "aliases";
    case format::WalRecordKind::kPoints:
      return "points";
    case format::WalRecordKind::kReplaceCollection:
      return "replace_collection";
    case format::WalRecordKind::kPutKeys:
      return "put_keys";
    case format::WalRecordKind::kRevokeKey:
      return "revoke_key";
    case format::WalRecordKind::kPutIpRules:
      return "put_ip_rules";
    case format::WalRecordKind::kDeleteIpRules:
      return "delete_ip_rules";
  }
  return "unknown";
}

Result<LogSummary> read_log(Env& env, const std::string& directory) {
  VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
  VZ_TRY_ASSIGN(const auto names, wal::list_log_files(env, data.paths.wal()));
  LogSummary out{.log_lsn = data.image.log_lsn, .clean_lsn = data.image.clean_lsn};
  for (const auto& entry : data.image.collections) out.names[entry.id] = entry.name;
  FileCount count(data.image, out);
  for (std::size_t i = 0; i < names.size(); ++i) {
    LogFileSummary file = count.read(env, names[i]);
    file.needed = i + 1 == names.size() || names[i + 1].first_lsn > data.image.log_lsn;
    out.files.push_back(std::move(file));
  }
  return out;
}

Result<DumpSummary> dump_log(Env& env, const std::string& directory, const DumpOptions& options,
                             const std::function<void(const std::string&)>& line) {
  VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
  VZ_TRY_ASSIGN(const auto names, wal::list_log_files(env, data.paths.wal()));
  DumpSummary out;
  const auto visit = [&](const WalRecord& record) -> Status {
    if (record.lsn > options.to) return {};
    if (out.records++ == 0) out.first_lsn = record.lsn;
    out.last_lsn = record.lsn;
    line(record_as_json(record, options));
    return {};
  };
  // Records that are gone with their files are no damage here.
  const Lsn first = names.empty() ? 1 : std::max<Lsn>(1, names.front().first_lsn);
  VZ_TRY_ASSIGN(const wal::LogSurvey survey,
                wal::survey(env, data.paths.wal(), std::max(first, options.from),
                            manifest::durable_lsn(data.image), visit));
  out.torn_tail = survey.summary.torn_tail;
  for (const wal::LogDamage& damage : survey.damage) out.damage.push_back(damage.message);
  return out;
}

}  // namespace vz::offline
