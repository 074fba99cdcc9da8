// Manifest <-> bytes. Layout: storage/format/manifest_format.h.
#include <algorithm>
#include <set>

#include "storage/base/crc32c.h"
#include "storage/format/manifest_format.h"
#include "storage/manifest/manifest.h"

namespace vz::manifest {

using namespace vz::format;

namespace {

// --- encode ---

void write_file_info(ByteWriter& out, const segment::FileInfo& info) {
  out.number(info.size_bytes);
  out.number(info.trailer_crc32c);
  out.numbers(std::span<const std::uint8_t>(info.sha256));
}

void write_versioned(ByteWriter& out, const std::optional<VersionedFile>& file) {
  out.number(static_cast<std::uint8_t>(file.has_value() ? 1 : 0));
  if (!file) return;
  out.number(file->number);
  write_file_info(out, file->info);
}

void write_segment(ByteWriter& out, const SegmentEntry& segment) {
  out.number(segment.epoch);
  out.number(segment.seq);
  out.number(segment.rows);
  out.number(segment.dead_rows);
  write_file_info(out, segment.seg);
  write_versioned(out, segment.dead);
  write_versioned(out, segment.index);
  write_versioned(out, segment.fields);
}

void write_collection(ByteWriter& out, const CollectionEntry& collection) {
  out.number(collection.id);
  out.text(collection.name);
  out.text(collection.definition_json);
  out.number(collection.created_at_us);
  out.number(collection.updated_at_us);
  out.number(collection.flushed_lsn);
  out.number(collection.points);
  out.number(collection.digest);
  out.number(static_cast<std::uint32_t>(collection.segments.size()));
  for (const auto& segment : collection.segments) write_segment(out, segment);
}

/// Over everything but the checksum itself.
std::uint32_t checksum(ByteSpan bytes) {
  return crc32c(bytes.subspan(kManifestCrcOffset + 4), crc32c(bytes.first(kManifestCrcOffset)));
}

// --- decode ---

tl::unexpected<Error> corrupt(std::size_t offset, std::string what) {
  return fail(ErrorCode::kCorruption,
              "manifest, offset " + std::to_string(offset) + ": " + std::move(what));
}

/// A count that is within its bound and for which enough bytes are left.
Result<std::size_t> read_count(ByteReader& in, std::string_view of, std::size_t max,
                               std::size_t entry_bytes_min) {
  const std::size_t offset = in.offset();
  const std::size_t count = in.number<std::uint32_t>();
  if (!in.ok() || count > max || count > in.remaining() / entry_bytes_min) {
    return corrupt(offset, "count of " + std::string(of) + " is " + std::to_string(count) +
                               ", at most " + std::to_string(max) + " and what fits into " +
                               std::to_string(in.remaining()) + " bytes expected");
  }
  return count;
}

segment::FileInfo read_file_info(ByteReader& in) {
  segment::FileInfo info;
  info.size_bytes = in.number<std::uint64_t>();
  info.trailer_crc32c = in.number<std::uint32_t>();
  const ByteSpan digest = in.raw(info.sha256.size());
  if (!digest.empty()) std::memcpy(info.sha256.data(), digest.data(), info.sha256.size());
  return info;
}

Result<std::optional<VersionedFile>> read_versioned(ByteReader& in) {
  const std::size_t offset = in.offset();
  const auto present = in.number<std::uint8_t>();
  if (present > 1) return corrupt(offset, "0 or 1 expected, found " + std::to_string(present));
  if (present == 0) return std::optional<VersionedFile>();
  VersionedFile file;
  file.number = in.number<std::uint64_t>();
  file.info = read_file_info(in);
  return std::optional<VersionedFile>(file);
}

Result<SegmentEntry> read_segment(ByteReader& in) {
  SegmentEntry segment;
  segment.epoch = in.number<Epoch>();
  segment.seq = in.number<SegmentSeq>();
  segment.rows = in.number<std::uint32_t>();
  segment.dead_rows = in.number<std::uint32_t>();
  segment.seg = read_file_info(in);
  VZ_TRY_ASSIGN(segment.dead, read_versioned(in));
  VZ_TRY_ASSIGN(segment.index, read_versioned(in));
  VZ_TRY_ASSIGN(segment.fields, read_versioned(in));
  return segment;
}

Result<CollectionEntry> read_collection(ByteReader& in) {
  CollectionEntry collection;
  collection.id = in.number<CollectionId>();
  collection.name = std::string(in.text());
  collection.definition_json = std::string(in.text());
  collection.created_at_us = in.number<std::int64_t>();
  collection.updated_at_us = in.number<std::int64_t>();
  collection.flushed_lsn = in.number<Lsn>();
  collection.points = in.number<std::uint64_t>();
  collection.digest = in.number<std::uint64_t>();
  VZ_TRY_ASSIGN(const std::size_t count,
                read_count(in, "segments", kManifestSegmentsMax, kManifestSegmentBytesMin));
  collection.segments.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    VZ_TRY_ASSIGN(SegmentEntry segment, read_segment(in));
    collection.segments.push_back(std::move(segment));
  }
  return collection;
}

Status read_lists(ByteReader& in, Manifest& manifest) {
  VZ_TRY_ASSIGN(const std::size_t epochs,
                read_count(in, "epochs", kManifestEpochsMax, kManifestEpochBytes));
  for (std::size_t index = 0; index < epochs; ++index) {
    EpochEntry entry;
    entry.epoch = in.number<Epoch>();
    entry.first_lsn = in.number<Lsn>();
    entry.kind = in.number<EpochKind>();
    manifest.epochs.push_back(entry);
  }
  VZ_TRY_ASSIGN(
      const std::size_t collections,
      read_count(in, "collections", kManifestCollectionsMax, kManifestCollectionBytesMin));
  for (std::size_t index = 0; index < collections; ++index) {
    VZ_TRY_ASSIGN(CollectionEntry collection, read_collection(in));
    manifest.collections.push_back(std::move(collection));
  }
  VZ_TRY_ASSIGN(const std::size_t aliases,
                read_count(in, "aliases", kManifestAliasesMax, kManifestAliasBytesMin));
  for (std::size_t index = 0; index < aliases; ++index) {
    Alias alias;
    alias.name = std::string(in.text());
    alias.collection = in.number<CollectionId>();
    manifest.aliases.push_back(std::move(alias));
  }
  return {};
}

Status check_header(ByteSpan bytes) {
  if (bytes.size() < kManifestHeaderSize) {
    return corrupt(0, "at least " + std::to_string(kManifestHeaderSize) +
                          " bytes expected, found " + std::to_string(bytes.size()));
  }
  if (as_text(bytes.first(kManifestMagic.size())) != kManifestMagic) {
    return corrupt(0, "this is no manifest image");
  }
  const auto size = load_number<std::uint64_t>(bytes.data() + kManifestSizeOffset);
  if (size != bytes.size()) {
    return corrupt(kManifestSizeOffset,
                   std::to_string(size) + " bytes expected, found " + std::to_string(bytes.size()));
  }
  const auto stored = load_number<std::uint32_t>(bytes.data() + kManifestCrcOffset);
  if (const auto found = checksum(bytes); stored != found) {
    return corrupt(kManifestCrcOffset, "checksum " + std::to_string(stored) + " expected, found " +
                                           std::to_string(found));
  }
  const auto format = load_number<std::uint32_t>(bytes.data() + kManifestFormatOffset);
  if (format > kManifestFormat) {
    return fail(ErrorCode::kIncompatible,
                "manifest format " + std::to_string(format) + " is newer than this program's " +
                    std::to_string(kManifestFormat) + ": use a newer vectorizerctl");
  }
  if (format == 0) return corrupt(kManifestFormatOffset, "format 0 does not exist");
  return {};
}

// --- check ---

tl::unexpected<Error> out_of_range(std::string what) {
  return fail(ErrorCode::kOutOfRange, "manifest: " + std::move(what));
}

Status check_count(std::string_view of, std::size_t count, std::size_t max) {
  if (count <= max) return {};
  return out_of_range(std::to_string(count) + " " + std::string(of) + ", at most " +
                      std::to_string(max));
}

Status check_epochs(const std::vector<EpochEntry>& epochs) {
  VZ_TRY(check_count("epochs", epochs.size(), kManifestEpochsMax));
  for (std::size_t index = 0; index < epochs.size(); ++index) {
    const EpochEntry& entry = epochs[index];
    const bool ascends = index == 0 || (epochs[index - 1].epoch < entry.epoch &&
                                        epochs[index - 1].first_lsn <= entry.first_lsn);
    const bool known = entry.kind >= EpochKind::kStart && entry.kind <= EpochKind::kRestore;
    if (!ascends || !known || entry.epoch == 0) {
      return out_of_range("entry " + std::to_string(index) + " of the epochs (epoch " +
                          std::to_string(entry.epoch) + ") is out of order or of unknown kind");
    }
  }
  return {};
}

Status check_segments(const Manifest& manifest, const CollectionEntry& collection) {
  VZ_TRY(check_count("segments of collection " + std::to_string(collection.id),
                     collection.segments.size(), kManifestSegmentsMax));
  std::set<std::pair<Epoch, SegmentSeq>> names;
  for (const auto& segment : collection.segments) {
    bool sound = segment.seq < manifest.next_seq && segment.dead_rows <= segment.rows &&
                 names.emplace(segment.epoch, segment.seq).second;
    for (const auto* file : {&segment.dead, &segment.index, &segment.fields}) {
      sound = sound && (!*file || (*file)->number < manifest.next_file_number);
    }
    if (!sound) {
      return out_of_range("segment " + std::to_string(segment.epoch) + "-" +
                          std::to_string(segment.seq) + " of collection " +
                          std::to_string(collection.id) +
                          " is listed twice, or its seq, file number or dead rows are too large");
    }
  }
  return {};
}

}  // namespace

