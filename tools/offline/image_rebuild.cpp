#include "tools/offline/image_rebuild.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "engine/collection/definition.h"
#include "storage/base/sha256.h"
#include "storage/format/catalog_record.h"
#include "storage/format/checked_file_format.h"
#include "storage/wal/log_file.h"
#include "tools/offline/log_loss.h"
#include "tools/offline/segment_rows.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::Manifest;

constexpr std::size_t kReadSize = 1u << 20;

/// What a manifest records of a file, from the file as it is.
Result<segment::FileInfo> describe(Env& env, const std::string& path) {
  VZ_TRY_ASSIGN(const auto file, env.open(path, OpenMode::kRead));
  segment::FileInfo info;
  VZ_TRY_ASSIGN(info.size_bytes, file->size());
  Sha256 sha;
  Bytes buffer;
  for (std::uint64_t at = 0; at < info.size_bytes; at += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(kReadSize, info.size_bytes - at));
    VZ_TRY(file->read_at(at, buffer));
    sha.update(buffer);
  }
  info.sha256 = sha.finish();
  if (info.size_bytes < format::kCheckedTrailerSize) return info;
  format::CheckedTrailerBytes trailer{};
  VZ_TRY(file->read_at(info.size_bytes - trailer.size(), trailer));
  if (const auto decoded = format::decode_checked_trailer(trailer, info.size_bytes))
    info.trailer_crc32c = decoded->trailer_crc32c;
  return info;
}

class Rebuild {
 public:
  Rebuild(Env& env, const store::Paths& paths, const Manifest* hint, const store::SeenHere& seen)
      : env_(env), paths_(paths), hint_(hint), seen_(seen) {}

  Result<RebuiltImage> run() {
    begin();
    VZ_TRY_ASSIGN(auto found, find_segments(env_, paths_));
    drop_obsolete(found);
    VZ_TRY(add_segments(found));
    VZ_TRY(follow_log());
    finish();
    return std::move(out_);
  }

 private:
  void begin() {
    Manifest& image = out_.image;
    if (hint_ != nullptr) image = *hint_;
    image.number = seen_.manifest_number;
    image.next_seq = seen_.next_seq;
    image.next_file_number = seen_.next_file_number;
    image.time_us = seen_.time_us;
    image.clean_lsn = 0;
    for (CollectionEntry& entry : image.collections) {
      if (entry.name.empty()) arriving_.insert(entry.id);
      collections_[entry.id] = std::move(entry);
      for (manifest::SegmentEntry& segment : collections_[entry.id].segments) {
        hinted_.insert({segment.epoch, segment.seq});
        segment.dead.reset();
        segment.dead_rows = 0;
      }
    }
    for (const manifest::Alias& alias : image.aliases) aliases_[alias.name] = alias.collection;
  }

  /// Those that another segment replaces, and those that were leftovers for the hint already.
  void drop_obsolete(std::vector<FoundSegment>& found) {
    std::set<SegmentSeq> replaced;
    for (const FoundSegment& segment : found)
      if (segment.footer_sure)
        replaced.insert(segment.footer->replaces.begin(), segment.footer->replaces.end());
    const auto obsolete = [&](const SegmentName& name) {
      const bool older = hint_ != nullptr && name.seq < hint_->next_seq;
      return replaced.contains(name.seq) || (older && !hinted_.contains(name));
    };
    std::erase_if(found, [&](const FoundSegment& segment) {
      const auto& footer = segment.footer;
      return obsolete(footer ? SegmentName{footer->epoch, footer->seq} : segment.name);
    });
    for (auto& [id, entry] : collections_)
      std::erase_if(entry.segments, [&](const manifest::SegmentEntry& segment) {
        return replaced.contains(segment.seq);
      });
  }

  Status add_segments(const std::vector<FoundSegment>& found) {
    std::map<CollectionId, SegmentSeq> newest;  // Whose footer named the collection.
    for (const FoundSegment& segment : found) {
      if (!segment.footer) {
        VZ_TRY(add_unreadable(segment));
        continue;
      }
      const format::SegmentFooter& footer = *segment.footer;
      CollectionEntry& entry = entry_of(footer.collection);
      const bool after_hint = hint_ == nullptr || footer.seq >= hint_->next_seq;
      const bool unnamed = entry.name.empty();
      const bool arrives = arriving_.contains(footer.collection);
      if ((unnamed && !arrives) ||
          (after_hint && !arrives && footer.seq > newest[footer.collection] &&
           segment.footer_sure)) {
        entry.name = footer.collection_name;
        entry.definition_json = footer.definition_json;
        if (segment.footer_sure) newest[footer.collection] = footer.seq;
      }
      // Too low costs nothing: what is applied again comes to the same. Too high would skip
      // records.
      if (segment.footer_sure) entry.flushed_lsn = std::max(entry.flushed_lsn, footer.max_lsn);
      last_lsn_[{footer.epoch, footer.seq}] = footer.max_lsn;
      if (hinted_.contains({footer.epoch, footer.seq})) continue;  // With what the image said.
      const bool known = std::any_of(
          entry.segments.begin(), entry.segments.end(), [&](const manifest::SegmentEntry& other) {
            return other.epoch == footer.epoch && other.seq == footer.seq;
          });
      if (known) continue;
      VZ_TRY_ASSIGN(const auto info, describe(env_, segment.path));
      manifest::SegmentEntry& added = entry.segments.emplace_back();
      added = {.epoch = footer.epoch, .seq = footer.seq, .rows = footer.row_count, .seg = info};
      VZ_TRY(find_derived(footer.collection, added));
    }
    return {};
  }

