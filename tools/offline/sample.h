// Which part of the pieces of a directory a check reads, when it is not to read them all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::offline {

struct Sample {
  enum class Kind : std::uint8_t {
    kAll,
    kTurn,   ///< part `part` of `parts`: all parts together are everything
    kShare,  ///< about `share` of the bytes, another part for each seed
    kBytes,  ///< about `bytes` of them, likewise
  };
  Kind kind = Kind::kAll;
  std::uint64_t part = 1;
  std::uint64_t parts = 1;  ///< 1 .. kSamplePartsMax
  double share = 1;         ///< 0 .. 1
  std::uint64_t bytes = 0;
  std::uint64_t seed = 0;
};

inline constexpr std::uint64_t kSamplePartsMax = 10'000;

/// "3/7", "5%", "10GiB". `seed` is kept for the last two.
/// Errors: kInvalidArgument.
Result<Sample> parse_sample(std::string_view text, std::uint64_t seed);

/// "3/7"; "5% (seed 17)"; "" for everything.
std::string text_of(const Sample& sample);

/// Chooses pieces. The turn of a piece depends on its file's name and on where it lies in it, so
/// that it stays the same while other files come and go: a piece that lives through all turns is
/// read in one of them. Not thread-safe until settled.
class Choice {
 public:
  explicit Choice(const Sample& sample) : sample_(sample) {}

  /// Every piece, before takes() is asked. turn: consecutive within a file.
  void offer(std::string_view file, std::uint64_t turn, std::uint64_t bytes);
  void settle();
  /// Of kShare and kBytes at least one piece that was offered is taken.
  [[nodiscard]] bool takes(std::string_view file, std::uint64_t turn) const;

 private:
  [[nodiscard]] std::uint64_t draw(std::string_view file, std::uint64_t turn) const;

  const Sample sample_;
  std::uint64_t bytes_offered_ = 0;
  std::uint64_t least_drawn_ = ~std::uint64_t{0};
  std::uint64_t threshold_ = 0;
};

}  // namespace vz::offline
