// A second name for each file of an image: whatever becomes of the first, the file stays.
#pragma once

#include <string>
#include <vector>

#include "storage/format/restore_format.h"
#include "storage/store/store.h"

namespace vz::store {

enum class NamesLast : std::uint8_t {
  kForGood,    ///< synced
  kInProcess,  ///< not synced: who made them takes them away
};

/// Gives the files, which are beneath the data directory, the same paths beneath `to_directory`,
/// which is there; copies them where the file system has no second names.
/// Errors: kNotFound (a file is missing), kAlreadyExists, kIoError, kNoSpace: some of them are
/// there then.
Status give_second_names(Env& env, const Paths& paths, const std::string& to_directory,
                         const std::vector<format::RestoreFile>& files, NamesLast last);

}  // namespace vz::store
