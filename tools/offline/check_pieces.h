// The pieces in which a check reads segments and what is derived from them: what a sample chooses,
// what a limit of time cuts, and what a later run need not do again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/offline/check_run.h"
#include "tools/offline/layout.h"
#include "tools/offline/sample.h"

namespace vz::offline {

struct Piece {
  enum class Kind : std::uint8_t {
    kBlocks,   ///< level 2: 16 MiB of a file, or those blocks of them that the sample takes
    kWhole,    ///< from level 3 on: a file with its SHA-256
    kSegment,  ///< what the files of a segment mean
  };
  Kind kind = Kind::kBlocks;
  check::NamedFile* file = nullptr;  ///< of kSegment its .seg
  std::uint64_t task = 0;            ///< of kBlocks
  std::uint64_t bytes = 0;           ///< that are read, for the progress
  std::size_t collection = 0;        ///< of kSegment, in Layout::collections
  std::size_t segment = 0;           ///< of kSegment, in NamedCollection::segments
};

struct Pieces {
  std::vector<Piece> reads{};     ///< first, in any order
  std::vector<Piece> segments{};  ///< then these, in any order
  bool all = true;                ///< false: the sample leaves some out
};

/// Pieces of the files that are there. Settles `choice`. At level 2 the sample takes runs of
/// blocks, a MiB each; from level 3 on whole segments with all their files.
Pieces pieces_of(const Run& run, Layout& layout, Choice& choice);

/// Says which piece it is and of which bytes: another file under the same name has another key.
std::string key_of(const Run& run, const Layout& layout, const Piece& piece);

}  // namespace vz::offline
