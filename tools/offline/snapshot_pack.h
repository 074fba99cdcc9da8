// Makes a snapshot archive of a data directory that no node is running on.
#pragma once

#include <string>

#include "storage/env/env.h"
#include "storage/snapshot/pack.h"

namespace vz::offline {

/// Packs `data_dir` into `sink`, under a shared lock. The same directory gives the same bytes.
/// Changes nothing in the directory.
/// Errors: kLocked (a node is running: names it); kNoData (no data directory);
/// kFailedPrecondition: the log holds records that no segment holds, or a restore was cut short;
/// kCorruption: the image, the log, or a file that is not what the image says; kIncompatible,
/// kIoError, kNoSpace. The sink holds a piece then, which readers refuse.
Result<snapshot::PackReport> pack(Env& env, const std::string& data_dir,
                                  archive::ArchiveFormat format, archive::ByteSink& sink);

/// Packs into the file `to`, with its checksum beside it (snapshot::publish_archive).
/// Errors: as pack(); kInvalidArgument: `to` lies in the data directory, elsewhere than in
/// snapshots/; kAlreadyExists: it is there, and that is kRefused.
Result<snapshot::PackReport> pack_to_file(Env& env, const std::string& data_dir,
                                          archive::ArchiveFormat format, const std::string& to,
                                          snapshot::Present present = snapshot::Present::kRefused);

}  // namespace vz::offline