Status check(const Manifest& manifest) {
  VZ_TRY(check_epochs(manifest.epochs));
  VZ_TRY(check_count("collections", manifest.collections.size(), kManifestCollectionsMax));
  VZ_TRY(check_count("aliases", manifest.aliases.size(), kManifestAliasesMax));
  const CollectionEntry* before = nullptr;
  for (const auto& collection : manifest.collections) {
    const std::string which = " of collection " + std::to_string(collection.id);
    VZ_TRY(check_count("bytes of the name" + which, collection.name.size(), kManifestNameBytesMax));
    VZ_TRY(check_count("bytes of the definition" + which, collection.definition_json.size(),
                       kManifestDefinitionBytesMax));
    if (before != nullptr && before->id >= collection.id) {
      return out_of_range("collection " + std::to_string(collection.id) + " is out of order");
    }
    VZ_TRY(check_segments(manifest, collection));
    before = &collection;
  }
  for (std::size_t index = 0; index < manifest.aliases.size(); ++index) {
    const std::string& name = manifest.aliases[index].name;
    VZ_TRY(check_count("bytes of an alias", name.size(), kManifestNameBytesMax));
    if (index > 0 && manifest.aliases[index - 1].name >= name) {
      return out_of_range("alias " + std::to_string(index) + " is out of order");
    }
  }
  return {};
}

