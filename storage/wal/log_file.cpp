#include "storage/wal/log_file.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace vz::wal {
namespace {

constexpr std::string_view kExtension = ".wal";

template <typename T>
T parse_digits(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

std::string log_file_name(Epoch epoch, Lsn first_lsn) {
  return fmt::format("{:04}-{:020}.wal", epoch, first_lsn);
}

std::optional<LogFileName> parse_log_file_name(const std::string& name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string::npos || !name.ends_with(kExtension)) return std::nullopt;
  const std::string_view text(name);
  LogFileName out;
  out.epoch = parse_digits<Epoch>(text.substr(0, dash));
  out.first_lsn = parse_digits<Lsn>(
      text.substr(dash + 1, text.size() - std::min(text.size(), dash + 1 + kExtension.size())));
  if (out.epoch == 0 || out.first_lsn == 0 || log_file_name(out.epoch, out.first_lsn) != name)
    return std::nullopt;
  return out;
}

Result<std::vector<LogFileName>> list_log_files(Env& env, const std::string& directory) {
  VZ_TRY_ASSIGN(const auto entries, env.list(directory));
  std::vector<LogFileName> files;
  for (const auto& entry : entries) {
    auto file = parse_log_file_name(entry.name);
    if (!file) continue;
    file->path = directory + "/" + entry.name;
    file->size_bytes = entry.size_bytes;
    if (entry.type != FileType::kRegular) {
      return fail(ErrorCode::kCorruption,
                  file->path + ": expected a log file, found something that is not a regular file");
    }
    files.push_back(std::move(*file));
  }
  std::sort(files.begin(), files.end(), [](const LogFileName& a, const LogFileName& b) {
    return std::tie(a.epoch, a.first_lsn) < std::tie(b.epoch, b.first_lsn);
  });
  return files;
}

LogFileReader::LogFileReader(LogFileName name, std::unique_ptr<MappedFile> map,
                             format::WalFileHeader header)
    : name_(std::move(name)),
      map_(std::move(map)),
      header_(header),
      seed_(format::wal_crc_seed(header.salt)),
      next_lsn_(header.first_lsn) {}

Result<LogFileReader> LogFileReader::open(Env& env, const LogFileName& name) {
  if (name.size_bytes < format::kWalFileHeaderSize) {  // Nothing can be mapped of an empty file.
    return fail(ErrorCode::kCorruption,
                fmt::format("{} at 0: expected a log file header of 4096 bytes, found a file of {}",
                            name.path, name.size_bytes));
  }
  VZ_TRY_ASSIGN(auto map, env.map(name.path));
  auto header = format::decode_wal_file_header(map->bytes());
  if (map->failed()) return fail(ErrorCode::kIoError, name.path + " at 0: cannot be read");
  if (!header) return while_doing(std::move(header.error()), name.path + " at 0");
  if (header->epoch != name.epoch || header->first_lsn != name.first_lsn) {
    return fail(
        ErrorCode::kCorruption,
        fmt::format("{} at 0: expected epoch {} and first lsn {} as in the name, found {} "
                    "and {}: the file was renamed or replaced by another one",
                    name.path, name.epoch, name.first_lsn, header->epoch, header->first_lsn));
  }
  return LogFileReader(name, std::move(map), *header);
}

Result<std::optional<format::WalRecord>> LogFileReader::next() {
  if (offset_ >= bytes().size()) return std::nullopt;
  auto record = format::decode_wal_record(bytes().subspan(offset_), seed_);
  if (!record) {
    if (record.error().code == ErrorCode::kCorruption) return std::nullopt;
    return while_doing(std::move(record.error()), fmt::format("{} at {}", name_.path, offset_));
  }
  // The salt makes it certain that this program wrote this record into this file. So one that does
  // not fit is no torn tail, which can only lack records.
  const bool starts_group = record->group_lsn == record->lsn;
  const bool continues_group = group_lsn_ != 0 && record->group_lsn == group_lsn_;
  if (record->lsn != next_lsn_ || record->epoch != header_.epoch ||
      !(starts_group || continues_group)) {
    return fail(ErrorCode::kCorruption,
                fmt::format("{} at {}: expected record {} of epoch {}, found a valid record {} of "
                            "epoch {} and group {}",
                            name_.path, offset_, next_lsn_, header_.epoch, record->lsn,
                            record->epoch, record->group_lsn));
  }
  offset_ += format::wal_record_size(record->payload.size());
  ++next_lsn_;
  group_lsn_ = record->group_lsn;
  return std::optional(*record);
}

Status LogFileReader::readable() const {
  if (map_->failed()) return fail(ErrorCode::kIoError, name_.path + ": a page cannot be read");
  return {};
}

Result<PreparedLogFile> prepare_log_file(Env& env, const std::string& directory,
                                         format::WalFileHeader header, std::uint64_t size,
                                         const std::string& spare) {
  const bool fresh = spare.empty();
  header.beyond = fresh ? format::BeyondRecords::kZero : format::BeyondRecords::kAnything;
  PreparedLogFile out{.path = spare, .header = header};
  if (fresh) out.path = directory + "/" + log_file_name(header.epoch, header.first_lsn) + ".tmp";
  if (fresh && env.exists(out.path)) VZ_TRY(env.remove(out.path));
  const auto fill = [&]() -> Status {
    VZ_TRY_ASSIGN(const auto file,
                  env.open(out.path, fresh ? OpenMode::kCreateNew : OpenMode::kReadWrite));
    if (fresh) VZ_TRY(file->fill_zero(size));
    VZ_TRY(file->write_at(0, format::encode_wal_file_header(header)));
    return file->sync();
  };
  if (Status filled = fill(); !filled) {
    if (fresh && env.exists(out.path)) static_cast<void>(env.remove(out.path));
    return tl::unexpected<Error>(std::move(filled).error());
  }
  return out;
}

Result<std::unique_ptr<File>> name_log_file(Env& env, const std::string& directory,
                                            const PreparedLogFile& prepared) {
  const std::string path =
      directory + "/" + log_file_name(prepared.header.epoch, prepared.header.first_lsn);
  VZ_TRY(env.rename(prepared.path, path));
  VZ_TRY(env.sync_directory(directory));
  return env.open(path, OpenMode::kReadWrite);  // Anew, so that its errors name the file as it is.
}

}  // namespace vz::wal
