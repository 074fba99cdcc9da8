#include "engine/payload/fields_column.h"

#include <algorithm>

#include "engine/payload/datetime.h"
#include "engine/payload/filter_match.h"

namespace vz::payload {
namespace {

using segment::CheckedFileWriter;

void insert(std::vector<std::uint32_t>& rows, std::uint32_t row) {
  if (rows.empty() || rows.back() != row) rows.push_back(row);
}

template <typename T>
Status append_numbers(CheckedFileWriter& file, std::span<const T> values) {
  return file.append(std::as_bytes(values));
}

Result<format::RowSetRef> write_rows(CheckedFileWriter& file, std::uint32_t row_count,
                                     std::span<const std::uint32_t> rows) {
  VZ_TRY(file.pad_to(8));
  format::RowSetRef ref{file.offset(), static_cast<std::uint32_t>(rows.size()), format::kList};
  const std::size_t words = (std::size_t{row_count} + 63) / 64;
  if (rows.size() * sizeof(std::uint32_t) <= words * sizeof(std::uint64_t)) {
    VZ_TRY(append_numbers(file, rows));
    return ref;
  }
  ref.form = format::kBits;
  std::vector<std::uint64_t> bits(words);
  for (const std::uint32_t row : rows) bits[row / 64] |= std::uint64_t{1} << (row % 64);
  VZ_TRY(append_numbers(file, std::span<const std::uint64_t>(bits)));
  return ref;
}

template <typename T>
Result<format::NumberListRef> write_numbers(CheckedFileWriter& file,
                                            std::vector<std::pair<T, std::uint32_t>>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  VZ_TRY(file.pad_to(8));
  const format::NumberListRef ref{list.size(), file.offset()};
  std::vector<T> values;
  std::vector<std::uint32_t> rows;
  values.reserve(list.size());
  rows.reserve(list.size());
  for (const auto& [value, row] : list) {
    values.push_back(value);
    rows.push_back(row);
  }
  VZ_TRY(append_numbers(file, std::span<const T>(values)));
  VZ_TRY(append_numbers(file, std::span<const std::uint32_t>(rows)));
  return ref;
}

}  // namespace

void ColumnBuilder::add_string(std::uint32_t row, std::string_view text) {
  if (text.size() > format::kTermBytesMax) {
    insert(sets_[format::kOther], row);
  } else {
    const auto id = static_cast<std::uint32_t>(term_ids_.size());
    postings_.emplace_back(term_ids_.try_emplace(std::string(text), id).first->second, row);
  }
  const auto moment = parse_datetime(text);
  if (moment.has_value()) datetimes_.emplace_back(*moment, row);
}

void ColumnBuilder::add_leaf(std::uint32_t row, FlatValue leaf) {
  if (leaf.is_null()) return;
  auto& valued = sets_[format::kValued];
  if (!valued.empty() && valued.back() == row) insert(sets_[format::kMany], row);
  insert(valued, row);
  switch (leaf.tag()) {
    case FlatTag::kFalse:
      insert(sets_[format::kFalse], row);
      break;
    case FlatTag::kTrue:
      insert(sets_[format::kTrue], row);
      break;
    case FlatTag::kInt:
      ints_.emplace_back(leaf.number().i, row);
      break;
    case FlatTag::kUint:
      uints_.emplace_back(leaf.number().u, row);
      break;
    case FlatTag::kDouble: {
      const double value = leaf.number().d;
      doubles_.emplace_back(value == 0 ? 0.0 : value, row);  // one zero: -0.0 equals 0.0
      break;
    }
    case FlatTag::kString:
      add_string(row, leaf.string());
      break;
    default:
      insert(sets_[format::kOther], row);
  }
  if (!leaf.is_array() && !leaf.is_object()) scalar_seen_ = true;
}

void ColumnBuilder::add(std::uint32_t row, FlatValue root) {
  if (is_null_at(root, path_)) insert(sets_[format::kNull], row);
  if (!is_empty_at(root, path_)) insert(sets_[format::kNotEmpty], row);
  values_at(root, path_, [&](FlatValue value) {
    return leaves_of(value, [&](FlatValue leaf) {
      add_leaf(row, leaf);
      return true;
    });
  });
}

Status ColumnBuilder::write_terms(CheckedFileWriter& file, std::uint32_t rows,
                                  format::ColumnRef& ref) {
  std::vector<std::pair<std::string_view, std::uint32_t>> terms;
  terms.reserve(term_ids_.size());
  for (const auto& [text, id] : term_ids_) terms.emplace_back(text, id);
  std::sort(terms.begin(), terms.end());
  std::sort(postings_.begin(), postings_.end());
  postings_.erase(std::unique(postings_.begin(), postings_.end()), postings_.end());
  std::vector<std::size_t> begin_of(terms.size() + 1, postings_.size());
  for (std::size_t i = postings_.size(); i > 0; --i) begin_of[postings_[i - 1].first] = i - 1;

  Bytes table;
  ByteWriter writer(table);
  std::uint64_t text_end = 0;
  Rows of_term;
  for (const auto& [text, id] : terms) {
    of_term.clear();
    for (std::size_t i = begin_of[id]; i < postings_.size() && postings_[i].first == id; ++i) {
      of_term.push_back(postings_[i].second);
    }
    VZ_TRY_ASSIGN(const format::RowSetRef set, write_rows(file, rows, of_term));
    text_end += text.size();
    writer.number(text_end);
    writer.number(set.offset);
    writer.number(set.count);
    writer.number(set.form);
  }
  VZ_TRY(file.pad_to(8));
  ref.term_count = terms.size();
  ref.term_table = file.offset();
  VZ_TRY(file.append(table));
  ref.term_text = file.offset();
  ref.term_text_size = text_end;
  for (const auto& term : terms) VZ_TRY(file.append(as_bytes(term.first)));
  return {};
}

Result<format::ColumnRef> ColumnBuilder::write(CheckedFileWriter& file, std::uint32_t rows) {
  VZ_TRY(file.pad_to(8));
  format::ColumnRef ref;
  ref.begin = file.offset();
  for (std::size_t i = 0; i < format::kRowSets; ++i) {
    VZ_TRY_ASSIGN(ref.sets[i], write_rows(file, rows, sets_[i]));
  }
  VZ_TRY(write_terms(file, rows, ref));
  VZ_TRY_ASSIGN(ref.numbers[format::kInts], write_numbers(file, ints_));
  VZ_TRY_ASSIGN(ref.numbers[format::kUints], write_numbers(file, uints_));
  VZ_TRY_ASSIGN(ref.numbers[format::kDoubles], write_numbers(file, doubles_));
  VZ_TRY_ASSIGN(ref.numbers[format::kDatetimes], write_numbers(file, datetimes_));
  ref.end = file.offset();
  return ref;
}

}  // namespace vz::payload
