#include "storage/snapshot/folder.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "storage/store/restoration.h"

namespace vz::snapshot {
namespace {

constexpr std::string_view kPrefix = "snapshot-";
constexpr std::string_view kCollections = "collections";
constexpr std::string_view kManifestEnd = ".manifest.json";
constexpr std::string_view kChecksumEnd = ".sha256";
constexpr std::uint64_t kChecksumFileBytesMax = 4096;
constexpr std::size_t kHexBytes = 64;
constexpr std::size_t kTimeBytes = 16;  ///< of "20261125T031500Z"

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_archive_name(std::string_view name) {
  return is_plain_name(name) && archive::format_of_name(name).has_value();
}

/// "2026-11-25T03:15:00" of "snapshot-20261125T031500Z...".
std::string time_in(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kTimeBytes) return "";
  const std::string_view text = name.substr(kPrefix.size(), kTimeBytes);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char wanted = i == 8 ? 'T' : i == 15 ? 'Z' : '0';
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (wanted == '0' ? !digit : text[i] != wanted) return "";
    if (i == 4 || i == 6) out += '-';
    if (i == 11 || i == 13) out += ':';
    if (wanted != 'Z') out += text[i];
  }
  return out;
}

/// The archive that a file beside it belongs to; "" if it is none of ours.
std::string_view archive_of(std::string_view name) {
  for (const std::string_view end : {kManifestEnd, kChecksumEnd})
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size());
  return "";
}

Error no_such_archive(std::string_view name) {
  return {ErrorCode::kNotFound, "there is no snapshot " + std::string(name)};
}

}  // namespace

std::string folder_of(const std::string& data_dir) {
  return data_dir + "/snapshots";
}

namespace {
std::string folders_of_collections(const std::string& data_dir) {
  return folder_of(data_dir) + "/" + std::string(kCollections);
}
}  // namespace

std::string folder_of_collection(const std::string& data_dir, const std::string& collection) {
  std::string directory = collection;
  if (!is_plain_name(collection)) {
    Sha256 hash;
    hash.update(as_bytes(collection));
    directory = "=" + to_hex(hash.finish());
  }
  return folders_of_collections(data_dir) + "/" + directory;
}

Status make_collection_folders(Env& env, const std::string& data_dir) {
  VZ_TRY(env.create_directory(folder_of(data_dir)));
  VZ_TRY(env.sync_directory(data_dir));
  VZ_TRY(env.create_directory(folders_of_collections(data_dir)));
  return env.sync_directory(folder_of(data_dir));
}

void remove_leftovers(Env& env, const std::string& data_dir) {
  Folder(env, folder_of(data_dir)).remove_leftovers();
  const std::string folders = folders_of_collections(data_dir);
  const auto entries = env.list(folders);
  if (!entries) return;
  for (const auto& entry : *entries)
    if (entry.type == FileType::kDirectory)
      Folder(env, folders + "/" + entry.name).remove_leftovers();
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_letter_or_digit(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
  });
}

std::string Folder::path(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}

std::string Folder::checksum_of(const std::string& name) const {
  const auto bytes = read_file(env_, checksum_path(path(name)), kChecksumFileBytesMax);
  if (!bytes || bytes->size() < kHexBytes) return "";
  return std::string(as_text(*bytes).substr(0, kHexBytes));
}

Result<std::string> Folder::free_name(archive::ArchiveFormat format) const {
  const std::string_view end = format == archive::ArchiveFormat::kTarGzip ? ".tar.gz" : ".tar.zst";
  const std::string stem = std::string(kPrefix) + store::compact_utc_now();
  std::string name = stem + std::string(end);
  for (int number = 2; env_.exists(path(name)); ++number)
    name = stem + "-" + std::to_string(number) + std::string(end);
  return name;
}

