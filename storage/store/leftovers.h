// What crashes and older images have left in a data directory: files of ours that nobody needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/store/store.h"

namespace vz::store {

/// The image that was kept beside the one in force.
struct PreviousImage {
  manifest::Manifest image{};    ///< number 0: there is none that can be read
  std::uint64_t unreadable = 0;  ///< its number, if it is damaged; then any file may be one of its
};

/// The newest image below number `current`. Errors: kIoError (listing).
Result<PreviousImage> load_previous_image(Env& env, const Paths& paths, std::uint64_t current);

struct Leftover {
  std::string path;
  std::uint64_t size_bytes = 0;
  bool directory = false;  ///< of a dropped collection; empty once the leftovers before it are gone
};

/// *.tmp files, images older than the previous one, and numbered files of ours that no kept image
/// names and whose seq or number is below the ones that `current` gives out next. Not files that
/// are not ours, nor an image above the one in force, nor, while a restore is pending, anything of
/// collections/. Never writes. Errors: kIoError (listing).
Result<std::vector<Leftover>> find_leftovers(Env& env, const Paths& paths,
                                             const manifest::Manifest& current,
                                             const PreviousImage& previous);

}  // namespace vz::store
