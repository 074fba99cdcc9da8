// A store in memory, and images that name files which exist.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"
#include "storage/store/store.h"

namespace vz::test {

inline constexpr const char* kData = "/srv/data";

inline std::vector<std::string> names_in(Env& env, const std::string& path) {
  const auto entries = env.list(path);
  REQUIRE(entries);
  std::vector<std::string> names;
  for (const auto& entry : *entries) names.push_back(entry.name);
  return names;
}

inline std::unique_ptr<store::Store> open_store(Env& env) {
  auto opened = store::Store::open(env, kData);
  INFO((opened ? "" : opened.error().message));
  REQUIRE(opened);
  return std::move(*opened);
}

/// Image `number` with one collection 7 whose only segment is `seq`.
inline manifest::Manifest image(std::uint64_t number, SegmentSeq seq) {
  manifest::Manifest made{.number = number, .next_seq = seq + 1, .next_file_number = seq + 1};
  made.catalog_lsn = 50;
  made.collections = {{.id = 7, .name = "docs", .flushed_lsn = number}};
  made.collections[0].segments = {
      {.epoch = 1, .seq = seq, .rows = 1, .dead = manifest::VersionedFile{seq, {}}}};
  return made;
}

/// Writes the files that `manifest` names, durably, as a sealer does.
inline Status write_files(store::Store& store, const manifest::Manifest& manifest) {
  for (const auto& collection : manifest.collections) {
    VZ_TRY(store.create_collection_directory(collection.id));
  }
  for (const std::string& path : store::files_of(store.paths(), manifest)) {
    if (!store.env().exists(path)) VZ_TRY(publish_file(store.env(), path, as_bytes(path)));
  }
  return {};
}

/// Every file that the image names is there, whole.
inline bool files_are_whole(Env& env, const manifest::Manifest& manifest) {
  for (const std::string& path : store::files_of({kData}, manifest)) {
    const auto bytes = read_file(env, path, 4096);
    if (!bytes || as_text(*bytes) != path) return false;
  }
  return true;
}

}  // namespace vz::test
