// MANIFEST-n: one checksummed image of the node. CURRENT names the one in force.
// Byte format: storage/format/manifest_format.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"
#include "storage/env/env.h"
#include "storage/segment/checked_file.h"

namespace vz::manifest {

/// A derived file that is replaced now and then: its number in the name, and what it must be.
struct VersionedFile {
  std::uint64_t number = 0;
  segment::FileInfo info{};
  friend bool operator==(const VersionedFile&, const VersionedFile&) = default;
};

struct SegmentEntry {
  Epoch epoch = 0;
  SegmentSeq seq = 0;
  std::uint32_t rows = 0;
  std::uint32_t dead_rows = 0;  ///< as of flushed_lsn
  segment::FileInfo seg{};
  std::optional<VersionedFile> dead{};
  std::optional<VersionedFile> index{};
  std::optional<VersionedFile> fields{};
  friend bool operator==(const SegmentEntry&, const SegmentEntry&) = default;
};

struct CollectionEntry {
  CollectionId id = 0;
  std::string name{};
  std::string definition_json{};
  std::int64_t created_at_us = 0;
  std::int64_t updated_at_us = 0;        ///< time of the newest flushed record
  Lsn flushed_lsn = 0;                   ///< every record up to here is in the segments
  std::uint64_t points = 0;              ///< alive at flushed_lsn
  std::uint64_t digest = 0;              ///< sum of row hashes mod 2^64 at flushed_lsn
  std::vector<SegmentEntry> segments{};  ///< oldest first
  friend bool operator==(const CollectionEntry&, const CollectionEntry&) = default;
};

enum class EpochKind : std::uint8_t { kStart = 1, kPromote = 2, kRestore = 3 };  // On disk.
struct EpochEntry {
  Epoch epoch = 0;
  Lsn first_lsn = 0;
  EpochKind kind = EpochKind::kStart;
  friend bool operator==(const EpochEntry&, const EpochEntry&) = default;
};

struct Alias {
  std::string name{};
  CollectionId collection = 0;
  friend bool operator==(const Alias&, const Alias&) = default;
};

struct Manifest {
  std::uint64_t number = 0;  ///< n of MANIFEST-n
  SegmentSeq next_seq = 1;
  std::uint64_t next_file_number = 1;  ///< for VersionedFile::number; never reused
  Lsn catalog_lsn = 0;                 ///< collections and aliases are as of this lsn
  Lsn log_lsn = 1;           ///< first lsn that recovery needs: the log may begin at or below it
  Lsn clean_lsn = 0;         ///< last lsn at a clean shutdown; 0 while a node may be running
  std::int64_t time_us = 0;  ///< time of the newest record known; record times never go below it
  std::vector<EpochEntry> epochs{};            ///< oldest first; the last is the present one
  std::vector<CollectionEntry> collections{};  ///< sorted by id
  std::vector<Alias> aliases{};                ///< sorted by name
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// The last record that the log must reach: an image is published when what it knows is durable.
/// 0: none, for the image needs none of the log, or a repair or a restore has cut it.
Lsn durable_lsn(const Manifest& manifest);

/// Checks what every image keeps: bounds of manifest_format.h, order of the lists, seq and number
/// below the next ones. Errors: kOutOfRange, naming the entry.
Status check(const Manifest& manifest);

/// Bytes of MANIFEST-n, checksum included.
Bytes encode(const Manifest& manifest);
/// Errors: kCorruption, kIncompatible (format newer than this program).
Result<Manifest> decode(ByteSpan bytes);

/// Writes `directory`/MANIFEST-<number> and then CURRENT, each by atomic publish. Does not remove
/// older images. Errors: kOutOfRange (check() fails; nothing changed); kIoError, kNoSpace: the old
/// image or the new one is in force, whole, so keep the files of both.
Status publish(Env& env, const std::string& directory, const Manifest& manifest);

/// The number of the image that CURRENT names, whether or not that is there. Errors: kNotFound (no
/// CURRENT), kCorruption, kIoError.
Result<std::uint64_t> read_current(Env& env, const std::string& directory);

/// The image that CURRENT names. Errors: kNotFound (no CURRENT), kCorruption, kIncompatible,
/// kIoError.
Result<Manifest> load(Env& env, const std::string& directory);

/// The image of this number, in force or not. Errors: kNotFound; else as load().
Result<Manifest> load_image(Env& env, const std::string& directory, std::uint64_t number);

/// "MANIFEST-17"
std::string file_name(std::uint64_t number);
/// 17 of "MANIFEST-17"; nothing for any other text.
std::optional<std::uint64_t> parse_file_name(std::string_view name);

}  // namespace vz::manifest
