// Keys and rules as JSON: payloads of log records, and the file security.json.
//
// A record's payload is one of
//   {"keys":[KEY, ...]}            put keys
//   {"key_id":"..."}               revoke a key
//   {"rules":[RULE, ...]}          put rules about addresses
//   {"ranges":["10.0.0.0/8", ..]}  delete them
// KEY   {"key_id","name","secret_sha256","scopes":[...],"collections":[...],"cidrs":[...],
//        "created_at_us","expires_at_us" (or null)}
// RULE  {"range","reason","created_at_us","expires_at_us" (or null)}
//
// security.json is exactly
//   {"sha256":"<64 hex digits>","content":CONTENT}\n
// with the digest of CONTENT's bytes, so that no changed byte is taken for a key:
// CONTENT {"format":1,"security_lsn":N,"keys":[KEY, ...],"revoked":[{"key_id","name",
//          "revoked_at_us"}, ...],"rules":[RULE, ...]}
#pragma once

#include <string>

#include "engine/security/state.h"
#include "storage/base/ids.h"
#include "storage/format/wal_record.h"

namespace vz::security {

/// A record about keys or rules.
bool is_security(format::WalRecordKind kind);
format::WalRecordKind kind_of(const Change& change);
Bytes encode(const Change& change);
/// Bytes from anywhere. Errors: kCorruption: it is none of that kind, or breaks a bound.
Result<Change> decode_change(format::WalRecordKind kind, ByteSpan payload);

/// The state as of `lsn`: newer records are not in it.
struct Checkpoint {
  Lsn lsn = 0;
  State state;
};
std::string encode_file(const Checkpoint& checkpoint);
/// Bytes from anywhere. Errors: kCorruption: a byte was changed, or a bound is broken;
/// kIncompatible: a newer format.
Result<Checkpoint> decode_file(std::string_view bytes);

}  // namespace vz::security
