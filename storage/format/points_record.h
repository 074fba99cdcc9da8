// POINTS RECORD, version 1: the payload of a kPoints log record.
//                                       Written by engine/log/resolve.cpp
//                                       Read by    engine/log/apply.cpp
// A sequence of operations, one after another, up to the end of the payload. All integers are
// little-endian; nothing is aligned. Ids are explicit: no filter is ever logged.
//
//   id          u8 kind (PointId::Kind); number: u64; uuid: u64 high, u64 low
//   ids         u32 count, then ids
//   text        u32 size, then bytes
//   vector      u16 column, u8 kind (segment::VectorKind), u32 values, u32 indices,
//               then float32 x values, then u32 x indices
//   row         id, u16 vectors, then vectors, then text payload
//
//   OPERATION       u8 kind, then
//   kPutRows        u32 count, then rows                            whole rows, new or replaced
//   kDelete         ids
//   kSetPayload     ids, u8 has_key, text key, text patch           merged at the key path
//   kReplacePayload ids, text payload
//   kDeleteKeys     ids, u32 count, then texts (key paths)
//   kPutVectors     u32 count, then rows (payload empty)            other vectors stay
//   kDeleteVectors  ids, u16 count, then u16 columns
//
// `column` counts the collection's vectors in the order of its definition, which never changes for
// a column that exists. VALID: every count fits in what is left, every kind is known, and the last
// operation ends exactly at the end of the payload.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::format {

struct LoggedVector {
  std::uint16_t column = 0;
  std::uint8_t kind = 1;
  ByteSpan values;   ///< float32, perhaps unaligned
  ByteSpan indices;  ///< u32, perhaps unaligned
};
struct LoggedRow {
  PointId id;
  std::vector<LoggedVector> vectors = {};
  std::string_view payload = {};
};

struct PutRows {
  std::vector<LoggedRow> rows = {};
};
struct DeleteRows {
  std::vector<PointId> ids = {};
};
struct SetPayload {
  std::vector<PointId> ids = {};
  bool has_key = false;
  std::string_view key = {};
  std::string_view patch = {};
};
struct ReplacePayload {
  std::vector<PointId> ids = {};
  std::string_view payload = {};
};
struct DeleteKeys {
  std::vector<PointId> ids = {};
  std::vector<std::string_view> keys = {};
};
struct PutVectors {
  std::vector<LoggedRow> rows = {};
};
struct DeleteVectors {
  std::vector<PointId> ids = {};
  std::vector<std::uint16_t> columns = {};
};
using PointsOperation = std::variant<PutRows, DeleteRows, SetPayload, ReplacePayload, DeleteKeys,
                                     PutVectors, DeleteVectors>;

/// Appends one operation to `out`.
void encode(const PointsOperation& operation, Bytes& out);

/// Decodes all operations of a payload; the results borrow from `bytes`.
/// Errors: kCorruption.
Result<std::vector<PointsOperation>> decode_points(ByteSpan bytes);

}  // namespace vz::format
