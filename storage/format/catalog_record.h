// CATALOG RECORDS, version 1: the payloads of log records about collections and aliases.
//                                       Written by engine/log/resolve.cpp
//                                       Read by    engine/log/apply.cpp
// All integers are little-endian. text = u32 size, then bytes.
//
//   kCreateCollection    header: 0            text name, text definition (canonical JSON)
//   kDefineCollection    header: its id       text definition
//   kDropCollection      header: its id       nothing
//   kAliases             header: 0            u32 count, then per alias: text name, u64 collection
//                                             (0 = the alias goes)
//   kReplaceCollection   header: its id       text name
//
// The new collection's id is the lsn of its create record. One that is created without a name
// arrives: nobody sees it, its points come in files and not by the log, until kReplaceCollection
// gives it a name. Who had that name is dropped by the same record, and its aliases lead to the new
// one. A collection that still has no name after a replay has not arrived and is dropped.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::format {

struct CreateCollectionRecord {
  std::string_view name;
  std::string_view definition;
};
struct DefineCollectionRecord {
  std::string_view definition;
};
struct ReplaceCollectionRecord {
  std::string_view name;
};
struct AliasChange {
  std::string_view name;
  CollectionId collection = 0;
};
struct AliasesRecord {
  std::vector<AliasChange> changes;
};

Bytes encode(const CreateCollectionRecord& record);
Bytes encode(const DefineCollectionRecord& record);
Bytes encode(const AliasesRecord& record);
Bytes encode(const ReplaceCollectionRecord& record);

// The results borrow from `bytes`. Errors: kCorruption.
Result<CreateCollectionRecord> decode_create_collection(ByteSpan bytes);
Result<DefineCollectionRecord> decode_define_collection(ByteSpan bytes);
Result<AliasesRecord> decode_aliases(ByteSpan bytes);
Result<ReplaceCollectionRecord> decode_replace_collection(ByteSpan bytes);

}  // namespace vz::format
