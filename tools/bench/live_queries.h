// Queries for a collection of a node that runs already: from a file, or points of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/bench/data_set.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/endpoint.h"
#include "tools/drive/node_api.h"

namespace vz::bench {

/// A collection that exists, by where it is.
struct LiveCollection {
  drive::Endpoint endpoint;
  std::string name;
  drive::CollectionShape shape;
};

/// What a search asks besides its vector.
struct SearchKind {
  std::size_t limit = 10;
  std::size_t ef = 0;  ///< 0: the node's own
  drive::Accuracy accuracy = drive::Accuracy::kDefault;
  std::string filter;  ///< JSON; empty: none
};

/// Queries of a .fbin file. Errors: kNotFound, kInvalidArgument (not .fbin, another dimension than
/// the collection's, a value that is not finite).
Result<Matrix> queries_of_file(const LiveCollection& collection, const std::string& path);

/// Vectors of the first `count` points by id, or of as many as there are. A point that is its own
/// query stands first in both answers: one place of each limit that is found easily.
/// Errors: kFailedPrecondition if there is none, and those of the call.
Result<Matrix> queries_of_points(const LiveCollection& collection, std::uint32_t count);

/// One request for each query, whole, for a load client.
std::vector<std::string> search_requests(const LiveCollection& collection, const Matrix& queries,
                                         const SearchKind& kind);

}  // namespace vz::bench
