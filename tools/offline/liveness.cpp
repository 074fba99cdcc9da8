#include "tools/offline/liveness.h"

#include <algorithm>
#include <optional>
#include <queue>
#include <utility>

namespace vz::offline {
namespace {

class SegmentIds final : public IdRows {
 public:
  explicit SegmentIds(const segment::Segment& segment) : segment_(segment) {}
  [[nodiscard]] std::uint32_t count() const override { return segment_.row_count(); }
  [[nodiscard]] PointId id(std::uint32_t i) const override { return segment_.id(i); }
  [[nodiscard]] Lsn version(std::uint32_t i) const override { return segment_.version(i); }
  [[nodiscard]] std::uint32_t row(std::uint32_t i) const override { return i; }

 private:
  const segment::Segment& segment_;
};

class KnownIds final : public IdRows {
 public:
  explicit KnownIds(const std::vector<KnownRow>& rows) : rows_(rows) {}
  [[nodiscard]] std::uint32_t count() const override {
    return static_cast<std::uint32_t>(rows_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t i) const override { return rows_[i].id; }
  [[nodiscard]] Lsn version(std::uint32_t i) const override { return rows_[i].version; }
  [[nodiscard]] std::uint32_t row(std::uint32_t i) const override { return rows_[i].row; }

 private:
  const std::vector<KnownRow>& rows_;
};

/// Where the merge stands: the next row, or the next tombstone, of one generation.
struct Cursor {
  PointId id;
  std::size_t generation = 0;
  bool is_row = false;
  std::size_t next = 0;
};
struct Later {
  bool operator()(const Cursor& a, const Cursor& b) const { return b.id < a.id; }
};

class Merge {
 public:
  explicit Merge(const std::vector<Generation>& generations) : generations_(generations) {}

  std::vector<std::vector<std::uint32_t>> run() {
    dead_.resize(generations_.size());
    for (std::size_t g = 0; g < generations_.size(); ++g) {
      push({.id = {}, .generation = g, .is_row = true, .next = 0});
      push({.id = {}, .generation = g, .is_row = false, .next = 0});
    }
    while (!queue_.empty()) settle(queue_.top().id);
    for (auto& rows : dead_) std::sort(rows.begin(), rows.end());
    return std::move(dead_);
  }

 private:
  struct Candidate {
    std::size_t generation = 0;
    std::uint32_t row = 0;
    Lsn version = 0;
  };

  void push(Cursor cursor) {
    const Generation& from = generations_[cursor.generation];
    const std::size_t end = cursor.is_row ? from.rows->count() : from.tombstones.size();
    if (cursor.next >= end) return;
    cursor.id = cursor.is_row ? from.rows->id(static_cast<std::uint32_t>(cursor.next))
                              : from.tombstones[cursor.next].id;
    queue_.push(cursor);
  }

  /// Takes everything about one id.
  void settle(const PointId id) {
    std::vector<Candidate> rows;
    Lsn deleted = 0;
    while (!queue_.empty() && queue_.top().id == id) {
      Cursor cursor = queue_.top();
      queue_.pop();
      const Generation& from = generations_[cursor.generation];
      if (cursor.is_row) {
        const auto i = static_cast<std::uint32_t>(cursor.next);
        rows.push_back({cursor.generation, from.rows->row(i), from.rows->version(i)});
      } else {
        deleted = std::max(deleted, from.tombstones[cursor.next].lsn);
      }
      ++cursor.next;
      push(cursor);
    }
    std::optional<std::size_t> winner;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto age = [&](std::size_t of) {
        return std::pair(rows[of].version, generations_[rows[of].generation].seq);
      };
      if (!winner || age(*winner) < age(i)) winner = i;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (i != *winner || deleted > rows[i].version)
        dead_[rows[i].generation].push_back(rows[i].row);
  }

  const std::vector<Generation>& generations_;
  std::vector<std::vector<std::uint32_t>> dead_;
  std::priority_queue<Cursor, std::vector<Cursor>, Later> queue_;
};

}  // namespace

std::unique_ptr<IdRows> rows_of(const segment::Segment& segment) {
  return std::make_unique<SegmentIds>(segment);
}
std::unique_ptr<IdRows> rows_of(const std::vector<KnownRow>& rows) {
  return std::make_unique<KnownIds>(rows);
}

std::vector<std::vector<std::uint32_t>> superseded_rows(
    const std::vector<Generation>& generations) {
  return Merge(generations).run();
}

}  // namespace vz::offline
