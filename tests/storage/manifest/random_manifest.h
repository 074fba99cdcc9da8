// Manifests made from a seed, for tests of the manifest and the store.
#pragma once

#include <algorithm>
#include <random>

#include "storage/manifest/manifest.h"

namespace vz::test {

class ManifestMaker {
 public:
  explicit ManifestMaker(std::uint64_t seed) : generator_(seed) {}

  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(generator_);
  }

  /// A sound manifest: check() passes.
  manifest::Manifest make(std::uint64_t number, std::size_t collections_max = 5,
                          std::size_t segments_max = 6) {
    manifest::Manifest made;
    made.number = number;
    made.next_seq = 1'000'000;
    made.next_file_number = 1'000'000;
    made.catalog_lsn = generator_();
    made.log_lsn = generator_();
    made.clean_lsn = generator_();
    made.time_us = static_cast<std::int64_t>(generator_());
    for (Epoch epoch = 1; epoch <= below(5); ++epoch) {
      made.epochs.push_back(
          {epoch, epoch * 100 + below(100), static_cast<manifest::EpochKind>(1 + below(3))});
    }
    const std::uint64_t collections = below(collections_max + 1);
    for (std::uint64_t index = 0; index < collections; ++index) {
      made.collections.push_back(collection(index * 10 + 1, segments_max));
    }
    const std::uint64_t aliases = below(4);
    for (std::uint64_t index = 0; index < aliases; ++index) {
      made.aliases.push_back({"alias-" + std::to_string(index), below(100)});
    }
    return made;
  }

  segment::FileInfo file_info() {
    segment::FileInfo info{.size_bytes = generator_(),
                           .trailer_crc32c = static_cast<std::uint32_t>(generator_())};
    for (auto& byte : info.sha256) byte = static_cast<std::uint8_t>(generator_());
    return info;
  }

 private:
  std::string text(std::size_t size_max) {
    std::string out(below(size_max + 1), '\0');
    std::generate(out.begin(), out.end(), [this] { return static_cast<char>(generator_()); });
    return out;
  }

  std::optional<manifest::VersionedFile> versioned() {
    if (below(2) == 0) return std::nullopt;
    return manifest::VersionedFile{below(1'000'000), file_info()};
  }

  manifest::CollectionEntry collection(CollectionId id, std::size_t segments_max) {
    manifest::CollectionEntry made{.id = id,
                                   .name = text(40),
                                   .definition_json = text(200),
                                   .created_at_us = static_cast<std::int64_t>(generator_()),
                                   .updated_at_us = static_cast<std::int64_t>(generator_()),
                                   .flushed_lsn = generator_(),
                                   .points = generator_(),
                                   .digest = generator_(),
                                   .segments = {}};
    const std::uint64_t segments = below(segments_max + 1);
    for (std::uint64_t index = 0; index < segments; ++index) {
      const auto rows = static_cast<std::uint32_t>(below(1u << 20));
      made.segments.push_back({.epoch = static_cast<Epoch>(1 + below(4)),
                               .seq = id * 1'000 + index,
                               .rows = rows,
                               .dead_rows = static_cast<std::uint32_t>(below(rows + 1)),
                               .seg = file_info(),
                               .dead = versioned(),
                               .index = versioned(),
                               .fields = versioned()});
    }
    return made;
  }

  std::mt19937_64 generator_;
};

}  // namespace vz::test
