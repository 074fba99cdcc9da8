// `snapshot` by the binary: results, and each exit status.
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"
#include "tests/support/test_node.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

/// A directory with a few points, by the engine itself.
void make_data(const std::string& directory) {
  const auto env = vz::make_posix_env();
  auto options = vz::test::small_node();
  options.data_dir = directory;
  const auto node = vz::node::Node::open(*env, options);
  REQUIRE(node);
  REQUIRE(vz::test::create(**node, "docs"));
  REQUIRE(vz::test::upsert(
      **node, "docs",
      {vz::test::point(1, {1, 2, 3, 4}, "{}"), vz::test::point(2, {4, 3, 2, 1}, "{}")}));
  REQUIRE((*node)->close());
}

struct Run {
  int status = 0;
  std::string out, err;
};

Run run(const Scratch& scratch, std::vector<std::string> words) {
  words.insert(words.begin(), "snapshot");
  Process process(scratch, words);
  Run done;
  done.status = process.wait();
  done.out = process.out();
  done.err = process.err();
  return done;
}

}  // namespace

TEST_CASE("snapshot: pack, inspect, verify, extract and restore", "[cli][snapshot]") {
  const Scratch scratch;
  const std::string data = scratch.file("data");
  const std::string file = scratch.file("a.tar.gz");
  make_data(data);

  const Run pack = run(scratch, {"pack", data, "-o", file, "--output-format", "json"});
  const Run inspect = run(scratch, {"inspect", file, "-o", "json"});
  const Run verify = run(scratch, {"verify", file, "-o", "json"});
  const Run table = run(scratch, {"verify", file});
  const Run extract = run(scratch, {"extract", file, "--to", scratch.file("out"), "-o", "json"});
  const Run dry = run(scratch, {"restore", file, "--data-dir", scratch.file("new"), "-n"});
  const Run restore =
      run(scratch, {"restore", file, "--data-dir", scratch.file("new"), "-o", "json"});

  INFO(pack.err << inspect.err << verify.err << extract.err << restore.err);
  REQUIRE(pack.status == 0);
  CHECK(json::parse(pack.out)["schema"] == "vectorizerctl.snapshot.pack/1");
  CHECK(json::parse(pack.out)["points"] == 2);
  CHECK(read_text(file + ".sha256").find("  a.tar.gz\n") == 64);
  REQUIRE(inspect.status == 0);
  CHECK(json::parse(inspect.out)["collections"][0]["name"] == "docs");
  REQUIRE(verify.status == 0);
  CHECK(json::parse(verify.out)["sound"] == true);
  CHECK(json::parse(verify.out)["findings"].empty());
  CHECK(table.out.find("docs") != std::string::npos);
  CHECK(extract.status == 0);
  CHECK(dry.status == 0);
  REQUIRE(restore.status == 0);
  CHECK(json::parse(restore.out)["restored"] == true);
  CHECK(json::parse(restore.out)["replaces_data"] == false);
  CHECK(run(scratch, {"pack", scratch.file("new"), "-o", scratch.file("b.tar.zst")}).status == 0);
}

TEST_CASE("snapshot: through pipes", "[cli][snapshot]") {
  const Scratch scratch;
  make_data(scratch.file("data"));
  const std::string binary = VZ_BINARY;
  const auto shell = [&](const std::string& command) {
    return std::system(("cd " + scratch.file("") + " && " + command).c_str());
  };

  CHECK(shell(binary + " snapshot pack data -o - 2>talk | " + binary +
              " snapshot restore - --data-dir new >report") == 0);
  CHECK(shell(binary + " snapshot pack data -o - --format tar.zst 2>talk | " + binary +
              " snapshot verify - >report") == 0);
  CHECK(shell(binary + " snapshot pack new -o c.tar.gz >report") == 0);
}

TEST_CASE("snapshot: each trouble has its exit status", "[cli][snapshot]") {
  const Scratch scratch;
  const std::string data = scratch.file("data");
  const std::string file = scratch.file("a.tar.gz");
  make_data(data);
  REQUIRE(run(scratch, {"pack", data, "-o", file}).status == 0);
  std::string damaged = read_text(file);
  damaged[damaged.size() / 2] ^= 1;
  std::ofstream(scratch.file("bad.tar.gz"), std::ios::binary) << damaged;
  std::ofstream(scratch.file("letter.tar.gz"), std::ios::binary) << "dear reader";
  std::filesystem::create_directory(scratch.file("home"));
  std::ofstream(scratch.file("home/letter.txt")) << "dear reader";
  const auto status = [&](std::vector<std::string> words) {
    const Run done = run(scratch, std::move(words));
    UNSCOPED_INFO(done.err);
    return done.status;
  };

  CHECK(status({"pack", data, "-o", scratch.file("a.zip")}) == 2);
  CHECK(status({"pack", data}) == 2);
  CHECK(status({"pack", data, "-o", file}) == 6);
  CHECK(status({"pack", scratch.file("absent"), "-o", scratch.file("b.tar.gz")}) == 10);
  CHECK(status({"pack", scratch.file("home"), "-o", scratch.file("b.tar.gz")}) == 10);
  CHECK(status({"verify", scratch.file("bad.tar.gz")}) == 4);
  CHECK(status({"verify", scratch.file("letter.tar.gz")}) == 10);
  CHECK(status({"verify", scratch.file("absent.tar.gz")}) == 5);
  CHECK(status({"inspect", scratch.file("absent.tar.gz")}) == 5);
  CHECK(status({"extract", scratch.file("bad.tar.gz"), "--to", scratch.file("out")}) == 4);
  CHECK(status({"extract", file, "--to", scratch.file("home")}) == 6);
  CHECK(status({"restore", scratch.file("bad.tar.gz"), "--data-dir", scratch.file("new")}) == 4);
  CHECK_FALSE(std::filesystem::exists(scratch.file("new")));
  CHECK(status({"restore", file, "--data-dir", data}) == 6);
  CHECK(status({"restore", file, "--data-dir", data, "--replace"}) == 2);  // Nobody to ask.
  CHECK(status({"restore", file, "--data-dir", scratch.file("home"), "--replace", "-y"}) == 10);
  CHECK(status({"restore", file, "--data-dir", data, "--replace", "-y"}) == 0);
}

TEST_CASE("snapshot: a running node is named, and left alone", "[cli][snapshot]") {
  const Scratch scratch;
  const std::string data = scratch.file("data");
  const std::string file = scratch.file("a.tar.gz");
  make_data(data);
  REQUIRE(run(scratch, {"pack", data, "-o", file}).status == 0);
  Process node(scratch, {"serve", "--data-dir", data, "--listen", "127.0.0.1:0"});
  REQUIRE(node.port() > 0);

  const Run pack = run(scratch, {"pack", data, "-o", file, "--replace"});
  const Run restore = run(scratch, {"restore", file, "--data-dir", data, "--replace", "-y"});

  CHECK(pack.status == 11);
  CHECK(pack.err.find("serve") != std::string::npos);
  CHECK(restore.status == 11);
}
