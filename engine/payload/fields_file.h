// .fields: columns of payload values of a segment, for filters. Derived; rebuilt when damaged.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/segment/checked_file.h"

namespace vz::payload {

enum class FieldType : std::uint8_t {  // On disk and in definitions: never renumber.
  kKeyword = 1,
  kInteger = 2,
  kFloat = 3,
  kBool = 4,
  kDatetime = 5,
  kUuid = 6,
  kText = 7,
  kGeo = 8,
};
std::string_view field_type_name(FieldType type);
std::optional<FieldType> parse_field_type(std::string_view name);

struct DeclaredField {
  std::string path;
  FieldType type = FieldType::kKeyword;
  std::string parameters_json;  ///< as given by the client, echoed; "" if none
  friend bool operator==(const DeclaredField&, const DeclaredField&) = default;
};

/// Payload text of row i, ascending calls; borrowed until the next call.
using PayloadOfRow = std::function<Result<std::string_view>(std::uint32_t row)>;

/// Writes and publishes columns for every declared field, and for the first
/// limits::kFieldsPerSegmentMax scalar or scalar-array key paths seen.
/// Errors: those of `payload`, kIoError, kNoSpace; nothing is published.
Result<segment::FileInfo> build_fields(Env& env, const std::string& path, std::uint32_t rows,
                                       const PayloadOfRow& payload,
                                       std::span<const DeclaredField> declared);

/// Thread-safe.
class FieldsFile {
 public:
  /// Errors: kNotFound, kIoError, kCorruption, kIncompatible: rebuild it.
  static Result<std::unique_ptr<FieldsFile>> open(Env& env, const std::string& path,
                                                  std::uint32_t rows);
  ~FieldsFile();
  [[nodiscard]] const segment::CheckedFile& file() const;
  [[nodiscard]] bool has_column(std::string_view path) const;
  /// Rows with at least one value at `path`; nullopt without a column.
  [[nodiscard]] std::optional<std::uint64_t> rows_with(std::string_view path) const;
  /// Of the heap; the columns are used in place from the mapped file.
  [[nodiscard]] std::uint64_t memory_bytes() const;
  /// Rows of the segment that it was built for.
  [[nodiscard]] std::uint32_t row_count() const;

  struct State;
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  explicit FieldsFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::payload
