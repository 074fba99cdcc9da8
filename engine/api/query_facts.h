// What a read was asked for and what it found: the part of it that a log may hold. No vector, no
// filter, no payload.
#pragma once

#include <cstdint>
#include <string_view>

namespace vz::api {

/// Of a batch: the most of each number, and whether any of them has it.
struct QueryFacts {
  std::string_view op = {};    ///< "search", "query-batch", ..; constant text
  std::uint32_t searches = 1;  ///< of a batch
  std::uint64_t limit = 0;     ///< points asked for; 0: it asks for none
  bool filter = false;
  bool exact = false;
  std::uint32_t ef = 0;    ///< that graphs were searched with; 0: none was
  std::uint64_t rows = 0;  ///< points found, of all searches; what count counted
  bool cached = false;     ///< answered from the cache
};

}  // namespace vz::api
