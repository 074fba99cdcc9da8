// CATALOG RECORDS, version 1: the payloads of log records about collections and aliases.
//                                       Written by engine/log/resolve.cpp
//                                       Read by    engine/log/apply.cpp
// All integers are little-endian. text = u32 size, then bytes.
//
//   kCreateCollection   text name, text definition (canonical JSON)     collection of the header: 0
//   kDefineCollection   text definition                                 collection of the header:
//   its id kDropCollection     nothing                                         collection of the
//   header: its id kAliases            u32 count, then per alias: text name, u64 collection (0 =
//   the alias goes)
//
// The new collection's id is the lsn of its create record.
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

// The results borrow from `bytes`. Errors: kCorruption.
Result<CreateCollectionRecord> decode_create_collection(ByteSpan bytes);
Result<DefineCollectionRecord> decode_define_collection(ByteSpan bytes);
Result<AliasesRecord> decode_aliases(ByteSpan bytes);

}  // namespace vz::format
