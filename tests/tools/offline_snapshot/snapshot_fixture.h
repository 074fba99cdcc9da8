// A small data directory made by the real engine, and what it holds.
#pragma once

#include <map>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "storage/archive/archive_reader.h"
#include "storage/archive/byte_stream.h"
#include "storage/manifest/manifest.h"
#include "tests/support/test_node.h"
#include "tools/offline/snapshot_pack.h"
#include "tools/offline/snapshot_restore.h"

namespace vz::test {

inline constexpr const char* kOther = "/other";

/// Every point of every collection, and the collections' digests.
struct Everything {
  std::map<std::string, CollectionState> points;
  std::map<std::string, std::uint64_t> digests;
  friend bool operator==(const Everything&, const Everything&) = default;
};

inline Result<std::unique_ptr<node::Node>> open_node(Env& env, const std::string& directory,
                                                     const store::OpenOptions& opening = {}) {
  node::NodeOptions options = small_node();
  options.data_dir = directory;
  return node::Node::open(env, options, opening);
}

inline Result<Everything> read_everything(Env& env, const std::string& directory,
                                          const store::OpenOptions& opening = {}) {
  VZ_TRY_ASSIGN(const auto node, open_node(env, directory, opening));
  Everything out;
  for (const auto& reader : node->collections()) {
    VZ_TRY_ASSIGN(out.points[reader->name()], read_all(*reader));
  }
  VZ_TRY(node->close());
  VZ_TRY_ASSIGN(const auto image, manifest::load(env, directory));
  for (const auto& entry : image.collections) out.digests[entry.name] = entry.digest;
  return out;
}

inline manifest::Manifest image_of(Env& env, const std::string& directory) {
  const auto image = manifest::load(env, directory);
  REQUIRE(image);
  return *image;
}

enum class End { kClean, kKilled };

/// `points` points a collection with ids from `first` on; some of them overwritten, some deleted.
inline void run_node(Env& env, const std::string& directory, std::uint64_t first,
                     std::uint64_t points, End end = End::kClean) {
  auto node = open_node(env, directory);
  INFO((node ? "" : node.error().message));
  REQUIRE(node);
  for (const std::string name : {"docs", "words"}) {
    if ((*node)->find(name) == nullptr) REQUIRE(create(**node, name));
    std::vector<log::PointData> batch;
    for (std::uint64_t id = first; id < first + points; ++id) {
      batch.push_back(point(id, {static_cast<float>(id), 0.5f, -1.0f, 2.0f},
                            "{\"n\":" + std::to_string(id) + "}"));
    }
    REQUIRE(upsert(**node, name, batch));
    REQUIRE((*node)->settle());
    batch.resize(points / 2);
    REQUIRE(upsert(**node, name, batch));
    REQUIRE(erase(**node, name, {PointId::number(first)}));
  }
  if (end == End::kClean) REQUIRE((*node)->close());
}

inline Bytes packed(Env& env, const std::string& directory,
                    archive::ArchiveFormat format = archive::ArchiveFormat::kTarGzip) {
  archive::MemorySink sink;
  const auto report = offline::pack(env, directory, format, sink);
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  return sink.bytes();
}

/// A file of an archive.
struct Member {
  std::string path;
  Bytes content;
  friend bool operator==(const Member&, const Member&) = default;
};

inline std::vector<Member> members_of(const Bytes& archive) {
  archive::MemorySource source(archive);
  auto reader = archive::ArchiveReader::open(source);
  REQUIRE(reader);
  std::vector<Member> members;
  Bytes buffer(4096);
  for (;;) {
    const auto member = (*reader)->next();
    REQUIRE(member);
    if (!*member) return members;
    members.push_back({(*member)->path, {}});
    for (;;) {
      const auto got = (*reader)->read(buffer);
      REQUIRE(got);
      if (*got == 0) break;
      members.back().content.insert(members.back().content.end(), buffer.begin(),
                                    buffer.begin() + static_cast<long>(*got));
    }
  }
}

/// What `tar -x` does with one member: it goes where its path says, over what is there. Not synced.
inline void untar(Env& env, const Member& member, const std::string& directory) {
  const std::string path = directory + "/" + member.path;
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    REQUIRE(env.create_directory(path.substr(0, slash)));
  if (env.exists(path)) REQUIRE(env.remove(path));
  const auto file = env.open(path, OpenMode::kCreateNew);
  REQUIRE(file);
  REQUIRE((*file)->write_at(0, member.content));
}

inline void untar(Env& env, const Bytes& archive, const std::string& directory) {
  for (const Member& member : members_of(archive)) untar(env, member, directory);
}

/// Every file below a directory but LOCK, by its relative path.
inline std::map<std::string, Bytes> tree_of(Env& env, const std::string& directory,
                                            const std::string& below = "") {
  std::map<std::string, Bytes> files;
  const auto entries = env.list(directory + below);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const std::string path = below + "/" + entry.name;
    if (entry.type == FileType::kDirectory) files.merge(tree_of(env, directory, path));
    if (entry.type != FileType::kRegular || path == "/LOCK") continue;
    const auto bytes = read_file(env, directory + path, 1u << 30);
    REQUIRE(bytes);
    files[path] = *bytes;
  }
  return files;
}

inline Result<offline::RestoreReport> restore(
    Env& env, const Bytes& archive, const std::string& directory,
    offline::RestoreOptions::Existing existing = offline::RestoreOptions::Existing::kRefused) {
  archive::MemorySource source(archive);
  return offline::restore(env, source, {.data_dir = directory, .existing = existing});
}

inline constexpr auto kReplaced = offline::RestoreOptions::Existing::kReplaced;

/// Names in a directory; "(absent)" if it is not there.
inline std::string names_in(Env& env, const std::string& directory) {
  const auto entries = env.list(directory);
  if (!entries) return "(absent)";
  std::string names;
  for (const auto& entry : *entries) names += entry.name + " ";
  return names;
}

}  // namespace vz::test
