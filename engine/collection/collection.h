// A live collection as readers see it: immutable views of its parts, and the four reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/collection/definition.h"
#include "engine/collection/requests.h"
#include "engine/runtime/histogram.h"

namespace vz::collection {

/// Searches of one collection since the node began.
struct SearchNumbers {
  runtime::Histogram::Snapshot latency;  ///< of those that were answered
  std::uint64_t failed = 0;              ///< answered with an error
};

/// One state of what a collection answers: as long as it is equal, every read answers the same.
struct ContentVersion {
  std::uint64_t collection = 0;  ///< one object in this process; a name or an id may come again
  Lsn written_lsn = 0;           ///< of its newest record since the node began
  std::uint64_t layout = 0;      ///< of its parts and their indexes: counts their changes
  /// In this process so far: what has turned out to be damaged gives errors from then on.
  std::uint64_t checksum_errors = 0;
  friend bool operator==(const ContentVersion&, const ContentVersion&) = default;
};

/// Thread-safe: each read works on one view, taken when it begins, and takes no lock after that.
class Reader {
 public:
  virtual ~Reader() = default;
  [[nodiscard]] virtual CollectionId id() const = 0;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const CollectionDefinition> definition() const = 0;
  /// What a read that begins now sees. None of it ever comes again, so a read between two calls
  /// that give the same has seen just that. Nothing while a record is applied that is not visible
  /// yet. A write that was acknowledged before the call is in it.
  [[nodiscard]] virtual std::optional<ContentVersion> content_version() const = 0;

  /// Errors: kInvalidArgument (unknown vector name: "Not existing vector name error: x"; dimension:
  /// "Vector dimension error: expected dim: 4, got 3"), kNotFound (the query's point:
  /// "No point with id 3 found"), kUnsupported (sparse and multi-vectors), kCorruption.
  virtual Result<SearchOutcome> search(const SearchRequest& request) const = 0;
  /// The points that exist, in the order of `ids`. Errors: kCorruption.
  virtual Result<std::vector<Record>> get(std::span<const PointId> ids,
                                          const PointSelection& selection) const = 0;
  virtual Result<ScrollOutcome> scroll(const ScrollRequest& request) const = 0;
  virtual Result<std::uint64_t> count(const payload::Filter& filter) const = 0;
  [[nodiscard]] virtual CollectionStats stats() const = 0;
  /// What the latencies of stats() are made of.
  [[nodiscard]] virtual SearchNumbers search_numbers() const = 0;
  /// Rows with a value at each declared field, in the order of definition()->fields: those of
  /// segments whose columns are built, dead ones included, and the living ones in memory.
  [[nodiscard]] virtual std::vector<std::uint64_t> field_counts() const = 0;
};

}  // namespace vz::collection
