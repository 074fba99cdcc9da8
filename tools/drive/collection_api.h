// Calls that tell of collections, make and drop them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// "/collections/NAME", with what a path may not hold percent-encoded.
std::string collection_path(std::string_view collection);

/// The vector without a name of a collection, and how many points there are.
struct CollectionShape {
  std::uint64_t points = 0;
  std::uint64_t indexed_points = 0;  ///< the others are compared one by one
  std::uint32_t dimension = 0;
  std::string distance;  ///< "Cosine", "Dot", "Euclid" or "Manhattan"
};

// Every call: errors are kUnavailable (no answer) and those of answer.h.

/// Errors: also kUnsupported if all its vectors have names, or there are none.
Result<CollectionShape> collection_shape(HttpClient& http, const std::string& collection);
Result<std::vector<std::string>> collection_names(HttpClient& http);

/// distance: "Cosine", "Dot", "Euclid" or "Manhattan".
Status create_collection(HttpClient& http, const std::string& collection, std::size_t dimension,
                         std::string_view distance);
Status drop_collection(HttpClient& http, const std::string& collection);

/// Vectors without a name of the first `count` points by id, row-major: `dimension` values each.
/// Fewer if there are fewer; points without such a vector are left out.
Result<std::vector<float>> first_vectors(HttpClient& http, const std::string& collection,
                                         std::size_t count, std::size_t dimension);

}  // namespace vz::drive
