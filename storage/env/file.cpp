// What every Env can do with its own calls: whole files, in and out.
#include <algorithm>

#include "storage/env/env.h"

namespace vz {
namespace {

/// A new empty file at `path`; a leftover of a crash is removed first.
Result<std::unique_ptr<File>> create_over_leftover(Env& env, const std::string& path) {
  auto file = env.open(path, OpenMode::kCreateNew);
  if (file || file.error().code != ErrorCode::kAlreadyExists) return file;
  VZ_TRY(env.remove(path));
  return env.open(path, OpenMode::kCreateNew);
}

Status write_synced(Env& env, const std::string& path, ByteSpan bytes) {
  VZ_TRY_ASSIGN(const std::unique_ptr<File> file, create_over_leftover(env, path));
  VZ_TRY(file->write_at(0, bytes));
  return file->sync();
}

}  // namespace

Result<Bytes> read_file(Env& env, const std::string& path, std::uint64_t size_max) {
  VZ_TRY_ASSIGN(const std::unique_ptr<File> file, env.open(path, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size > size_max) {
    return fail(ErrorCode::kTooLarge, "reading " + path + ": " + std::to_string(size) +
                                          " bytes, at most " + std::to_string(size_max) +
                                          " expected");
  }
  Bytes bytes(size);
  VZ_TRY(file->read_at(0, bytes));
  return bytes;
}

Status publish_file(Env& env, const std::string& path, ByteSpan bytes) {
  const std::string temporary = path + ".tmp";
  Status written = write_synced(env, temporary, bytes);
  if (written) written = env.rename(temporary, path);
  if (!written) {
    (void)env.remove(temporary);  // Best effort: a leftover is overwritten next time.
    return written;
  }
  return env.sync_directory(parent_directory(path));
}

bool is_directory(Env& env, const std::string& path) {
  const auto entries = env.list(parent_directory(path));
  return entries && std::any_of(entries->begin(), entries->end(), [&](const DirectoryEntry& entry) {
           return entry.type == FileType::kDirectory && path.ends_with("/" + entry.name);
         });
}

namespace {

void remove_directory_tree(Env& env, const std::string& path) {
  remove_content(env, path);
  (void)env.remove_directory(path);
}

}  // namespace

void remove_content(Env& env, const std::string& path) {
  const auto entries = env.list(path);
  if (!entries) return;
  for (const auto& entry : *entries) {
    const std::string inside = path + "/" + entry.name;
    if (entry.type == FileType::kDirectory) {
      remove_directory_tree(env, inside);
    } else {
      (void)env.remove(inside);
    }
  }
}

void remove_tree(Env& env, const std::string& path) {
  if (is_directory(env, path)) remove_directory_tree(env, path);
}

std::string parent_directory(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? 0 : path.rfind('/', end);
  if (end == std::string::npos) return path.empty() ? "." : "/";
  if (slash == std::string::npos) return ".";
  const std::size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

}  // namespace vz
