#include "tools/offline/check_pieces.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/check/blocks.h"

namespace vz::offline {
namespace {

/// Calls visit(file) for every file of a segment that is there.
void each_file(const check::NamedSegment& segment, auto visit) {
  for (check::NamedFile* file : {segment.seg, segment.dead, segment.index, segment.fields})
    if (file != nullptr && file->present) visit(*file);
}

class Planner {
 public:
  Planner(const Run& run, Layout& layout, Choice& choice)
      : run_(run), layout_(layout), choice_(choice) {}

  Pieces plan() {
    if (by_segment()) {
      each_segment(
          [&](std::size_t, const check::NamedSegment& segment, const std::string& directory) {
            choice_.offer(directory, segment.entry->seq, size_of(segment));
          });
    } else {
      for (const check::NamedFile& file : layout_.files)
        if (file.present) offer_runs(file);
    }
    choice_.settle();
    if (!by_segment())
      for (check::NamedFile& file : layout_.files)
        if (file.present) add_blocks(file);
    std::size_t collection = ~std::size_t{0};
    std::size_t index = 0;
    each_segment(
        [&](std::size_t at, const check::NamedSegment& segment, const std::string& directory) {
          index = at == collection ? index + 1 : 0;
          collection = at;
          if (!choice_.takes(directory, segment.entry->seq)) {
            out_.all = false;
            return;
          }
          if (by_segment()) each_file(segment, [&](check::NamedFile& file) { add_whole(file); });
          out_.segments.push_back({.kind = Piece::Kind::kSegment,
                                   .file = segment.seg,
                                   .bytes = bytes_of_rows(segment),
                                   .collection = collection,
                                   .segment = index});
        });
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool by_segment() const { return run_.options.level >= check::Level::kContents; }

  static std::uint64_t size_of(const check::NamedSegment& segment) {
    std::uint64_t bytes = 0;
    each_file(segment, [&](const check::NamedFile& file) { bytes += file.info.size_bytes; });
    return bytes;
  }
  /// Level 3 reads every row once more, level 4 its vectors a third time.
  [[nodiscard]] std::uint64_t bytes_of_rows(const check::NamedSegment& segment) const {
    if (!segment.seg->present || !by_segment()) return 0;
    const std::uint64_t times = run_.options.level >= check::Level::kSearch ? 2 : 1;
    return times * segment.seg->info.size_bytes;
  }

  void each_segment(auto visit) {
    for (std::size_t i = 0; i < layout_.collections.size(); ++i) {
      const check::NamedCollection& collection = layout_.collections[i];
      const std::string directory = run_.name_of(run_.paths.collection(collection.entry->id));
      for (const check::NamedSegment& segment : collection.segments) visit(i, segment, directory);
    }
  }

  void offer_runs(const check::NamedFile& file) {
    const std::string name = run_.name_of(file.path);
    for (std::uint64_t at = 0; at < check::runs_of(file); ++at)
      choice_.offer(name, at, check::bytes_of_run(file, at));
  }

  void add_blocks(check::NamedFile& file) {
    const std::string name = run_.name_of(file.path);
    const std::uint64_t runs = check::runs_of(file);
    for (std::uint64_t task = 0; task < check::block_tasks(file); ++task) {
      Piece piece{.kind = Piece::Kind::kBlocks, .file = &file, .task = task};
      bool taken = runs == 0;  // Of a file without blocks the ends are all there is to read.
      for (std::uint64_t at = task * check::kRunsPerTask;
           at < std::min(runs, (task + 1) * check::kRunsPerTask); ++at) {
        if (!choice_.takes(name, at)) continue;
        taken = true;
        piece.bytes += check::bytes_of_run(file, at);
      }
      if (taken) out_.reads.push_back(piece);
    }
  }

  void add_whole(check::NamedFile& file) {
    out_.reads.push_back(
        {.kind = Piece::Kind::kWhole, .file = &file, .bytes = file.info.size_bytes});
  }

  const Run& run_;
  Layout& layout_;
  Choice& choice_;
  Pieces out_;
};

}  // namespace

Pieces pieces_of(const Run& run, Layout& layout, Choice& choice) {
  return Planner(run, layout, choice).plan();
}

std::string key_of(const Run& run, const Layout& layout, const Piece& piece) {
  const auto name = [&](const check::NamedFile& file) {
    return fmt::format("{}@{:08x}", run.name_of(file.path), file.info.trailer_crc32c);
  };
  switch (piece.kind) {
    case Piece::Kind::kBlocks:
      return fmt::format("blocks {} {}", name(*piece.file), piece.task);
    case Piece::Kind::kWhole:
      return "whole " + name(*piece.file);
    case Piece::Kind::kSegment:
      break;
  }
  // Its dead rows and derived files are replaced under it.
  std::string key = "segment";
  each_file(layout.collections[piece.collection].segments[piece.segment],
            [&](const check::NamedFile& file) { key += " " + name(file); });
  return key;
}

}  // namespace vz::offline
