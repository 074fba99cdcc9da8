// An opened .fields file: its directory, and columns that are validated when first used.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "engine/index/row_filter.h"
#include "engine/payload/fields_file.h"
#include "engine/payload/fields_format.h"

namespace vz::payload {

/// A validated column in the mapping. After a fault in the mapping its pages read as zeros: every
/// accessor stays inside the file then, too, and the caller asks the file's failed() at its end.
class Column {
 public:
  Column(const segment::CheckedFile& file, const format::ColumnRef& ref, std::uint32_t rows)
      : file_(&file), ref_(&ref), rows_(rows) {}

  /// Errors: kCorruption (path, offset, what is wrong).
  [[nodiscard]] Status validate() const;

  [[nodiscard]] const format::RowSetRef& set(format::RowSetKind kind) const {
    return ref_->sets[kind];
  }
  /// Inserts the rows of a set.
  void unite(const format::RowSetRef& set, index::RowSet& out) const;

  [[nodiscard]] std::uint64_t term_count() const { return ref_->term_count; }
  [[nodiscard]] std::string_view term(std::uint64_t index) const;
  [[nodiscard]] format::RowSetRef rows_of_term(std::uint64_t index) const;

  template <typename T>
  [[nodiscard]] std::span<const T> values(format::NumberListKind kind) const {
    const format::NumberListRef& list = ref_->numbers[kind];
    return {reinterpret_cast<const T*>(file_->unchecked(list.offset)), list.count};
  }
  [[nodiscard]] std::span<const std::uint32_t> rows_of(format::NumberListKind kind) const {
    const format::NumberListRef& list = ref_->numbers[kind];
    return {reinterpret_cast<const std::uint32_t*>(file_->unchecked(list.offset + 8 * list.count)),
            list.count};
  }

 private:
  [[nodiscard]] Status damaged(std::uint64_t offset, std::string_view what) const;
  [[nodiscard]] Status check_range(std::uint64_t offset, std::uint64_t size,
                                   std::string_view what) const;
  [[nodiscard]] Status check_set(const format::RowSetRef& set, std::string_view what) const;
  [[nodiscard]] Status check_terms() const;
  template <typename T>
  [[nodiscard]] Status check_numbers(format::NumberListKind kind) const;

  const segment::CheckedFile* file_;
  const format::ColumnRef* ref_;
  std::uint32_t rows_;
};

struct FieldsFile::State {
  struct Entry {
    std::string path;
    format::ColumnRef ref;
    std::once_flag once;
    Status valid;  ///< of the first use
  };

  std::unique_ptr<segment::CheckedFile> file;
  std::uint32_t rows = 0;
  std::vector<std::unique_ptr<Entry>> entries;  ///< ascending by path

  /// nullptr without such a column. `path` as key_path_text() spells it.
  [[nodiscard]] Entry* find(std::string_view path) const;
  /// The column, validated once. Errors: kCorruption.
  Result<Column> column(Entry& entry) const;
};

}  // namespace vz::payload
