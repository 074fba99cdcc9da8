// Request bodies of reads -> the plain requests that a collection answers.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/collection/requests.h"

namespace vz::api {

struct GetPoints {
  std::vector<PointId> ids;
  collection::PointSelection selection;
};

/// A query without a query vector: the points in the order of their ids.
struct ListPoints {
  std::size_t offset = 0;  ///< points to leave out, not an id
  std::size_t limit = 10;
  payload::Filter filter;
  collection::PointSelection selection;
};
using QueryPoints = std::variant<collection::SearchRequest, ListPoints>;

// Errors of all: kInvalidArgument (form, type), kOutOfRange (bounds), kUnsupported (a documented
// form that is not built yet). `body` may get more capacity, and {} where it is blank; nothing
// else.

Result<GetPoints> decode_get(std::string& body);
Result<collection::ScrollRequest> decode_scroll(std::string& body);
Result<payload::Filter> decode_count(std::string& body);
/// The older form: {vector, limit, ..}; `limit` is required.
Result<collection::SearchRequest> decode_search(std::string& body);
Result<std::vector<collection::SearchRequest>> decode_search_batch(std::string& body);
Result<QueryPoints> decode_query(std::string& body);
Result<std::vector<QueryPoints>> decode_query_batch(std::string& body);

/// A point id as it stands in a path. Errors: kInvalidArgument.
Result<PointId> parse_path_id(std::string_view text);

}  // namespace vz::api
