// Names of data files, both ways.
#include <charconv>
#include <cstdio>

#include "storage/store/store.h"

namespace vz::store {
namespace {

using Kind = DataFileName::Kind;

std::string stem_name(Epoch epoch, SegmentSeq seq) {
  char name[64];
  std::snprintf(name, sizeof name, "%04u-%08llu", epoch, static_cast<unsigned long long>(seq));
  return name;
}

std::string_view extension(Kind kind) {
  switch (kind) {
    case Kind::kSeg:
      return ".seg";
    case Kind::kDead:
      return ".dead-";
    case Kind::kIndex:
      return ".index-";
    case Kind::kFields:
      return ".fields-";
  }
  return "";
}

std::string file_name(const DataFileName& name) {
  std::string text = stem_name(name.epoch, name.seq);
  text.append(extension(name.kind));
  if (name.kind != Kind::kSeg) text.append(std::to_string(name.number));
  return text;
}

/// Reads digits from the front of `text` and takes them off.
template <typename T>
bool take_number(std::string_view& text, T& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

}  // namespace

std::string Paths::collection(CollectionId id) const {
  return collections() + "/" + std::to_string(id);
}
std::string Paths::segment_stem(CollectionId id, Epoch epoch, SegmentSeq seq) const {
  return collection(id) + "/" + stem_name(epoch, seq);
}
std::string Paths::seg(CollectionId id, Epoch epoch, SegmentSeq seq) const {
  return collection(id) + "/" + file_name({epoch, seq, Kind::kSeg, 0});
}
std::string Paths::dead(CollectionId id, Epoch epoch, SegmentSeq seq, std::uint64_t number) const {
  return collection(id) + "/" + file_name({epoch, seq, Kind::kDead, number});
}
std::string Paths::index(CollectionId id, Epoch epoch, SegmentSeq seq, std::uint64_t number) const {
  return collection(id) + "/" + file_name({epoch, seq, Kind::kIndex, number});
}
std::string Paths::fields(CollectionId id, Epoch epoch, SegmentSeq seq,
                          std::uint64_t number) const {
  return collection(id) + "/" + file_name({epoch, seq, Kind::kFields, number});
}

std::optional<DataFileName> parse_data_file_name(std::string_view name) {
  DataFileName parsed;
  std::string_view rest = name;
  if (!take_number(rest, parsed.epoch) || !rest.starts_with('-')) return std::nullopt;
  rest.remove_prefix(1);
  if (!take_number(rest, parsed.seq)) return std::nullopt;
  for (const Kind kind : {Kind::kSeg, Kind::kDead, Kind::kIndex, Kind::kFields}) {
    if (!rest.starts_with(extension(kind))) continue;
    parsed.kind = kind;
    rest.remove_prefix(extension(kind).size());
    if (kind != Kind::kSeg && !take_number(rest, parsed.number)) return std::nullopt;
    // Rendered again, so that no second spelling of a name is taken for ours.
    if (file_name(parsed) != name) return std::nullopt;
    return parsed;
  }
  return std::nullopt;
}

std::optional<CollectionId> parse_collection_id(std::string_view name) {
  CollectionId id = 0;
  std::string_view rest = name;
  if (!take_number(rest, id) || std::to_string(id) != name) return std::nullopt;
  return id;
}

std::set<std::string> files_of(const Paths& paths, const manifest::Manifest& manifest) {
  std::set<std::string> files;
  for (const auto& collection : manifest.collections) {
    for (const auto& part : collection.segments) {
      const auto add = [&](Kind kind, std::uint64_t number) {
        files.insert(paths.collection(collection.id) + "/" +
                     file_name({part.epoch, part.seq, kind, number}));
      };
      add(Kind::kSeg, 0);
      if (part.dead) add(Kind::kDead, part.dead->number);
      if (part.index) add(Kind::kIndex, part.index->number);
      if (part.fields) add(Kind::kFields, part.fields->number);
    }
  }
  return files;
}

}  // namespace vz::store
