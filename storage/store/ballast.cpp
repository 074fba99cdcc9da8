#include "storage/store/ballast.h"

#include <algorithm>

namespace vz::store {
namespace {

constexpr std::uint64_t kMib = 1u << 20;

}  // namespace

std::uint64_t default_reserve_bytes(std::uint64_t disk_bytes) {
  return std::clamp(disk_bytes / 20, 64 * kMib, 1024 * kMib);
}

std::uint64_t ballast_bytes(std::uint64_t reserve_bytes) {
  return std::clamp(reserve_bytes / 4, 4 * kMib, 64 * kMib);
}

std::string ballast_path(const Paths& paths) {
  return paths.root + "/BALLAST";
}

Status make_ballast(Env& env, const Paths& paths, std::uint64_t size_bytes) {
  const std::string path = ballast_path(paths);
  if (env.exists(path)) return {};
  auto file = env.open(path, OpenMode::kCreateNew);
  if (!file) return tl::unexpected<Error>(std::move(file).error());
  // Written, not only extended: a hole would hold nothing back.
  const Status filled = (*file)->fill_zero(size_bytes);
  if (!filled) release_ballast(env, paths);
  return filled;
}

bool release_ballast(Env& env, const Paths& paths) {
  return env.exists(ballast_path(paths)) && env.remove(ballast_path(paths)).has_value();
}

std::uint64_t present_ballast_bytes(Env& env, const Paths& paths) {
  const auto file = env.open(ballast_path(paths), OpenMode::kRead);
  return file ? (*file)->size().value_or(0) : 0;
}

}  // namespace vz::store
