// What a node says it holds, read back through every route that reads points.
#pragma once

#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tests/fault/kill_loop/model.h"
#include "tools/drive/http_client.h"

namespace vz::kill_loop {

/// Everything: each collection, scrolled to its end with vectors and payload.
/// Errors: kUnavailable (no answer), kInternal (an error answer, or ids that do not ascend).
Result<Collections> observe(drive::HttpClient& http);

/// `all` by owner. A point that no client can have made, or that lies in another client's
/// collection, is an error (kInternal).
Result<std::vector<Collections>> split_by_client(const Collections& all, int clients);

/// The same facts by count, by id (`absent` too: they must not come back) and by filter.
/// `expected` is everything in the collection. Errors: kUnavailable, kInternal naming the
/// difference.
Status cross_check(drive::HttpClient& http, const std::string& collection, const Points& expected,
                   const std::vector<std::string>& absent);

}  // namespace vz::kill_loop
