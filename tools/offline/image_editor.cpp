#include "tools/offline/image_editor.h"

#include <algorithm>

#include "storage/wal/log_file.h"
#include "storage/store/snapshot_contents.h"

namespace vz::offline {

std::shared_ptr<collection::LiveCollection> unserved(
    const manifest::CollectionEntry& entry,
    std::shared_ptr<const collection::CollectionDefinition> definition) {
  return std::make_shared<collection::LiveCollection>(
      std::make_shared<collection::Visibility>(),
      collection::LiveCollection::Start{.id = entry.id,
                                        .name = entry.name,
                                        .definition = std::move(definition),
                                        .created_at_us = entry.created_at_us,
                                        .updated_at_us = entry.updated_at_us,
                                        .flushed_lsn = entry.flushed_lsn,
                                        .points = entry.points,
                                        .digest = entry.digest,
                                        .segments = {}});
}

Result<ImageEditor> ImageEditor::make(store::Store& store) {
  VZ_TRY_ASSIGN(const auto files, wal::list_log_files(store.env(), store.paths().wal()));
  const Epoch epoch = store::last_epoch(store.opened_manifest());
  return ImageEditor(store, files.empty() ? epoch : std::max(epoch, files.back().epoch));
}

const manifest::CollectionEntry& ImageEditor::entry_of(CollectionId id) const {
  const auto found = std::find_if(image_.collections.begin(), image_.collections.end(),
                                  [id](const auto& one) { return one.id == id; });
  VZ_ASSERT(found != image_.collections.end());
  return *found;
}

collection::PartNumbers ImageEditor::allocate() {
  return {.epoch = epoch_,
          .seq = image_.next_seq++,
          .index = image_.next_file_number++,
          .fields = image_.next_file_number++};
}

Result<collection::PartNumbers> ImageEditor::reserve() {
  const collection::PartNumbers numbers = allocate();
  VZ_TRY(publish_next(image_));
  return numbers;
}

Status ImageEditor::publish_next(manifest::Manifest next) {
  ++next.number;
  VZ_TRY(store_.publish(next));
  image_ = std::move(next);
  return {};
}

Status ImageEditor::publish(const manifest::CollectionEntry& entry) {
  manifest::Manifest next = image_;
  const auto old = std::find_if(next.collections.begin(), next.collections.end(),
                                [&](const auto& one) { return one.id == entry.id; });
  VZ_ASSERT(old != next.collections.end());
  *old = entry;
  return publish_next(std::move(next));
}

Status ImageEditor::drop_old_files() {
  return store_.keeps_old_files() ? publish_next(image_) : Status();
}

}  // namespace vz::offline
