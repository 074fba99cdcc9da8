#include "engine/api/query_cache.h"

#include <malloc.h>
#include <xxhash.h>

namespace vz::api {
namespace {

/// What an entry takes besides its texts: itself in the list, its place in the map, the control
/// block of the answer, and the heap's own share of six blocks.
constexpr std::size_t kEntryBytes = 512;
constexpr std::size_t kTrimBytes = 1u << 20;

/// The request as one text: no two that differ have the same.
std::string text_of(const CachedRequest& request) {
  std::string out;
  out.reserve(request.op.size() + request.parameters.size() + request.body.size() + 2);
  out += request.op;
  out += '\0';
  out += request.parameters;
  out += '\0';
  out += request.body;
  return out;
}

bool is_text_of(std::string_view text, const CachedRequest& request) {
  const std::size_t body_at = request.op.size() + request.parameters.size() + 2;
  return text.size() == body_at + request.body.size() && text.starts_with(request.op) &&
         text[request.op.size()] == '\0' &&
         text.substr(request.op.size() + 1).starts_with(request.parameters) &&
         text[body_at - 1] == '\0' && text.substr(body_at) == request.body;
}

std::uint64_t hash_of(const CachedRequest& request, std::uint64_t collection) {
  std::uint64_t hash = collection;
  for (const std::string_view part : {request.op, request.parameters, request.body})
    hash = XXH3_64bits_withSeed(part.data(), part.size(), hash);
  return hash;
}

/// The memory guard counts what the process has, and not what is free in its heap.
void return_to_kernel(std::size_t freed_bytes) {
  if (freed_bytes >= kTrimBytes) (void)malloc_trim(0);
}

}  // namespace

void QueryCache::Shard::take_out(Entries::iterator entry, Entries& gone) {
  bytes -= entry->bytes;
  by_hash.erase(entry->hash);
  gone.splice(gone.begin(), entries, entry);
}

void QueryCache::Shard::shrink_to(std::size_t bytes_kept, Entries& gone) {
  while (bytes > bytes_kept) take_out(std::prev(entries.end()), gone);
}

QueryCache::Answer QueryCache::find(const CachedRequest& request, const Version& version) {
  const std::uint64_t hash = hash_of(request, version.collection);
  Shard& shard = shard_of(hash);
  Entries gone;
  Answer found;
  {
    MutexLock lock(shard.mutex);
    const auto at = shard.by_hash.find(hash);
    if (at != shard.by_hash.end() && is_text_of(at->second->request, request)) {
      if (at->second->version == version) {
        found = at->second->answer;
        shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
      } else {
        shard.take_out(at->second, gone);
      }
    }
  }
  (found == nullptr ? misses_ : hits_).fetch_add(1, std::memory_order_relaxed);
  return found;
}

void QueryCache::keep(const CachedRequest& request, const Version& version, std::string_view result,
                      const QueryFacts& facts) {
  const std::size_t bytes = kEntryBytes + request.op.size() + request.parameters.size() +
                            request.body.size() + result.size();
  // Before anything is copied: bodies of batches are large.
  if (bytes > bytes_max_.load(std::memory_order_relaxed) / kShards / 4) return;
  Entries fresh;
  Entry& entry = fresh.emplace_front();
  entry.hash = hash_of(request, version.collection);
  entry.request = text_of(request);
  entry.version = version;
  entry.answer = std::make_shared<const CachedAnswer>(CachedAnswer{std::string(result), facts});
  entry.bytes = bytes;
  Shard& shard = shard_of(entry.hash);
  Entries gone;
  MutexLock lock(shard.mutex);
  if (bytes > shard.bytes_max / 4) return;  // It was made smaller, or off, meanwhile.
  if (const auto old = shard.by_hash.find(entry.hash); old != shard.by_hash.end())
    shard.take_out(old->second, gone);
  shard.shrink_to(shard.bytes_max - bytes, gone);
  shard.bytes += bytes;
  shard.by_hash[entry.hash] = fresh.begin();
  shard.entries.splice(shard.entries.begin(), fresh);
}

void QueryCache::resize(std::size_t bytes_max) {
  // Off first, so that nobody looks for what is about to go. Whoever keeps an answer all the same
  // asks its shard.
  if (bytes_max == 0) bytes_max_.store(0, std::memory_order_relaxed);
  std::size_t freed = 0;
  for (Shard& shard : shards_) {
    Entries gone;
    MutexLock lock(shard.mutex);
    freed += shard.bytes;
    shard.bytes_max = bytes_max / kShards;
    shard.shrink_to(shard.bytes_max, gone);
    freed -= shard.bytes;
  }
  return_to_kernel(freed);
  bytes_max_.store(bytes_max, std::memory_order_relaxed);
}

void QueryCache::clear() {
  std::size_t freed = 0;
  for (Shard& shard : shards_) {
    Entries gone;
    MutexLock lock(shard.mutex);
    freed += shard.bytes;
    shard.shrink_to(0, gone);
  }
  return_to_kernel(freed);
}

QueryCache::Numbers QueryCache::numbers() const {
  Numbers out{.hits = hits_.load(std::memory_order_relaxed),
              .misses = misses_.load(std::memory_order_relaxed)};
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    out.entries += shard.entries.size();
    out.bytes += shard.bytes;
  }
  return out;
}

}  // namespace vz::api
