// The rules of fields_format.h, checked before a column is used: after them a walk over it cannot
// leave its bounds, whatever bytes stood behind right checksums.
#include <cmath>

#include "engine/payload/fields_state.h"

namespace vz::payload {

Status Column::damaged(std::uint64_t offset, std::string_view what) const {
  return fail(ErrorCode::kCorruption, file_->path() + " at offset " + std::to_string(offset) +
                                          ": " + std::string(what) + " is not valid");
}

Status Column::check_range(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
  if (offset < ref_->begin || offset > ref_->end || size > ref_->end - offset || offset % 8 != 0) {
    return damaged(offset, what);
  }
  return {};
}

Status Column::check_set(const format::RowSetRef& set, std::string_view what) const {
  if (set.form == format::kList) {
    VZ_TRY(check_range(set.offset, std::uint64_t{set.count} * sizeof(std::uint32_t), what));
    const auto* rows = reinterpret_cast<const std::uint32_t*>(file_->unchecked(set.offset));
    std::uint64_t next = 0;  // the smallest row that may follow
    for (std::uint32_t i = 0; i < set.count; ++i) {
      if (rows[i] < next || rows[i] >= rows_) return damaged(set.offset, what);
      next = std::uint64_t{rows[i]} + 1;
    }
    return {};
  }
  if (set.form != format::kBits) return damaged(set.offset, what);
  const std::uint64_t words = (std::uint64_t{rows_} + 63) / 64;
  VZ_TRY(check_range(set.offset, words * sizeof(std::uint64_t), what));
  const auto* bits = reinterpret_cast<const std::uint64_t*>(file_->unchecked(set.offset));
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < words; ++i) {
    count += static_cast<std::uint64_t>(__builtin_popcountll(bits[i]));
  }
  const bool beyond = rows_ % 64 != 0 && bits[words - 1] >> (rows_ % 64) != 0;
  if (count != set.count || beyond) return damaged(set.offset, what);
  return {};
}

Status Column::check_terms() const {
  const std::uint64_t size = ref_->end - ref_->begin;
  if (ref_->term_count > size / format::kTermEntrySize) {
    return damaged(ref_->term_table, "term count");
  }
  VZ_TRY(check_range(ref_->term_table, ref_->term_count * format::kTermEntrySize, "term table"));
  if (ref_->term_text < ref_->begin || ref_->term_text > ref_->end ||
      ref_->term_text_size > ref_->end - ref_->term_text) {
    return damaged(ref_->term_text, "term text");
  }
  std::uint64_t begin = 0;
  std::string_view previous;
  for (std::uint64_t i = 0; i < ref_->term_count; ++i) {
    const std::uint64_t at = ref_->term_table + i * format::kTermEntrySize;
    const auto end = load_number<std::uint64_t>(file_->unchecked(at));
    if (end < begin || end > ref_->term_text_size) return damaged(at, "term");
    const std::string_view text = term(i);
    if (i > 0 && text <= previous) return damaged(at, "order of terms");
    VZ_TRY(check_set(rows_of_term(i), "rows of a term"));
    previous = text;
    begin = end;
  }
  return {};
}

template <typename T>
Status Column::check_numbers(format::NumberListKind kind) const {
  static constexpr std::uint64_t kItemSize = 8 + sizeof(std::uint32_t);
  const format::NumberListRef& list = ref_->numbers[kind];
  if (list.count > (ref_->end - ref_->begin) / kItemSize) {
    return damaged(list.offset, "count of numbers");
  }
  VZ_TRY(check_range(list.offset, list.count * kItemSize, "list of numbers"));
  const std::span<const T> numbers = values<T>(kind);
  const std::span<const std::uint32_t> rows = rows_of(kind);
  for (std::uint64_t i = 0; i < list.count; ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(numbers[i])) return damaged(list.offset, "number");
    }
    if (rows[i] >= rows_) return damaged(list.offset, "row of a number");
    if (i > 0 &&
        (numbers[i] < numbers[i - 1] || (numbers[i] == numbers[i - 1] && rows[i] <= rows[i - 1]))) {
      return damaged(list.offset, "order of numbers");
    }
  }
  return {};
}

Status Column::validate() const {
  VZ_TRY(file_->verify(ref_->begin, ref_->end - ref_->begin));
  for (const format::RowSetRef& each : ref_->sets) VZ_TRY(check_set(each, "row set"));
  VZ_TRY(check_terms());
  VZ_TRY(check_numbers<std::int64_t>(format::kInts));
  VZ_TRY(check_numbers<std::uint64_t>(format::kUints));
  VZ_TRY(check_numbers<double>(format::kDoubles));
  VZ_TRY(check_numbers<std::int64_t>(format::kDatetimes));
  if (file_->failed()) return damaged(ref_->begin, "mapping");
  return {};
}

void Column::unite(const format::RowSetRef& set, index::RowSet& out) const {
  if (set.form == format::kBits) {
    const auto* bits = reinterpret_cast<const std::uint64_t*>(file_->unchecked(set.offset));
    for (std::uint64_t& word : out.words()) word |= *bits++;
    return;
  }
  const auto* rows = reinterpret_cast<const std::uint32_t*>(file_->unchecked(set.offset));
  for (std::uint32_t i = 0; i < set.count; ++i) {
    // Validated; but when a page of the term table fails later, a set may stand anywhere.
    if (rows[i] < rows_) out.insert(rows[i]);
  }
}

std::string_view Column::term(std::uint64_t index) const {
  const std::byte* entry = file_->unchecked(ref_->term_table + index * format::kTermEntrySize);
  const auto end = load_number<std::uint64_t>(entry);
  const std::uint64_t begin =
      index == 0 ? 0 : load_number<std::uint64_t>(entry - format::kTermEntrySize);
  if (begin > end || end > ref_->term_text_size) return {};  // zeros after a fault
  return {reinterpret_cast<const char*>(file_->unchecked(ref_->term_text + begin)), end - begin};
}

format::RowSetRef Column::rows_of_term(std::uint64_t index) const {
  const std::byte* entry = file_->unchecked(ref_->term_table + index * format::kTermEntrySize);
  return {load_number<std::uint64_t>(entry + 8), load_number<std::uint32_t>(entry + 16),
          load_number<std::uint32_t>(entry + 20)};
}

}  // namespace vz::payload
