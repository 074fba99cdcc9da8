#include "storage/segment/id_column.h"

#include <algorithm>
#include <cmath>

namespace vz::segment {
namespace {

constexpr std::size_t kUuidSize = 16;
constexpr std::uint32_t kBinaryBelow = 16;  // Rows; a range this small lies in two cache lines.
constexpr int kInterpolationsMax = 6;       // Then the ids are not evenly spread: halve instead.

/// First row of [first, last) that is not below `target`, or last.
/// key(row): a number that never decreases with the row, below(row): whether its id < the target.
///
/// Interpolation: each round guesses the place from the keys at both ends, then tests one row a
/// square root of the width further on, which for evenly spread ids bounds the place from the other
/// side too. Every test keeps the invariant "rows before first are below, rows from last on are
/// not", so whatever the keys are, the answer is the one that halving alone would give.
template <typename Key, typename Below>
std::uint32_t interpolated_lower_bound(std::uint32_t first, std::uint32_t last,
                                       std::uint64_t target, Key key, Below below) {
  for (int round = 0; round < kInterpolationsMax && last - first > kBinaryBelow; ++round) {
    const std::uint64_t low = key(first);
    const std::uint64_t high = key(last - 1);
    if (target < low || !below(first)) return first;
    if (target > high || below(last - 1)) return last;
    if (high == low) break;
    const std::uint32_t width = last - first - 1;
    const double share = static_cast<double>(target - low) / static_cast<double>(high - low);
    const std::uint32_t guess =
        first + std::min(width, static_cast<std::uint32_t>(share * static_cast<double>(width)));
    const auto step = static_cast<std::uint32_t>(std::sqrt(static_cast<double>(width))) + 1;
    if (below(guess)) {
      first = guess + 1;
      if (first >= last) return last;  // Only if the file changed under the mapping.
      const std::uint32_t probe = std::min(last - 1, guess + step);
      if (!below(probe)) {
        last = probe;
      } else {
        first = probe + 1;
      }
    } else {
      last = guess;
      if (first >= last) return first;
      const std::uint32_t probe = guess - std::min(guess - first, step);
      if (below(probe)) {
        first = probe + 1;
      } else {
        last = probe;
      }
    }
  }
  while (first < last) {
    const std::uint32_t middle = first + (last - first) / 2;
    if (below(middle)) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

}  // namespace

IdColumn::IdColumn(const CheckedFile& file, const format::SegmentFooter& footer, Damage& damage)
    : file_(file),
      footer_(footer),
      damage_(damage),
      numbers_(file.unchecked(footer.numbers.offset)),
      uuids_(file.unchecked(footer.uuids.offset)) {}

PointId IdColumn::load(std::uint32_t row) const {
  if (row < footer_.number_count) {
    return PointId::number(load_number<std::uint64_t>(numbers_ + std::size_t{row} * 8));
  }
  const std::byte* at = uuids_ + std::size_t{row - footer_.number_count} * kUuidSize;
  return PointId::uuid(load_number<std::uint64_t>(at), load_number<std::uint64_t>(at + 8));
}

bool IdColumn::sound() const {
  return touch_.passed(damage_, [this] { return verify(); });
}

Status IdColumn::verify() const {
  VZ_TRY(file_.verify(footer_.numbers.offset, footer_.numbers.size));
  VZ_TRY(file_.verify(footer_.uuids.offset, footer_.uuids.size));
  const std::uint32_t rows = footer_.row_count;
  for (std::uint32_t row = 1; row < rows; ++row) {
    if (!(load(row - 1) < load(row))) {
      return fail(ErrorCode::kCorruption, file_.path() + ": id column: row " + std::to_string(row) +
                                              ": expected an id above the row before, found " +
                                              load(row).to_string());
    }
  }
  if (rows != 0 && (load(0) != footer_.min_id || load(rows - 1) != footer_.max_id)) {
    return fail(ErrorCode::kCorruption,
                file_.path() + ": id column: expected ids from " + footer_.min_id.to_string() +
                    " to " + footer_.max_id.to_string() + ", found " + load(0).to_string() +
                    " to " + load(rows - 1).to_string());
  }
  return {};
}

PointId IdColumn::at(std::uint32_t row) const {
  VZ_ASSERT(row < footer_.row_count);
  return sound() ? load(row) : PointId{};
}

std::uint32_t IdColumn::search(const PointId& id) const {
  const std::uint32_t numbers = footer_.number_count;
  if (id.is_number()) {
    const auto key = [this](std::uint32_t row) {
      return load_number<std::uint64_t>(numbers_ + std::size_t{row} * 8);
    };
    const auto below = [&](std::uint32_t row) { return key(row) < id.low; };
    return interpolated_lower_bound(0, numbers, id.low, key, below);
  }
  const auto key = [&](std::uint32_t row) { return load(row).high; };
  const auto below = [&](std::uint32_t row) { return load(row) < id; };
  return interpolated_lower_bound(numbers, footer_.row_count, id.high, key, below);
}

std::uint32_t IdColumn::lower_bound(const PointId& id) const {
  return sound() ? search(id) : footer_.row_count;
}

std::optional<std::uint32_t> IdColumn::find(const PointId& id) const {
  if (!sound()) return std::nullopt;
  const std::uint32_t row = search(id);
  if (row == footer_.row_count || load(row) != id) return std::nullopt;
  return row;
}

}  // namespace vz::segment
