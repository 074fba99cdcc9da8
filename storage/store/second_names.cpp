#include "storage/store/second_names.h"

#include <algorithm>
#include <set>

namespace vz::store {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;

Status copy_file(Env& env, const std::string& from, const std::string& to) {
  VZ_TRY_ASSIGN(const auto source, env.open(from, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t size, source->size());
  VZ_TRY_ASSIGN(const auto target, env.open(to, OpenMode::kCreateNew));
  Bytes buffer(std::min<std::uint64_t>(kReadBytes, size));
  for (std::uint64_t at = 0; at < size;) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    VZ_TRY(source->read_at(at, piece));
    VZ_TRY(target->write_at(at, piece));
    at += piece.size();
  }
  return target->sync();
}

}  // namespace

Status give_second_names(Env& env, const Paths& paths, const std::string& to_directory,
                         const std::vector<format::RestoreFile>& files, NamesLast last) {
  std::set<std::string> directories = {to_directory, to_directory + "/collections"};
  VZ_TRY(env.create_directory(to_directory + "/collections"));
  for (const auto& file : files) {
    const std::string from = paths.root + "/" + file.path;
    const std::string to = to_directory + "/" + file.path;
    const std::string directory = parent_directory(to);
    if (directories.insert(directory).second) VZ_TRY(env.create_directory(directory));
    Status made = env.link(from, to);
    if (!made && made.error().code == ErrorCode::kUnsupported) made = copy_file(env, from, to);
    VZ_TRY(made);
  }
  if (last == NamesLast::kInProcess) return {};
  for (const std::string& directory : directories) VZ_TRY(env.sync_directory(directory));
  return {};
}

}  // namespace vz::store
