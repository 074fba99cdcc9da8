// Publishing new images of an opened directory without a node, one collection at a time.
#pragma once

#include <memory>

#include "engine/collection/part_writer.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::offline {

/// What the engine's writers of parts want to know of a collection; nobody serves it.
std::shared_ptr<collection::LiveCollection> unserved(
    const manifest::CollectionEntry& entry,
    std::shared_ptr<const collection::CollectionDefinition> definition);

/// Not thread-safe: one editor per store.
class ImageEditor {
 public:
  /// Errors: kCorruption, kIoError: the names of the log's files, whose newest epoch new segments
  /// belong to.
  static Result<ImageEditor> make(store::Store& store);

  [[nodiscard]] const manifest::Manifest& image() const { return image_; }  ///< in force
  [[nodiscard]] store::Store& store() const { return store_; }

  /// Pointers stay good until the next publish. The collection must be there.
  [[nodiscard]] const manifest::CollectionEntry& entry_of(CollectionId id) const;

  /// Numbers for the files of a segment. What was not published leaves a gap at most.
  collection::PartNumbers allocate();
  /// The same, given out for good by an image: files of these numbers that no later image names are
  /// leftovers, which a rerun, a start or `data gc` removes. Errors: as publish().
  Result<collection::PartNumbers> reserve();

  /// An image with `entry` in the place of the collection's old one. What the log holds is as it
  /// was: flushed_lsn, log_lsn and clean_lsn stay. Errors: those of store::Store::publish().
  Status publish(const manifest::CollectionEntry& entry);
  /// The files of the image before are removed now, not by the next publish: for that it publishes
  /// the same once more. Errors: as publish().
  Status drop_old_files();

 private:
  ImageEditor(store::Store& store, Epoch epoch)
      : store_(store), image_(store.opened_manifest()), epoch_(epoch) {}
  Status publish_next(manifest::Manifest next);

  store::Store& store_;
  manifest::Manifest image_;
  Epoch epoch_;
};

}  // namespace vz::offline
