// A new file of lines, perhaps compressed: what a salvage writes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/env/env.h"

namespace vz::offline {

/// Not thread-safe. Until finish() has returned the file is not whole.
class LineWriter {
 public:
  /// Creates `path`; zstd if its name ends in ".zst". Errors: kAlreadyExists, kIoError.
  static Result<std::unique_ptr<LineWriter>> create(Env& env, const std::string& path);
  ~LineWriter();

  /// `line` without its end. Errors: kNoSpace, kIoError, kInternal (zstd).
  Status add(std::string_view line);
  /// Writes what is left and syncs. Errors: as add().
  Status finish();

 private:
  struct State;
  explicit LineWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::offline
