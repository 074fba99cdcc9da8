#include "storage/format/points_record.h"

namespace vz::format {
namespace {

enum class OperationKind : std::uint8_t {  // On disk: add, never renumber or reuse.
  kPutRows = 1,
  kDelete = 2,
  kSetPayload = 3,
  kReplacePayload = 4,
  kDeleteKeys = 5,
  kPutVectors = 6,
  kDeleteVectors = 7,
};

void put_id(ByteWriter& out, const PointId& id) {
  out.number(id.kind);
  if (!id.is_number()) out.number(id.high);
  out.number(id.low);
}

void put_ids(ByteWriter& out, const std::vector<PointId>& ids) {
  out.number(static_cast<std::uint32_t>(ids.size()));
  for (const PointId& id : ids) put_id(out, id);
}

void put_rows(ByteWriter& out, const std::vector<LoggedRow>& rows) {
  out.number(static_cast<std::uint32_t>(rows.size()));
  for (const LoggedRow& row : rows) {
    put_id(out, row.id);
    out.number(static_cast<std::uint16_t>(row.vectors.size()));
    for (const LoggedVector& vector : row.vectors) {
      out.number(vector.column);
      out.number(vector.kind);
      out.number(static_cast<std::uint32_t>(vector.values.size() / sizeof(float)));
      out.number(static_cast<std::uint32_t>(vector.indices.size() / sizeof(std::uint32_t)));
      out.raw(vector.values);
      out.raw(vector.indices);
    }
    out.text(row.payload);
  }
}

struct Encoder {
  ByteWriter& out;

  void operator()(const PutRows& operation) const {
    out.number(OperationKind::kPutRows);
    put_rows(out, operation.rows);
  }
  void operator()(const DeleteRows& operation) const {
    out.number(OperationKind::kDelete);
    put_ids(out, operation.ids);
  }
  void operator()(const SetPayload& operation) const {
    out.number(OperationKind::kSetPayload);
    put_ids(out, operation.ids);
    out.number(static_cast<std::uint8_t>(operation.has_key));
    out.text(operation.key);
    out.text(operation.patch);
  }
  void operator()(const ReplacePayload& operation) const {
    out.number(OperationKind::kReplacePayload);
    put_ids(out, operation.ids);
    out.text(operation.payload);
  }
  void operator()(const DeleteKeys& operation) const {
    out.number(OperationKind::kDeleteKeys);
    put_ids(out, operation.ids);
    out.number(static_cast<std::uint32_t>(operation.keys.size()));
    for (const std::string_view key : operation.keys) out.text(key);
  }
  void operator()(const PutVectors& operation) const {
    out.number(OperationKind::kPutVectors);
    put_rows(out, operation.rows);
  }
  void operator()(const DeleteVectors& operation) const {
    out.number(OperationKind::kDeleteVectors);
    put_ids(out, operation.ids);
    out.number(static_cast<std::uint16_t>(operation.columns.size()));
    for (const std::uint16_t column : operation.columns) out.number(column);
  }
};

constexpr std::size_t kIdBytesMin = 9;    // kind and a number
constexpr std::size_t kRowBytesMin = 15;  // id, vector count, payload size

/// Reads one operation; `reader.ok()` and `valid` tell whether it was one.
class Decoder {
 public:
  explicit Decoder(ByteReader& reader) : reader_(reader) {}

  bool valid() const { return valid_ && reader_.ok(); }

  PointsOperation operation() {
    switch (reader_.number<OperationKind>()) {
      case OperationKind::kPutRows:
        return PutRows{rows()};
      case OperationKind::kDelete:
        return DeleteRows{ids()};
      case OperationKind::kSetPayload: {
        SetPayload out{.ids = ids(), .has_key = reader_.number<std::uint8_t>() != 0};
        out.key = reader_.text();
        out.patch = reader_.text();
        return out;
      }
      case OperationKind::kReplacePayload: {
        ReplacePayload out{.ids = ids()};
        out.payload = reader_.text();
        return out;
      }
      case OperationKind::kDeleteKeys: {
        DeleteKeys out{.ids = ids()};
        const std::size_t keys = count<std::uint32_t>(sizeof(std::uint32_t));
        for (std::size_t i = 0; i < keys && valid(); ++i) out.keys.push_back(reader_.text());
        return out;
      }
      case OperationKind::kPutVectors:
        return PutVectors{rows()};
      case OperationKind::kDeleteVectors: {
        DeleteVectors out{.ids = ids()};
        const std::size_t columns = count<std::uint16_t>(sizeof(std::uint16_t));
        for (std::size_t i = 0; i < columns && valid(); ++i)
          out.columns.push_back(reader_.number<std::uint16_t>());
        return out;
      }
    }
    valid_ = false;
    return DeleteRows{};
  }

 private:
  /// A count of things of at least `size_min` bytes each: more than could follow is not valid.
  template <typename T>
  std::size_t count(std::size_t size_min) {
    const auto value = reader_.number<T>();
    if (value > reader_.remaining() / size_min) {
      valid_ = false;
      return 0;
    }
    return value;
  }

  PointId id() {
    const auto kind = reader_.number<PointId::Kind>();
    if (kind == PointId::Kind::kNumber) return PointId::number(reader_.number<std::uint64_t>());
    if (kind != PointId::Kind::kUuid) valid_ = false;
    const auto high = reader_.number<std::uint64_t>();
    return PointId::uuid(high, reader_.number<std::uint64_t>());
  }

  std::vector<PointId> ids() {
    std::vector<PointId> out;
    const std::size_t size = count<std::uint32_t>(kIdBytesMin);
    out.reserve(size);
    for (std::size_t i = 0; i < size && valid(); ++i) out.push_back(id());
    return out;
  }

  std::vector<LoggedRow> rows() {
    std::vector<LoggedRow> out;
    const std::size_t size = count<std::uint32_t>(kRowBytesMin);
    out.reserve(size);
    for (std::size_t i = 0; i < size && valid(); ++i) {
      LoggedRow& row = out.emplace_back();
      row.id = id();
      const std::size_t vectors = count<std::uint16_t>(11);
      for (std::size_t v = 0; v < vectors && valid(); ++v) row.vectors.push_back(vector());
      row.payload = reader_.text();
    }
    return out;
  }

  LoggedVector vector() {
    LoggedVector out;
    out.column = reader_.number<std::uint16_t>();
    out.kind = reader_.number<std::uint8_t>();
    const std::size_t values = reader_.number<std::uint32_t>();
    const std::size_t indices = reader_.number<std::uint32_t>();
    out.values = reader_.raw(values * sizeof(float));
    out.indices = reader_.raw(indices * sizeof(std::uint32_t));
    return out;
  }

  ByteReader& reader_;
  bool valid_ = true;
};

}  // namespace

void encode(const PointsOperation& operation, Bytes& out) {
  ByteWriter writer(out);
  std::visit(Encoder{writer}, operation);
}

Result<std::vector<PointsOperation>> decode_points(ByteSpan bytes) {
  std::vector<PointsOperation> out;
  ByteReader reader(bytes);
  Decoder decoder(reader);
  while (reader.remaining() > 0) {
    const std::size_t begin = reader.offset();
    out.push_back(decoder.operation());
    if (!decoder.valid())
      return fail(ErrorCode::kCorruption,
                  "points record: no valid operation at byte " + std::to_string(begin));
  }
  return out;
}

}  // namespace vz::format