  /// The newest index and columns that lie beside it: the check that follows judges them.
  Status find_derived(CollectionId collection, manifest::SegmentEntry& entry) {
    const std::string directory = paths_.collection(collection);
    const auto files = env_.list(directory);
    if (!files) return {};
    for (const DirectoryEntry& file : *files) {
      const auto name = store::parse_data_file_name(file.name);
      if (!name || name->epoch != entry.epoch || name->seq != entry.seq) continue;
      const bool index = name->kind == store::DataFileName::Kind::kIndex;
      if (!index && name->kind != store::DataFileName::Kind::kFields) continue;
      auto& newest = index ? entry.index : entry.fields;
      if (newest && newest->number > name->number) continue;
      VZ_TRY_ASSIGN(const auto info, describe(env_, directory + "/" + file.name));
      newest = manifest::VersionedFile{name->number, info};
    }
    return {};
  }

  /// Its collection and its name are known by where it lies.
  Status add_unreadable(const FoundSegment& segment) {
    if (hinted_.contains(segment.name)) return {};
    const auto ids = SegmentRows::ids_of_payload_blocks(env_, segment.path);
    VZ_TRY_ASSIGN(const auto info, describe(env_, segment.path));
    // Each row has at least an id, a version and a hash: a block may say what it likes.
    constexpr std::uint64_t kRowBytesMin = 24;
    const std::uint64_t named = ids && !ids->empty() ? std::uint64_t{ids->rbegin()->first} + 1 : 0;
    const std::uint64_t rows = std::min(named, info.size_bytes / kRowBytesMin);
    entry_of(segment.directory)
        .segments.push_back({.epoch = segment.name.epoch,
                             .seq = segment.name.seq,
                             .rows = static_cast<std::uint32_t>(rows),
                             .dead_rows = 0,
                             .seg = info});
    return {};
  }

  CollectionEntry& entry_of(CollectionId id) {
    CollectionEntry& entry = collections_[id];
    if (entry.id == 0) {
      entry.id = id;
      entry.flushed_lsn = id;
    }
    return entry;
  }

  /// Creations, definitions, drops and aliases of the log, so that the catalog is as of its end.
  Status follow_log() {
    Manifest& image = out_.image;
    const auto files = wal::list_log_files(env_, paths_.wal());
    const Lsn begin = files && !files->empty() ? files->front().first_lsn : 1;
    Lsn flushed = kLsnMax;
    for (const auto& [id, entry] : collections_) flushed = std::min(flushed, entry.flushed_lsn);
    if (collections_.empty()) flushed = 0;
    const Lsn hinted = hint_ != nullptr ? hint_->log_lsn : 1;
    image.log_lsn = std::max({begin, std::min(flushed + 1, std::max(hinted, begin)), Lsn{1}});
    const Lsn catalog_lsn = hint_ != nullptr ? hint_->catalog_lsn : 0;
    VZ_TRY_ASSIGN(const LogVerdict verdict, judge_log(env_, paths_, image));
    VZ_TRY(each_kept_record(env_, paths_, catalog_lsn + 1, verdict,
                            [&](const format::WalRecord& record) { return fold(record); }));
    image.catalog_lsn = std::max(catalog_lsn, verdict.last_kept);
    for (const auto& [id, entry] : collections_)
      image.catalog_lsn = std::max(image.catalog_lsn, id);
    return {};
  }

  Status fold(const format::WalRecord& record) {
    switch (record.kind) {
      case format::WalRecordKind::kCreateCollection: {
        VZ_TRY_ASSIGN(const auto create, format::decode_create_collection(record.payload));
        CollectionEntry& entry = entry_of(record.lsn);
        entry.created_at_us = record.time_us;
        entry.updated_at_us = std::max(entry.updated_at_us, record.time_us);
        // One that arrives has no name before a record gives it one, whatever its files say.
        if (entry.name.empty() || create.name.empty()) {
          entry.name = create.name;
          entry.definition_json = create.definition;
        }
        return {};
      }
      case format::WalRecordKind::kDefineCollection: {
        VZ_TRY_ASSIGN(const auto define, format::decode_define_collection(record.payload));
        const auto entry = collections_.find(record.collection);
        if (entry != collections_.end()) entry->second.definition_json = define.definition;
        return {};
      }
      case format::WalRecordKind::kDropCollection:
        collections_.erase(record.collection);
        return {};
      case format::WalRecordKind::kAliases: {
        VZ_TRY_ASSIGN(const auto aliases, format::decode_aliases(record.payload));
        for (const format::AliasChange& change : aliases.changes)
          aliases_[std::string(change.name)] = change.collection;
        return {};
      }
      case format::WalRecordKind::kReplaceCollection: {
        VZ_TRY_ASSIGN(const auto replace, format::decode_replace_collection(record.payload));
        take_place(record.collection, replace.name);
        return {};
      }
      case format::WalRecordKind::kPoints:
      case format::WalRecordKind::kPutKeys:  // Not of the image: security.json holds them.
      case format::WalRecordKind::kRevokeKey:
      case format::WalRecordKind::kPutIpRules:
      case format::WalRecordKind::kDeleteIpRules:
        return {};
    }
    return {};
  }

