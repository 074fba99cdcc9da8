#include "storage/format/catalog_record.h"

namespace vz::format {
namespace {

/// Checks at the end of a decoder that it read everything and nothing more.
template <typename T>
Result<T> complete(const ByteReader& reader, T record, std::string_view what) {
  if (reader.ok() && reader.remaining() == 0) return record;
  return fail(ErrorCode::kCorruption,
              std::string(what) + " record: wrong size at byte " + std::to_string(reader.offset()));
}

}  // namespace

Bytes encode(const CreateCollectionRecord& record) {
  Bytes out;
  ByteWriter writer(out);
  writer.text(record.name);
  writer.text(record.definition);
  return out;
}

Bytes encode(const DefineCollectionRecord& record) {
  Bytes out;
  ByteWriter(out).text(record.definition);
  return out;
}

Bytes encode(const AliasesRecord& record) {
  Bytes out;
  ByteWriter writer(out);
  writer.number(static_cast<std::uint32_t>(record.changes.size()));
  for (const AliasChange& change : record.changes) {
    writer.text(change.name);
    writer.number(change.collection);
  }
  return out;
}

Bytes encode(const ReplaceCollectionRecord& record) {
  Bytes out;
  ByteWriter(out).text(record.name);
  return out;
}

Result<CreateCollectionRecord> decode_create_collection(ByteSpan bytes) {
  ByteReader reader(bytes);
  CreateCollectionRecord record;
  record.name = reader.text();
  record.definition = reader.text();
  return complete(reader, record, "create collection");
}

Result<DefineCollectionRecord> decode_define_collection(ByteSpan bytes) {
  ByteReader reader(bytes);
  return complete(reader, DefineCollectionRecord{reader.text()}, "define collection");
}

Result<ReplaceCollectionRecord> decode_replace_collection(ByteSpan bytes) {
  ByteReader reader(bytes);
  return complete(reader, ReplaceCollectionRecord{reader.text()}, "replace collection");
}

Result<AliasesRecord> decode_aliases(ByteSpan bytes) {
  ByteReader reader(bytes);
  AliasesRecord record;
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    AliasChange& change = record.changes.emplace_back();
    change.name = reader.text();
    change.collection = reader.number<CollectionId>();
  }
  return complete(reader, std::move(record), "aliases");
}

}  // namespace vz::format
