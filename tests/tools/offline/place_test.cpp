// Promise: a tool knows the directory that it reads, however a path to it is spelled.
#include "tools/offline/place.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/storage/env/temporary_directory.h"

using namespace vz;
namespace fs = std::filesystem;

TEST_CASE("place: a path lies in a directory by where it leads, not by its spelling", "[offline]") {
  const test::TemporaryDirectory scratch;
  const std::string data = scratch / "data";
  fs::create_directories(data + "/collections/1");
  fs::create_directory(scratch / "data2");
  fs::create_directory_symlink(data, scratch / "link");
  fs::create_directory_symlink(data + "/collections", scratch / "deep");
  fs::create_directory_symlink(scratch / "data2", data + "/away");

  for (const std::string& inside :
       {data, data + "/", data + "//collections/../x", scratch / "data2/../data/x",
        scratch / "link", scratch / "link/x/y", scratch / "deep/1/x", scratch / "./data/."}) {
    CAPTURE(inside);
    CHECK(offline::lies_in(inside, data));
    CHECK(offline::lies_in(inside, scratch / "link/"));
  }
  for (const std::string& outside :
       {scratch / "data2", scratch / "data2/x", scratch / "x", data + "/..", data + "/away/x",
        std::string("/"), std::string("relative")}) {
    CAPTURE(outside);
    CHECK_FALSE(offline::lies_in(outside, data));
  }
}

TEST_CASE("place: links that lead in a circle lie where they are spelled", "[offline]") {
  const test::TemporaryDirectory scratch;
  fs::create_symlink(scratch / "b", scratch / "a");
  fs::create_symlink(scratch / "a", scratch / "b");

  CHECK(offline::lies_in(scratch / "a/x", scratch.path()));
  CHECK_FALSE(offline::lies_in(scratch / "a/x", scratch / "data"));
}
