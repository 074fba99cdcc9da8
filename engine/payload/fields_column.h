// One column while it is built: values of one path, row after row.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/payload/fields_format.h"
#include "engine/payload/flat.h"
#include "storage/segment/checked_file.h"

namespace vz::payload {

/// Appends to a file and remembers nothing but it. Row sets are ascending and without duplicates.
class ColumnBuilder {
 public:
  ColumnBuilder(std::string path_text, KeyPath path)
      : path_text_(std::move(path_text)), path_(std::move(path)) {}

  /// Rows ascending; rows without a value at the path may be left out.
  void add(std::uint32_t row, FlatValue root);

  [[nodiscard]] const std::string& path_text() const { return path_text_; }
  /// True once a scalar or an array of scalars was seen.
  [[nodiscard]] bool scalar_seen() const { return scalar_seen_; }

  /// Writes the column's bytes. Errors: kIoError, kNoSpace.
  Result<format::ColumnRef> write(segment::CheckedFileWriter& file, std::uint32_t rows);

 private:
  using Rows = std::vector<std::uint32_t>;
  template <typename T>
  using Numbers = std::vector<std::pair<T, std::uint32_t>>;

  void add_leaf(std::uint32_t row, FlatValue leaf);
  void add_string(std::uint32_t row, std::string_view text);
  Status write_terms(segment::CheckedFileWriter& file, std::uint32_t rows, format::ColumnRef& ref);

  std::string path_text_;
  KeyPath path_;
  bool scalar_seen_ = false;
  Rows sets_[format::kRowSets];
  std::unordered_map<std::string, std::uint32_t> term_ids_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> postings_;  ///< term id, row
  Numbers<std::int64_t> ints_;
  Numbers<std::uint64_t> uints_;
  Numbers<double> doubles_;
  Numbers<std::int64_t> datetimes_;
};

}  // namespace vz::payload