  void take_place(CollectionId arrived, std::string_view name) {
    const auto next = collections_.find(arrived);
    if (next == collections_.end()) return;  // Its files are lost: the old ones are better.
    for (auto at = collections_.begin(); at != collections_.end();) {
      const bool replaced = at->first != arrived && at->second.name == name;
      if (replaced) {
        for (auto& [alias, target] : aliases_)
          if (target == at->first) target = arrived;
      }
      at = replaced ? collections_.erase(at) : std::next(at);
    }
    next->second.name = name;
  }

  void finish() {
    Manifest& image = out_.image;
    image.collections.clear();
    std::set<std::string> names;
    for (auto at = collections_.rbegin(); at != collections_.rend(); ++at) {
      auto& [id, entry] = *at;
      if (entry.name.empty() || !collection::definition_from_json(entry.definition_json)) {
        out_.notes.push_back(fmt::format(
            "collection {}: its name and definition are lost with the manifest; its files stay "
            "where they are",
            id));
        continue;
      }
      // Two of one name: the older one was dropped, and only the lost image knew.
      if (!names.insert(entry.name).second) entry.name += fmt::format(".recovered-{}", id);
      names.insert(entry.name);
      std::sort(entry.segments.begin(), entry.segments.end(), [&](const auto& a, const auto& b) {
        const auto age = [&](const auto& of) {
          return std::pair(last_lsn_[{of.epoch, of.seq}], of.seq);
        };
        return age(a) < age(b);
      });
      image.collections.push_back(std::move(entry));
    }
    std::reverse(image.collections.begin(), image.collections.end());
    image.aliases.clear();
    for (const auto& [name, target] : aliases_) {
      const bool there = std::any_of(image.collections.begin(), image.collections.end(),
                                     [id = target](const auto& entry) { return entry.id == id; });
      if (target != 0 && there) image.aliases.push_back({name, target});
    }
    out_.notes.push_back(
        hint_ != nullptr
            ? fmt::format("aliases and collections without a point are as of {} and the log",
                          manifest::file_name(hint_->number))
            : "aliases and collections without a point are those that the log names; others are "
              "lost, and a collection that was dropped shortly before may be there again");
  }

  Env& env_;
  const store::Paths& paths_;
  const Manifest* hint_;
  const store::SeenHere& seen_;
  std::map<CollectionId, CollectionEntry> collections_;
  std::map<std::string, CollectionId> aliases_;
  std::set<CollectionId> arriving_;  ///< without a name in the hint; a record may give one
  std::set<SegmentName> hinted_;     ///< of the hint, whether they are there or not
  std::map<SegmentName, Lsn> last_lsn_;
  RebuiltImage out_;
};

}  // namespace

Result<std::vector<FoundSegment>> find_segments(Env& env, const store::Paths& paths) {
  std::vector<FoundSegment> out;
  const auto directories = env.list(paths.collections());
  if (!directories && directories.error().code == ErrorCode::kNotFound) return out;
  VZ_TRY(directories);
  for (const DirectoryEntry& directory : *directories) {
    const auto id = store::parse_collection_id(directory.name);
    if (!id || directory.type != FileType::kDirectory) continue;
    VZ_TRY_ASSIGN(const auto entries, env.list(paths.collection(*id)));
    for (const DirectoryEntry& entry : entries) {
      const auto name = store::parse_data_file_name(entry.name);
      if (!name || name->kind != store::DataFileName::Kind::kSeg ||
          entry.type != FileType::kRegular)
        continue;
      FoundSegment found{.path = paths.collection(*id) + "/" + entry.name,
                         .directory = *id,
                         .name = {name->epoch, name->seq}};
      if (const auto rows = SegmentRows::open(env, found.path)) {
        found.footer = (*rows)->footer();
        found.footer_sure = (*rows)->footer_sure();
        if (!found.footer_sure) {  // Then the name is the better witness.
          found.footer->collection = *id;
          found.footer->epoch = name->epoch;
          found.footer->seq = name->seq;
        }
      }
      out.push_back(std::move(found));
    }
  }
  return out;
}

Result<RebuiltImage> rebuild_image(Env& env, const store::Paths& paths,
                                   const manifest::Manifest* hint, const store::SeenHere& seen) {
  return Rebuild(env, paths, hint, seen).run();
}

}  // namespace vz::offline
