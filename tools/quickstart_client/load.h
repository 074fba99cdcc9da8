// Brings the words into a collection and waits until they are indexed.
#pragma once

#include <string>

#include "storage/base/status.h"
#include "tools/quickstart_client/words_data.h"

namespace vz::quickstart {

struct LoadOptions {
  std::string url;
  std::string collection;
  int connections = 4;
};

/// Creates the collection if need be and upserts every row. A collection that has all rows already
/// is left as it is. Rerunnable: the same rows under the same ids. Prints its progress. Errors:
/// kUnavailable, kInternal (an unexpected answer).
Status load(const LoadOptions& options, const WordsData& data);

/// Until /stats says that all of `rows` vectors are there and indexed.
/// Errors: as above; kDeadline after two minutes, with what is missing.
Status wait_until_indexed(const LoadOptions& options, std::size_t rows);

}  // namespace vz::quickstart
