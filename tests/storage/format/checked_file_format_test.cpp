// Sizes of checked files, both ways.
#include "storage/format/checked_file_format.h"

#include <catch2/catch.hpp>

using namespace vz;

TEST_CASE("checked file: the length of a file gives the size of its content, if any does",
          "[storage][format]") {
  constexpr std::uint64_t kBlock = format::kCheckedBlockSize;
  for (const std::uint64_t blocks : {0u, 1u, 2u, 7u, 20'000u}) {
    for (const std::uint64_t more : {0u, 1u, 4u, 5u, 65'535u}) {
      const std::uint64_t content = blocks * kBlock + more;
      CAPTURE(content);
      CHECK(format::checked_content_size(format::checked_file_size(content)) == content);
    }
  }
  CHECK_FALSE(format::checked_content_size(format::kCheckedTrailerSize - 1));
  // One byte of content brings an entry of four bytes with it.
  for (std::uint64_t more = 1; more <= 4; ++more)
    CHECK_FALSE(format::checked_content_size(format::checked_file_size(kBlock) + more));
}
