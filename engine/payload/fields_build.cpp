// Writes .fields: finds the key paths of a segment's payloads, fills a column for each, publishes.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "engine/limits.h"
#include "engine/payload/fields_column.h"
#include "engine/payload/fields_file.h"

namespace vz::payload {
namespace {

/// Paths watched without a declaration. A path is watched from its first value of any kind, so that
/// its column misses no row when its first scalar comes late; those that stay without a scalar are
/// dropped. When all are taken no further path is watched.
constexpr std::size_t kWatchedMax = 4 * limits::kFieldsPerSegmentMax;

class FieldsBuilder {
 public:
  Status declare(std::span<const DeclaredField> declared) {
    for (const DeclaredField& field : declared) {
      VZ_TRY_ASSIGN(KeyPath path, parse_key_path(field.path));
      std::string text = key_path_text(path);
      if (!columns_.contains(text)) {
        order_.push_back(
            &columns_.emplace(text, ColumnBuilder(text, std::move(path))).first->second);
      }
    }
    declared_ = order_.size();
    return {};
  }

  void add(std::uint32_t row, FlatValue root) {
    path_.clear();
    watch(root);
    for (ColumnBuilder* column : order_) column->add(row, root);
  }

  Result<segment::FileInfo> write(segment::CheckedFileWriter& file, std::uint32_t rows) {
    std::map<std::string_view, ColumnBuilder*> chosen;  // by path
    for (std::size_t i = 0; i < declared_; ++i) chosen.emplace(order_[i]->path_text(), order_[i]);
    std::size_t left = limits::kFieldsPerSegmentMax;
    for (std::size_t i = declared_; i < order_.size() && left > 0; ++i) {
      if (!order_[i]->scalar_seen()) continue;
      chosen.emplace(order_[i]->path_text(), order_[i]);
      --left;
    }
    Bytes directory;
    ByteWriter writer(directory);
    writer.number(static_cast<std::uint32_t>(chosen.size()));
    for (const auto& [path, column] : chosen) {
      VZ_TRY_ASSIGN(const format::ColumnRef ref, column->write(file, rows));
      write_entry(path, ref, writer);
    }
    VZ_TRY(file.pad_to(8));
    const std::uint64_t at = file.offset();
    VZ_TRY(file.append(directory));
    VZ_TRY(file.pad_to(8));
    Bytes footer;
    ByteWriter end(footer);
    end.number(format::kFieldsMagic);
    end.number(at);
    end.number(static_cast<std::uint64_t>(directory.size()));
    end.number(rows);
    end.number(std::uint32_t{0});
    VZ_TRY(file.append(footer));
    return file.finish();
  }

 private:
  static void write_entry(std::string_view path, const format::ColumnRef& ref, ByteWriter& out) {
    out.text(path);
    out.number(ref.begin);
    out.number(ref.end);
    for (const format::RowSetRef& set : ref.sets) {
      out.number(set.offset);
      out.number(set.count);
      out.number(set.form);
    }
    out.number(ref.term_count);
    out.number(ref.term_table);
    out.number(ref.term_text);
    out.number(ref.term_text_size);
    for (const format::NumberListRef& list : ref.numbers) {
      out.number(list.count);
      out.number(list.offset);
    }
  }

  /// Watches the key paths of an object, through objects only: what is inside arrays needs `[]` in
  /// its path, and so a declaration.
  void watch(FlatValue object) {
    for_each_member(object, [&](const FlatMember& member) {
      const std::size_t size = path_.size();
      if (append_key(member.key, path_) && path_.size() <= limits::kKeyPathBytesMax) {
        watch_path();
        if (member.value().is_object()) watch(member.value());
      }
      path_.resize(size);
      return true;
    });
  }

  void watch_path() {
    if (columns_.contains(path_)) return;
    if (order_.size() - declared_ >= kWatchedMax) return;
    auto path = parse_key_path(path_);
    if (!path.has_value()) return;  // too many steps
    order_.push_back(
        &columns_.emplace(path_, ColumnBuilder(path_, std::move(*path))).first->second);
  }

  std::unordered_map<std::string, ColumnBuilder> columns_;
  std::vector<ColumnBuilder*> order_;  ///< declared ones first, then as first seen
  std::size_t declared_ = 0;
  std::string path_;
};

}  // namespace

Result<segment::FileInfo> build_fields(Env& env, const std::string& path, std::uint32_t rows,
                                       const PayloadOfRow& payload,
                                       std::span<const DeclaredField> declared) {
  FieldsBuilder builder;
  VZ_TRY(builder.declare(declared));
  std::string flat;
  for (std::uint32_t row = 0; row < rows; ++row) {
    VZ_TRY_ASSIGN(const std::string_view text, payload(row));
    flat.clear();
    Status status = flatten_checked(text, flat);
    if (!status.has_value()) {
      return fail(ErrorCode::kCorruption, "building " + path + ": payload of row " +
                                              std::to_string(row) + ": " + status.error().message);
    }
    builder.add(row, flat_root(flat));
  }
  VZ_TRY_ASSIGN(auto file, segment::CheckedFileWriter::create(env, path, segment::FileKind::kFields,
                                                              format::kFieldsVersion));
  return builder.write(*file, rows);
}

}  // namespace vz::payload
