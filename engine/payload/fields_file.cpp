// Opens .fields: footer and directory; columns wait for their first use.
#include "engine/payload/fields_file.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/payload/fields_state.h"
#include "engine/payload/key_path.h"

namespace vz::payload {
namespace {

constexpr std::string_view kTypeNames[] = {"keyword",  "integer", "float", "bool",
                                           "datetime", "uuid",    "text",  "geo"};
constexpr std::size_t kColumnsMax = limits::kFieldsPerSegmentMax + limits::kDeclaredFieldsMax;

format::RowSetRef read_set(ByteReader& in) {
  format::RowSetRef set;
  set.offset = in.number<std::uint64_t>();
  set.count = in.number<std::uint32_t>();
  set.form = in.number<std::uint32_t>();
  return set;
}

format::ColumnRef read_ref(ByteReader& in) {
  format::ColumnRef ref;
  ref.begin = in.number<std::uint64_t>();
  ref.end = in.number<std::uint64_t>();
  for (format::RowSetRef& set : ref.sets) set = read_set(in);
  ref.term_count = in.number<std::uint64_t>();
  ref.term_table = in.number<std::uint64_t>();
  ref.term_text = in.number<std::uint64_t>();
  ref.term_text_size = in.number<std::uint64_t>();
  for (format::NumberListRef& list : ref.numbers) {
    list.count = in.number<std::uint64_t>();
    list.offset = in.number<std::uint64_t>();
  }
  return ref;
}

tl::unexpected<Error> damaged(const segment::CheckedFile& file, std::uint64_t offset,
                              const std::string& what) {
  return fail(ErrorCode::kCorruption,
              file.path() + " at offset " + std::to_string(offset) + ": " + what);
}

Status read_directory(FieldsFile::State& state, ByteSpan bytes, std::uint64_t offset) {
  ByteReader in(bytes);
  const auto count = in.number<std::uint32_t>();
  if (count > kColumnsMax) {
    return damaged(*state.file, offset,
                   "expected at most " + std::to_string(kColumnsMax) + " columns, found " +
                       std::to_string(count));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    auto entry = std::make_unique<FieldsFile::State::Entry>();
    entry->path = in.text();
    entry->ref = read_ref(in);
    if (!in.ok()) break;
    const std::uint64_t at = offset + in.offset();
    if (!state.entries.empty() && state.entries.back()->path >= entry->path) {
      return damaged(*state.file, at, "columns are not ascending by path");
    }
    if (entry->ref.begin > entry->ref.end || entry->ref.end > offset) {
      return damaged(*state.file, at, "column '" + entry->path + "' lies outside the file");
    }
    state.entries.push_back(std::move(entry));
  }
  if (!in.ok() || in.remaining() != 0) {
    return damaged(*state.file, offset, "the directory has the wrong size");
  }
  return {};
}

}  // namespace

std::string_view field_type_name(FieldType type) {
  return kTypeNames[static_cast<std::size_t>(type) - 1];
}

std::optional<FieldType> parse_field_type(std::string_view name) {
  const auto* found = std::find(std::begin(kTypeNames), std::end(kTypeNames), name);
  if (found == std::end(kTypeNames)) return std::nullopt;
  return static_cast<FieldType>(found - std::begin(kTypeNames) + 1);
}

FieldsFile::FieldsFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
FieldsFile::~FieldsFile() = default;

Result<std::unique_ptr<FieldsFile>> FieldsFile::open(Env& env, const std::string& path,
                                                     std::uint32_t rows) {
  auto state = std::make_unique<State>();
  VZ_TRY_ASSIGN(state->file, segment::CheckedFile::open(env, path, segment::FileKind::kFields,
                                                        format::kFieldsVersion));
  const segment::CheckedFile& file = *state->file;
  const std::uint64_t size = file.content_size();
  if (size < format::kFieldsFooterSize) return damaged(file, 0, "too short for a footer");
  const std::uint64_t footer_at = size - format::kFieldsFooterSize;
  VZ_TRY_ASSIGN(const ByteSpan footer, file.bytes(footer_at, format::kFieldsFooterSize));
  ByteReader in(footer);
  if (in.number<std::uint64_t>() != format::kFieldsMagic) {
    return damaged(file, footer_at, "wrong magic");
  }
  const auto directory_at = in.number<std::uint64_t>();
  const auto directory_size = in.number<std::uint64_t>();
  state->rows = in.number<std::uint32_t>();
  if (in.number<std::uint32_t>() != 0) return damaged(file, footer_at, "reserved bytes are set");
  if (state->rows != rows) {
    return damaged(
        file, footer_at,
        "expected " + std::to_string(rows) + " rows, found " + std::to_string(state->rows));
  }
  if (directory_size > format::kFieldsDirectoryBytesMax || directory_at > footer_at ||
      directory_size > footer_at - directory_at) {
    return damaged(file, footer_at, "the directory lies outside the file");
  }
  VZ_TRY_ASSIGN(const ByteSpan directory, file.bytes(directory_at, directory_size));
  VZ_TRY(read_directory(*state, directory, directory_at));
  return std::unique_ptr<FieldsFile>(new FieldsFile(std::move(state)));
}

const segment::CheckedFile& FieldsFile::file() const {
  return *state_->file;
}

std::uint32_t FieldsFile::row_count() const {
  return state_->rows;
}

bool FieldsFile::has_column(std::string_view path) const {
  return rows_with(path).has_value();
}

std::optional<std::uint64_t> FieldsFile::rows_with(std::string_view path) const {
  const auto parsed = parse_key_path(path);
  if (!parsed.has_value()) return std::nullopt;
  const State::Entry* entry = state_->find(key_path_text(*parsed));
  if (entry == nullptr) return std::nullopt;
  return entry->ref.sets[format::kValued].count;
}

std::uint64_t FieldsFile::memory_bytes() const {
  std::uint64_t sum = sizeof(State);
  for (const auto& entry : state_->entries) sum += sizeof(State::Entry) + entry->path.capacity();
  return sum;
}

FieldsFile::State::Entry* FieldsFile::State::find(std::string_view path) const {
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), path,
                       [](const auto& entry, std::string_view key) { return entry->path < key; });
  return found != entries.end() && (*found)->path == path ? found->get() : nullptr;
}

Result<Column> FieldsFile::State::column(Entry& entry) const {
  const Column column(*file, entry.ref, rows);
  std::call_once(entry.once, [&] { entry.valid = column.validate(); });
  VZ_TRY(entry.valid);
  return column;
}

}  // namespace vz::payload
