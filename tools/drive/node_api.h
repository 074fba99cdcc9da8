// Calls that write and search points, as the quick start and the benchmarks make them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// What /stats says of one collection.
struct CollectionNumbers {
  bool exists = false;
  std::uint64_t vectors = 0;
  std::uint64_t indexed_vectors = 0;
  std::uint64_t segments = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t searches = 0;
  std::uint64_t distance_evaluations = 0;  ///< by all searches so far
};

enum class Accuracy : std::uint8_t { kDefault, kExact };

// Every call: errors are kUnavailable (no answer) and those of answer.h.

Result<CollectionNumbers> collection_numbers(HttpClient& http, const std::string& collection);

/// Body that upserts rows first .. first + count - 1, with their number as id.
std::string upsert_body(std::span<const float> values, std::size_t dimension,
                        std::span<const std::string> payloads, std::size_t first);
Status upsert(HttpClient& http, const std::string& collection, const std::string& body);

/// Body of a search for the nearest `limit` points to `query`. ef: 0 leaves it to the node; without
/// a meaning for an exact search.
std::string search_body(std::span<const float> query, const std::string& filter, std::size_t limit,
                        Accuracy accuracy, std::size_t ef = 0);
/// Ids, best first.
Result<std::vector<std::int64_t>> ids_of_answer(const HttpAnswer& answer);

struct Scored {
  std::string id;  ///< as JSON: a number, or a UUID in quotes
  double score = 0;
};
/// Points, best first.
Result<std::vector<Scored>> scored_of_answer(const HttpAnswer& answer);

}  // namespace vz::drive
