// Manifest images on disk, and CURRENT. Layout: storage/format/manifest_format.h.
#include "storage/manifest/manifest.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "storage/base/crc32c.h"
#include "storage/format/manifest_format.h"

namespace vz::manifest {
namespace {

constexpr std::string_view kPrefix = "MANIFEST-";

std::string current_path(const std::string& directory) {
  return directory + "/CURRENT";
}

std::string current_text(std::uint64_t number) {
  const std::string name = file_name(number);
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32c(as_bytes(name)));
  return name + " " + checksum + "\n";
}

}  // namespace

std::string file_name(std::uint64_t number) {
  return std::string(kPrefix) + std::to_string(number);
}

std::optional<std::uint64_t> parse_file_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc() || file_name(number) != name) return std::nullopt;
  return number;
}

Status publish(Env& env, const std::string& directory, const Manifest& manifest) {
  VZ_TRY(check(manifest));
  const Bytes bytes = encode(manifest);
  if (bytes.size() > format::kManifestBytesMax) {
    return fail(ErrorCode::kOutOfRange, "manifest: " + std::to_string(bytes.size()) +
                                            " bytes, at most " +
                                            std::to_string(format::kManifestBytesMax));
  }
  VZ_TRY(publish_file(env, directory + "/" + file_name(manifest.number), bytes));
  return publish_file(env, current_path(directory), as_bytes(current_text(manifest.number)));
}

Result<std::uint64_t> read_current(Env& env, const std::string& directory) {
  const std::string path = current_path(directory);
  auto bytes = read_file(env, path, format::kCurrentBytesMax);
  if (!bytes && bytes.error().code != ErrorCode::kTooLarge) {
    return tl::unexpected<Error>(std::move(bytes).error());
  }
  if (bytes) {
    const std::string_view text = as_text(*bytes);
    const auto number = parse_file_name(text.substr(0, text.find(' ')));
    if (number && current_text(*number) == text) return *number;
  }
  return fail(ErrorCode::kCorruption,
              path + ", offset 0: the name of an image and its checksum expected");
}

Result<Manifest> load_image(Env& env, const std::string& directory, std::uint64_t number) {
  const std::string path = directory + "/" + file_name(number);
  auto bytes = read_file(env, path, format::kManifestBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kTooLarge) {
    return fail(ErrorCode::kCorruption, std::move(bytes).error().message);
  }
  if (!bytes) return tl::unexpected<Error>(std::move(bytes).error());
  auto manifest = decode(*bytes);
  if (!manifest) return while_doing(std::move(manifest).error(), path);
  if (manifest->number != number) {
    return fail(ErrorCode::kCorruption, path + ": it says that it is number " +
                                            std::to_string(manifest->number) +
                                            ": a file was renamed or copied");
  }
  return manifest;
}

Result<Manifest> load(Env& env, const std::string& directory) {
  VZ_TRY_ASSIGN(const std::uint64_t number, read_current(env, directory));
  auto manifest = load_image(env, directory, number);
  if (!manifest && manifest.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorruption,
                current_path(directory) + " names " + file_name(number) + ", which is missing");
  }
  return manifest;
}

Lsn durable_lsn(const Manifest& manifest) {
  const bool needed = manifest.catalog_lsn >= manifest.log_lsn;
  // Where an epoch began behind what the image knows, the log may have been cut before it.
  const bool cut =
      !manifest.epochs.empty() && manifest.epochs.back().first_lsn > manifest.catalog_lsn;
  return std::max(manifest.clean_lsn, needed && !cut ? manifest.catalog_lsn : 0);
}

}  // namespace vz::manifest
