#include "storage/store/swap.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "storage/base/crc32c.h"

namespace vz::store {
namespace {

constexpr std::string_view kStagedPrefix = "tmp/restore-";
constexpr std::string_view kPreviousPrefix = "previous-";
constexpr std::uint64_t kSwapBytesMax = 512;

std::string swap_path(const Paths& paths) {
  return paths.root + "/SWAP";
}

/// Of our own making: no separator, no dot, so that it stays where it belongs.
bool is_name(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix) || text.size() == prefix.size() || text.size() > 100) return false;
  return std::all_of(
      text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(),
      [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-'; });
}

bool is_valid(const Swap& swap) {
  return is_name(swap.staged, kStagedPrefix) && is_name(swap.previous, kPreviousPrefix);
}

std::string encode(const Swap& swap) {
  const std::string names = swap.staged + " " + swap.previous;
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32c(as_bytes(names)));
  return names + " " + checksum + "\n";
}

Result<Swap> read_swap(Env& env, const std::string& path) {
  auto bytes = read_file(env, path, kSwapBytesMax);
  if (!bytes && bytes.error().code != ErrorCode::kTooLarge) {
    return tl::unexpected<Error>(std::move(bytes).error());
  }
  if (bytes) {
    const std::string_view text = as_text(*bytes);
    const std::size_t first = text.find(' ');
    const std::size_t second = first == text.npos ? text.npos : text.find(' ', first + 1);
    if (second != text.npos) {
      Swap swap{std::string(text.substr(0, first)),
                std::string(text.substr(first + 1, second - first - 1))};
      if (is_valid(swap) && encode(swap) == text) return swap;
    }
  }
  return fail(ErrorCode::kCorruption,
              path + ", offset 0: a staged and a previous directory and a checksum expected");
}

/// Moves one name and makes that durable: first where it arrives, then where it left.
Status move(Env& env, const std::string& from, const std::string& to) {
  VZ_TRY(env.rename(from, to));
  VZ_TRY(env.sync_directory(parent_directory(to)));
  return env.sync_directory(parent_directory(from));
}

Status move_if_there(Env& env, const std::string& from, const std::string& to) {
  return env.exists(from) ? move(env, from, to) : Status();
}

/// The image that the staged CURRENT names. Errors: kCorruption, kIoError.
Result<std::string> staged_image(Env& env, const std::string& staged) {
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, staged + "/CURRENT", kSwapBytesMax));
  const std::string_view text = as_text(bytes);
  const std::string name(text.substr(0, text.find(' ')));
  if (manifest::parse_file_name(name)) return name;
  return fail(ErrorCode::kCorruption, staged + "/CURRENT, offset 0: the name of an image expected");
}

Status move_images(Env& env, const std::string& root, const std::string& staged,
                   const std::string& previous) {
  if (!env.exists(staged + "/CURRENT")) return {};
  VZ_TRY_ASSIGN(const std::string image, staged_image(env, staged));
  VZ_TRY_ASSIGN(const auto entries, env.list(root));
  for (const auto& entry : entries) {
    const bool old = (manifest::parse_file_name(entry.name) && entry.name != image) ||
                     entry.name == "RESTORE" || entry.name == "CURRENT";
    if (old) VZ_TRY(move(env, root + "/" + entry.name, previous + "/" + entry.name));
  }
  VZ_TRY(move_if_there(env, staged + "/" + image, root + "/" + image));
  return move(env, staged + "/CURRENT", root + "/CURRENT");
}

}  // namespace

bool swap_pending(Env& env, const Paths& paths) {
  return env.exists(swap_path(paths));
}

Status swap_in(Env& env, const Paths& paths, const Swap& swap) {
  if (!is_valid(swap)) {
    return fail(ErrorCode::kInvalidArgument,
                "\"" + swap.staged + "\" and \"" + swap.previous + "\" are no names for a swap");
  }
  VZ_TRY(publish_file(env, swap_path(paths), as_bytes(encode(swap))));
  return finish_swap(env, paths);
}

Status finish_swap(Env& env, const Paths& paths) {
  if (!swap_pending(env, paths)) return {};
  VZ_TRY_ASSIGN(const Swap swap, read_swap(env, swap_path(paths)));
  const std::string staged = paths.root + "/" + swap.staged;
  const std::string previous = paths.root + "/" + swap.previous;
  // Who was here before may have died between a rename and its sync.
  for (const std::string& path : {staged, previous, paths.root}) {
    if (env.exists(path)) VZ_TRY(env.sync_directory(path));
  }
  for (const std::string name : {"collections", "wal"}) {
    if (!env.exists(staged + "/" + name)) continue;
    VZ_TRY(move_if_there(env, paths.root + "/" + name, previous + "/" + name));
    VZ_TRY(move(env, staged + "/" + name, paths.root + "/" + name));
  }
  VZ_TRY(move_images(env, paths.root, staged, previous));
  VZ_TRY(env.remove(swap_path(paths)));
  return env.sync_directory(paths.root);
}

}  // namespace vz::store
