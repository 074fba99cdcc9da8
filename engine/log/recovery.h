// Recovery: files of the manifest, then the log's tail through the same apply.
#pragma once

#include <cstdint>

#include "engine/log/load_progress.h"
#include "engine/log/state.h"
#include "storage/store/store.h"

namespace vz::log {

struct RecoveryOptions {
  std::uint64_t seal_bytes = 32u << 20;  ///< a memtable is frozen at these bounds, as when serving
  std::uint32_t seal_rows = 32'768;
  LoadProgress* progress = nullptr;  ///< may be null
};

struct Recovered {
  NodeState state;
  /// What security.json says; null if it says more than this log has ever held: a file from another
  /// directory, to be written again as of this one.
  std::shared_ptr<const security::State> security_in_file;
  Lsn next_lsn = 1;
  Epoch epoch = 1;
  std::int64_t last_time_us = 0;
};

/// Opens every segment that the manifest names and replays the log after them. A torn tail is cut,
/// kept under quarantine/ and logged.
/// Errors: kCorruption (with path and offset; of security.json too), kIoError, kNotFound; nothing
/// was changed, except that a torn tail may have been cut already.
Result<Recovered> recover(store::Store& store, const RecoveryOptions& options);

/// One collection of an image, below `paths`, as recover() opens it; of no node. Errors:
/// kCorruption, kIncompatible, kIoError.
Result<std::shared_ptr<collection::LiveCollection>> open_collection(
    Env& env, const store::Paths& paths, const manifest::CollectionEntry& entry);

/// Opens every segment that the image names, below `paths`, as recover() does, and closes it again:
/// a node could serve it. Changes nothing. Errors: kCorruption, kIncompatible, kIoError.
Status check_openable(Env& env, const store::Paths& paths, const manifest::Manifest& image);

}  // namespace vz::log
