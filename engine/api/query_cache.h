// Answers of reads that are given again as long as the collection would answer the same.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/api/query_facts.h"
#include "engine/collection/collection.h"
#include "storage/base/mutex.h"

namespace vz::api {

/// A request as its client sent it. Why the bytes and not what they decode to: they say all that an
/// answer depends on, a form that is added later too, and a hit is spared the decoding. Who spells
/// the same search in two ways has it computed twice.
struct CachedRequest {
  std::string_view op;          ///< by which rules the body is read: "search", "query", ..
  std::string_view parameters;  ///< of the URL, from the question mark on
  std::string_view body;
};

struct CachedAnswer {
  std::string result;  ///< JSON text, without the envelope
  QueryFacts facts;
};

/// The least recently used answers go first. Thread-safe; in shards, each with a lock that is held
/// for a comparison of the request and a few pointers.
///
/// An answer stands beside the ContentVersion that it was computed of, and is found by that alone:
/// so a write, another definition, a merge, a drop and another node in its place need not look for
/// what they make invalid. Key invariant: the caller took the version before the read and again
/// after it, and both were the same.
class QueryCache {
 public:
  using Answer = std::shared_ptr<const CachedAnswer>;
  using Version = collection::ContentVersion;

  /// 0: off. Frees at once what does not fit any more. One call at a time.
  void resize(std::size_t bytes_max);
  /// Frees all, and goes on.
  void clear();
  /// One relaxed load.
  [[nodiscard]] bool enabled() const { return bytes_max_.load(std::memory_order_relaxed) > 0; }

  /// null: a miss. One of an older version is removed. Counts either.
  Answer find(const CachedRequest& request, const Version& version);
  /// A look-up that could not be made, because no version can be told now.
  void count_miss() { misses_.fetch_add(1, std::memory_order_relaxed); }
  /// Not kept: an answer that takes more than a quarter of its shard.
  void keep(const CachedRequest& request, const Version& version, std::string_view result,
            const QueryFacts& facts);

  struct Numbers {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;  ///< with what the heap and the lists take for each
  };
  [[nodiscard]] Numbers numbers() const;

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::string request;
    Version version;
    Answer answer;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  struct Shard {
    mutable Mutex mutex;
    std::size_t bytes_max VZ_GUARDED_BY(mutex) = 0;
    std::size_t bytes VZ_GUARDED_BY(mutex) = 0;
    Entries entries VZ_GUARDED_BY(mutex);  ///< most recently used first
    /// By the hash of collection and request; of two requests with one hash the later is kept.
    std::unordered_map<std::uint64_t, Entries::iterator> by_hash VZ_GUARDED_BY(mutex);

    /// Moves an entry to `gone`, to be freed without the lock.
    void take_out(Entries::iterator entry, Entries& gone) VZ_REQUIRES(mutex);
    void shrink_to(std::size_t bytes_kept, Entries& gone) VZ_REQUIRES(mutex);
  };

  static constexpr std::size_t kShards = 16;

  Shard& shard_of(std::uint64_t hash) { return shards_[hash >> 60]; }

  std::atomic<std::size_t> bytes_max_{0};
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
};

}  // namespace vz::api
