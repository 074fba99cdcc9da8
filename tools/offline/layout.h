// Level 0: which directory this is, which image is in force, and which files are there.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/manifest/manifest.h"
#include "storage/store/store.h"
#include "tools/offline/check_run.h"

namespace vz::offline {

struct Layout {
  /// In force, or the newest that can be read; null if there is none.
  std::unique_ptr<const manifest::Manifest> image{};
  bool in_force = false;
  std::deque<check::NamedFile> files{};
  std::vector<check::NamedCollection> collections{};  ///< those that were asked for
};

/// The identity of a directory that is ours; a damaged or missing FORMAT is a finding if the rest
/// says that it is.
/// Errors: kNoData (absent, empty, a creation that was cut short, or not ours), kIncompatible,
/// kIoError.
Result<store::Identity> read_format(Env& env, const store::Paths& paths, check::Findings& findings);

/// Reads the images and lists every directory. Errors: kIncompatible (an image), kNotFound (the
/// collection that the options name), kIoError (the directory cannot be listed).
Result<Layout> read_layout(const Run& run);

/// Under a shared lock: reads the layout and hands it to `steps`, which fills the report but for
/// the identity, the image's number and the time. Errors: of read_format and read_layout; kLocked,
/// kFailedPrecondition (a restore was cut short); kIncompatible, if `steps` met a newer format;
/// those of `steps`, and of require_plain_files() and unhindered() (hindrance.h).
Result<CheckReport> check_layout(
    Env& env, const std::string& directory, const CheckOptions& options,
    const std::function<Result<CheckReport>(const Run&, Layout&)>& steps);

}  // namespace vz::offline
