// The manifest's image made again from what it described: the footers of the segments, and the log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/format/segment_format.h"
#include "storage/manifest/manifest.h"
#include "storage/store/seen_here.h"
#include "storage/store/store.h"
#include "tools/offline/segment_name.h"

namespace vz::offline {

/// A .seg under collections/.
struct FoundSegment {
  std::string path{};
  CollectionId directory = 0;  ///< of the collection that it lies in
  SegmentName name{};          ///< by its file name
  /// What the content says that it is; nothing if no footer can be read.
  std::optional<format::SegmentFooter> footer{};
  bool footer_sure = false;  ///< its checksums are right
};

/// Every .seg, by path. Errors: kIoError, kPermissionDenied.
Result<std::vector<FoundSegment>> find_segments(Env& env, const store::Paths& paths);

struct RebuiltImage {
  manifest::Manifest image{};        ///< dead rows, points and digests are left at zero
  std::vector<std::string> notes{};  ///< what could not be known, for people
};

/// `hint`: an older image that can still be read, or null. What only the lost image knew is gone:
/// aliases and collections without a segment that neither the hint nor the log names. A segment
/// that another one replaces is left out.
/// Errors: kIoError, kPermissionDenied, kIncompatible, kCorruption (a name in wal/ that is no
/// file). Never writes.
Result<RebuiltImage> rebuild_image(Env& env, const store::Paths& paths,
                                   const manifest::Manifest* hint, const store::SeenHere& seen);

}  // namespace vz::offline
