// The content of a collection that arrives: rows of another directory, written as ours.
#include <algorithm>

#include "engine/node/housekeeper.h"

namespace vz::node {
namespace {

using collection::LiveCollection;
using collection::SealedPart;

/// The same rows; none is younger than `newest`: of another node they may have any lsn, and what is
/// above the visible one nobody would see.
class CappedRows final : public segment::RowSource {
 public:
  CappedRows(const collection::MergedRows& rows, Lsn newest) : rows_(rows), newest_(newest) {}

  [[nodiscard]] std::uint32_t row_count() const override { return rows_.row_count(); }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return rows_.id(row); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override {
    return std::min(rows_.version(row), newest_);
  }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override {
    return rows_.row_hash(row);
  }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    return rows_.vector(column, row);
  }
  Result<std::string_view> payload(std::uint32_t row) const override { return rows_.payload(row); }

 private:
  const collection::MergedRows& rows_;
  const Lsn newest_;
};

/// The sum of all hashes must be what the image said.
Status check_digest(const collection::MergedRows& rows, const LiveCollection& content) {
  std::uint64_t digest = 0;
  for (std::uint32_t row = 0; row < rows.row_count(); ++row) digest += rows.row_hash(row);
  if (digest == content.digest()) return {};
  return fail(ErrorCode::kCorruption,
              "the rows of collection '" + content.name() + "' are not those that its image says");
}

}  // namespace

Status Housekeeper::adopt(LiveCollection& arriving, const std::string& name,
                          const LiveCollection& content, std::stop_token stop) {
  MutexLock lock(merge_mutex_);
  const Segments inputs = content.view().parts->segments;
  VZ_TRY(require_room(inputs));
  VZ_TRY_ASSIGN(const auto rows, collection::MergedRows::make(inputs, kLsnMax));
  VZ_TRY(check_digest(rows, content));

  std::optional<manifest::SegmentEntry> written;
  std::shared_ptr<SealedPart> part;
  if (rows.row_count() > 0) {
    // Files are written under the name that it will have: by it a lost image is made again.
    const LiveCollection named(
        std::make_shared<collection::Visibility>(),
        {.id = arriving.id(), .name = name, .definition = content.definition(), .segments = {}});
    const collection::PartNumbers numbers = publisher_.allocate();
    auto made = collection::write_part(
        store_.env(), store_.paths(), named,
        {.rows = CappedRows(rows, arriving.id()), .tombstones = {}, .replaces = {}}, numbers,
        {.graph = index::GraphPolicy::kBySize,
         .threads = options_.index_threads,
         .stop = stop,
         .zstd_level = options_.zstd_level()});
    if (!made) discard(arriving.id(), unpublished(numbers));
    VZ_TRY_ASSIGN(written, std::move(made));
    VZ_TRY_ASSIGN(part, SealedPart::open(store_.env(), store_.paths(), arriving.id(), *written,
                                         *content.definition()));
    part->mark_settled();
  }
  return publisher_.publish(
      arriving.id(),
      [&](manifest::CollectionEntry& entry) -> Status {
        if (written) entry.segments.push_back(*written);
        entry.points = rows.row_count();
        entry.digest = content.digest();
        return {};
      },
      [&] { arriving.attach(part, rows.row_count(), content.digest()); });
}

}  // namespace vz::node