Bytes encode(const Manifest& manifest) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kManifestMagic));
  out.number(kManifestFormat);
  out.number(std::uint32_t{0});  // Checksum and size are filled in at the end.
  out.number(std::uint64_t{0});
  out.number(manifest.number);
  out.number(manifest.next_seq);
  out.number(manifest.next_file_number);
  out.number(manifest.catalog_lsn);
  out.number(manifest.log_lsn);
  out.number(manifest.clean_lsn);
  out.number(manifest.time_us);
  out.number(static_cast<std::uint32_t>(manifest.epochs.size()));
  for (const auto& entry : manifest.epochs) {
    out.number(entry.epoch);
    out.number(entry.first_lsn);
    out.number(entry.kind);
  }
  out.number(static_cast<std::uint32_t>(manifest.collections.size()));
  for (const auto& collection : manifest.collections) write_collection(out, collection);
  out.number(static_cast<std::uint32_t>(manifest.aliases.size()));
  for (const auto& alias : manifest.aliases) {
    out.text(alias.name);
    out.number(alias.collection);
  }
  store_number(bytes.data() + kManifestSizeOffset, static_cast<std::uint64_t>(bytes.size()));
  store_number(bytes.data() + kManifestCrcOffset, checksum(bytes));
  return bytes;
}

Result<Manifest> decode(ByteSpan bytes) {
  VZ_TRY(check_header(bytes));
  ByteReader in(bytes);
  in.raw(kManifestHeaderSize);
  Manifest manifest;
  manifest.number = in.number<std::uint64_t>();
  manifest.next_seq = in.number<SegmentSeq>();
  manifest.next_file_number = in.number<std::uint64_t>();
  manifest.catalog_lsn = in.number<Lsn>();
  manifest.log_lsn = in.number<Lsn>();
  manifest.clean_lsn = in.number<Lsn>();
  manifest.time_us = in.number<std::int64_t>();
  VZ_TRY(read_lists(in, manifest));
  if (!in.ok()) return corrupt(in.offset(), "the image ends within an entry");
  if (in.remaining() != 0) {
    return corrupt(in.offset(), std::to_string(in.remaining()) + " bytes beyond the last entry");
  }
  if (auto sound = check(manifest); !sound) {
    return fail(ErrorCode::kCorruption, std::move(sound).error().message);
  }
  return manifest;
}

}  // namespace vz::manifest
