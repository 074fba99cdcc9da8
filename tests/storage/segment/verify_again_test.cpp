// A checked file that changes on the disk after its blocks were verified.
#include <fstream>

#include <catch2/catch.hpp>

#include "storage/segment/checked_file.h"
#include "storage/segment/checksum_errors.h"
#include "tests/storage/env/temporary_directory.h"

using namespace vz;
using segment::CheckedFile;
using segment::CheckedFileWriter;
using segment::FileKind;

TEST_CASE("checked file: what rots after its first touch is found when it is read again") {
  constexpr std::uint64_t kSize = 200'000;  // Four blocks, then their table.
  const std::uint64_t offset = GENERATE(5u, 70'000u, 199'999u, 200'001u);
  CAPTURE(offset);
  const test::TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string path = directory / "file";
  auto writer = CheckedFileWriter::create(*env, path, FileKind::kIndex, 1);
  REQUIRE(writer);
  REQUIRE((*writer)->append(Bytes(kSize, std::byte{7})));
  REQUIRE((*writer)->finish());
  const auto file = CheckedFile::open(*env, path, FileKind::kIndex, 1);
  REQUIRE(file);
  REQUIRE((*file)->verify(0, kSize));
  REQUIRE((*file)->verify_again());
  {
    std::fstream disk(path, std::ios::in | std::ios::out | std::ios::binary);
    disk.seekp(static_cast<std::streamoff>(offset));
    disk.put('!');
    REQUIRE(disk.flush());
  }
  const auto errors_before = segment::checksum_errors();

  const bool first_touch = (*file)->verify(0, kSize).has_value();
  const Status again = (*file)->verify_again();

  CHECK(first_touch);  // A block is verified once.
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kCorruption);
  CHECK(again.error().message.find(path) != std::string::npos);
  CHECK((*file)->failed());
  CHECK(segment::checksum_errors() == errors_before + 1);
}
