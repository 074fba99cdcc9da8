#include "storage/segment/vector_writer.h"

#include <bit>

namespace vz::segment {
namespace {

/// Which rows have a vector, and where their elements begin.
struct Shape {
  explicit Shape(std::uint32_t row_count) : bits((std::uint64_t{row_count} + 63) / 64) {}

  void add(std::uint32_t row, std::uint64_t elements) {
    bits[row / 64] |= std::uint64_t{1} << (row % 64);
    ++present;
    offsets.push_back(offsets.back() + elements);
  }

  std::vector<std::uint64_t> bits;
  std::vector<std::uint64_t> offsets{0};
  std::uint32_t present = 0;
};

class ColumnWriter {
 public:
  ColumnWriter(CheckedFileWriter& out, const RowSource& rows, std::size_t index,
               const VectorColumn& column)
      : out_(out), rows_(rows), index_(index), column_(column), shape_(rows.row_count()) {}

  Result<format::SegmentColumn> write();

 private:
  tl::unexpected<Error> broken(std::uint32_t row, const std::string& what) const {
    return fail(ErrorCode::kInternal,
                "vector '" + column_.name + "' of row " + std::to_string(row) + ": " + what);
  }
  /// Elements of the vector, after checking that it is one of this column.
  Result<std::uint64_t> elements(std::uint32_t row, const VectorRef& vector) const;
  Status write_indices();
  Status write_values();
  Status write_presence();
  template <typename T>
  Result<format::Section> section(std::span<const T> values);

  CheckedFileWriter& out_;
  const RowSource& rows_;
  std::size_t index_;
  const VectorColumn& column_;
  Shape shape_;
  format::SegmentColumn layout_;
};

Result<std::uint64_t> ColumnWriter::elements(std::uint32_t row, const VectorRef& vector) const {
  const std::size_t values = vector.values.size();
  switch (column_.kind) {
    case VectorKind::kDense:
      if (values == column_.dimension && vector.indices.empty()) return values;
      return broken(row, "expected " + std::to_string(column_.dimension) + " values, found " +
                             std::to_string(values));
    case VectorKind::kMulti:
      if (values % column_.dimension == 0 && vector.indices.empty()) {
        return values / column_.dimension;
      }
      return broken(row, "expected a multiple of " + std::to_string(column_.dimension) +
                             " values, found " + std::to_string(values));
    case VectorKind::kSparse:
      if (values != vector.indices.size()) {
        return broken(row, "expected as many indices as values, found " +
                               std::to_string(vector.indices.size()) + " and " +
                               std::to_string(values));
      }
      for (std::size_t i = 1; i < values; ++i) {
        if (vector.indices[i - 1] >= vector.indices[i]) {
          return broken(row, "expected ascending indices");
        }
      }
      return values;
  }
  return broken(row, "unknown kind");
}

Status ColumnWriter::write_indices() {
  VZ_TRY_ASSIGN(layout_.indices.offset, begin_section(out_));
  if (column_.kind == VectorKind::kSparse) {
    for (std::uint32_t row = 0; row < rows_.row_count(); ++row) {
      VZ_TRY_ASSIGN(const std::optional<VectorRef> vector, rows_.vector(index_, row));
      if (!vector) continue;
      VZ_TRY_ASSIGN(const std::uint64_t count, elements(row, *vector));
      shape_.add(row, count);
      VZ_TRY(out_.append(std::as_bytes(vector->indices)));
    }
  }
  layout_.indices.size = out_.offset() - layout_.indices.offset;
  return {};
}

Status ColumnWriter::write_values() {
  const bool first_pass = column_.kind != VectorKind::kSparse;
  VZ_TRY_ASSIGN(layout_.values.offset, begin_section(out_));
  for (std::uint32_t row = 0; row < rows_.row_count(); ++row) {
    VZ_TRY_ASSIGN(const std::optional<VectorRef> vector, rows_.vector(index_, row));
    if (!vector) continue;
    VZ_TRY_ASSIGN(const std::uint64_t count, elements(row, *vector));
    if (first_pass) shape_.add(row, count);
    VZ_TRY(out_.append(std::as_bytes(vector->values)));
  }
  layout_.values.size = out_.offset() - layout_.values.offset;
  if (!first_pass && layout_.values.size != layout_.indices.size) {
    return fail(ErrorCode::kInternal,
                "vector '" + column_.name + "': the rows changed between two passes");
  }
  return {};
}

template <typename T>
Result<format::Section> ColumnWriter::section(std::span<const T> values) {
  format::Section section;
  VZ_TRY_ASSIGN(section.offset, begin_section(out_));
  VZ_TRY(out_.append(std::as_bytes(values)));
  section.size = values.size_bytes();
  return section;
}

Status ColumnWriter::write_presence() {
  std::span<const std::uint64_t> bits;
  std::vector<std::uint32_t> ranks;
  if (format::is_partial(shape_.present, rows_.row_count())) {
    bits = shape_.bits;
    std::uint32_t count = 0;
    for (std::size_t word = 0; word < bits.size(); ++word) {
      if (word % (format::kRowsPerRank / 64) == 0) ranks.push_back(count);
      count += static_cast<std::uint32_t>(std::popcount(bits[word]));
    }
  }
  VZ_TRY_ASSIGN(layout_.presence, section(bits));
  VZ_TRY_ASSIGN(layout_.ranks, section(std::span<const std::uint32_t>(ranks)));
  return {};
}

Result<format::SegmentColumn> ColumnWriter::write() {
  layout_.name = column_.name;
  layout_.kind = static_cast<format::ColumnKind>(column_.kind);
  layout_.dimension = column_.dimension;
  VZ_TRY(write_indices());
  VZ_TRY(write_values());
  std::span<const std::uint64_t> offsets;
  if (column_.kind != VectorKind::kDense) offsets = shape_.offsets;
  VZ_TRY_ASSIGN(layout_.offsets, section(offsets));
  VZ_TRY(write_presence());
  layout_.present = shape_.present;
  return std::move(layout_);
}

}  // namespace

Result<std::uint64_t> begin_section(CheckedFileWriter& out) {
  VZ_TRY(out.pad_to(format::kSegmentAlignment));
  return out.offset();
}

Result<format::SegmentColumn> write_vector_column(CheckedFileWriter& out, const RowSource& rows,
                                                  std::size_t index, const VectorColumn& column) {
  return ColumnWriter(out, rows, index, column).write();
}

}  // namespace vz::segment
