// A decoder under hostile bytes: what the project's writers make, changed a little, with right and
// with wrong checksums.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"

namespace vz::fuzz {

struct Target {
  std::string_view name;
  /// Decodes any bytes. What it gives is an error or a value that keeps the decoder's promises;
  /// abort() else. Touches no disk.
  void (*run)(ByteSpan bytes);
  /// What the project's own writers make: what is changed.
  std::vector<Bytes> (*seeds)();
  /// Makes the checksums right again, so that what lies behind them is reached; null: none are in
  /// the way.
  void (*mend)(Bytes& bytes) = nullptr;
};

/// Aborts, saying which promise of a decoder does not hold.
void require(bool holds, const char* promise);

Bytes bytes_of(std::string_view text);

std::span<const Target> record_targets();
std::span<const Target> directory_targets();
std::span<const Target> file_targets();
std::span<const Target> text_targets();
std::span<const Target> body_targets();
std::vector<Target> all_targets();

/// Bytes of a file of the committed corpus, at most: what is found stays small enough to be read.
inline constexpr std::size_t kCorpusFileBytesMax = 4096;

/// `bytes` changed a little, at a few places that `seed` chooses: bits, bytes, numbers at their
/// limits, stretches removed, doubled or swapped. The same for the same seed.
Bytes mutated(Bytes bytes, std::uint64_t seed);

}  // namespace vz::fuzz