Result<ArchiveInfo> Folder::create(archive::ArchiveFormat format, const Write& write) {
  VZ_TRY(env_.create_directory(directory_));
  VZ_TRY(env_.sync_directory(parent_directory(directory_)));
  VZ_TRY_ASSIGN(const std::string name, free_name(format));
  const std::string manifest = path(name) + std::string(kManifestEnd);
  const auto report = publish_archive(
      env_, path(name), Present::kRefused, [&](archive::ByteSink& sink) -> Result<PackReport> {
        VZ_TRY_ASSIGN(Written written, write(name, sink));
        VZ_TRY(publish_file(env_, manifest, as_bytes(written.manifest_json)));
        return std::move(written.report);
      });
  if (!report) {
    for (const std::string& beside : {manifest, checksum_path(path(name))})
      if (env_.exists(beside) && !env_.exists(path(name))) (void)env_.remove(beside);
  }
  VZ_TRY(report);
  return ArchiveInfo{.name = name,
                     .created = time_in(name),
                     .size_bytes = report->archive_bytes,
                     .sha256 = to_hex(report->archive_sha256)};
}

Result<std::vector<ArchiveInfo>> Folder::list() const {
  std::vector<ArchiveInfo> out;
  if (!env_.exists(directory_)) return out;
  VZ_TRY_ASSIGN(const auto entries, env_.list(directory_));
  for (const auto& entry : entries) {
    if (entry.type != FileType::kRegular || !is_archive_name(entry.name)) continue;
    out.push_back({.name = entry.name,
                   .created = time_in(entry.name),
                   .size_bytes = entry.size_bytes,
                   .sha256 = checksum_of(entry.name)});
  }
  return out;
}

Result<OpenedFile> Folder::open(std::string_view name) const {
  const bool manifest = name.ends_with(kManifestEnd);
  const std::string_view archive = manifest ? archive_of(name) : name;
  if (!is_plain_name(archive)) {
    return fail(ErrorCode::kInvalidArgument,
                "a snapshot's name has 1 to " + std::to_string(kNameBytesMax) +
                    " letters, digits, '_', '.' and '-', and begins with a letter or a digit");
  }
  if (!is_archive_name(archive)) return tl::unexpected<Error>(no_such_archive(archive));
  auto file = env_.open_beneath(directory_, std::string(archive));
  if (file && manifest) file = env_.open_beneath(directory_, std::string(name));
  if (!file && file.error().code == ErrorCode::kNotFound)
    return tl::unexpected<Error>(no_such_archive(name));
  if (!file) return tl::unexpected<Error>(std::move(file).error());
  VZ_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
  return OpenedFile{*std::move(file), size};
}

Status Folder::remove(std::string_view name) {
  if (name.ends_with(kManifestEnd)) return tl::unexpected<Error>(no_such_archive(name));
  VZ_TRY(open(name));
  VZ_TRY(env_.remove(path(name)));
  VZ_TRY(env_.sync_directory(directory_));
  for (const std::string& beside :
       {checksum_path(path(name)), path(name) + std::string(kManifestEnd)}) {
    if (env_.exists(beside)) (void)env_.remove(beside);  // Else the next start does.
  }
  return {};
}

Result<Folder::Arriving> Folder::begin_arrival() {
  static std::atomic<std::uint64_t> number{0};  // Of the process: no two of a folder are the same.
  VZ_TRY(env_.create_directory(directory_));
  while (true) {
    std::string to = path(std::string(kPrefix) + "upload-" +
                          std::to_string(number.fetch_add(1, std::memory_order_relaxed)) + ".tmp");
    auto file = env_.open(to, OpenMode::kCreateNew);
    if (file) return Arriving{std::move(to), *std::move(file)};
    if (file.error().code != ErrorCode::kAlreadyExists)
      return tl::unexpected<Error>(std::move(file).error());
  }
}

void Folder::remove_leftovers() {
  const auto entries = env_.list(directory_);
  if (!entries) return;
  std::set<std::string, std::less<>> names;
  for (const auto& entry : *entries) names.insert(entry.name);
  for (const auto& entry : *entries) {
    if (entry.type != FileType::kRegular || !entry.name.starts_with(kPrefix)) continue;
    const std::string_view archive = archive_of(entry.name);
    const bool orphan = !archive.empty() && !names.contains(archive);
    if (orphan || entry.name.ends_with(".tmp")) (void)env_.remove(path(entry.name));
  }
}

}  // namespace vz::snapshot
