// The rules themselves: each must fail on a tree that was made to break it.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/layering/include_rules.h"
#include "tests/layering/style_rules.h"

using namespace vz::layering;

namespace {

std::string ours(const std::string& target) {
  return "#include \"" + target + "\"\n";
}
std::string theirs(const std::string& target) {
  return "#include <" + target + ">\n";
}

/// A file at each path; those named in `includes` include the given targets.
std::vector<SourceFile> tree_with(const std::string& from, const std::string& to) {
  return {{from, ours(to)}, {to, ""}};
}

std::string lines(int count) {
  std::string text;
  for (int line = 0; line < count; ++line) text += "  f();\n";
  return text;
}

}  // namespace

TEST_CASE("rules: arrows that point forward are accepted", "[layering]") {
  const auto [from, to] = GENERATE(
      table<std::string, std::string>({{"cli/commands/check.cpp", "tools/offline/check.h"},
                                       {"cli/main.cpp", "engine/server/server.h"},
                                       {"tools/offline/check.cpp", "engine/index/index_file.h"},
                                       {"tools/bench/search.cpp", "engine/collection/requests.h"},
                                       {"tools/offline/check.cpp", "engine/check/run.h"},
                                       {"tools/offline/check.cpp", "storage/store/store.h"},
                                       {"engine/node/node.cpp", "storage/wal/log.h"},
                                       {"engine/node/node.cpp", "engine/limits.h"},
                                       {"storage/wal/log.cpp", "storage/env/env.h"},
                                       {"tests/engine/api/a_test.cpp", "engine/api/routes.h"}}));
  CAPTURE(from, to);

  CHECK(backward_arrows(tree_with(from, to)).empty());
  CHECK(rings(tree_with(from, to)).empty());
}

TEST_CASE("rules: arrows that point backwards are found", "[layering]") {
  const auto [from, to] = GENERATE(
      table<std::string, std::string>({{"storage/wal/log.cpp", "engine/limits.h"},
                                       {"storage/wal/log.cpp", "tools/offline/check.h"},
                                       {"engine/node/node.cpp", "cli/context/context.h"},
                                       {"engine/node/node.cpp", "tools/offline/check.h"},
                                       {"tools/offline/check.cpp", "engine/net/http_server.h"},
                                       {"tools/offline/check.cpp", "engine/node/node.h"},
                                       {"tools/offline/check.cpp", "cli/context/context.h"},
                                       {"engine/node/node.cpp", "tests/support/fault_env.h"},
                                       {"cli/main.cpp", "tests/support/fault_env.h"}}));
  CAPTURE(from, to);

  const auto findings = backward_arrows(tree_with(from, to));

  REQUIRE(findings.size() == 1);
  CHECK(findings[0].path == from);
  CHECK(findings[0].line == 1);
}

TEST_CASE("rules: an include that is not written from the root is found", "[layering]") {
  const std::vector<SourceFile> tree = {{"storage/wal/log.cpp", "\n" + ours("log.h")},
                                        {"storage/wal/log.h", ""}};

  const auto findings = backward_arrows(tree);

  REQUIRE(findings.size() == 1);
  CHECK(findings[0].line == 2);
}

TEST_CASE("rules: two folders that include each other are found, and longer rings too",
          "[layering]") {
  std::vector<SourceFile> tree = {{"engine/index/a.h", ours("engine/vector/b.h")},
                                  {"engine/vector/b.h", ""},
                                  {"engine/payload/c.h", ours("engine/index/a.h")},
                                  {"engine/vector/d.cpp", ours("engine/vector/b.h")}};
  REQUIRE(rings(tree).empty());

  SECTION("a pair") {
    tree[1].text = ours("engine/index/a.h");
  }
  SECTION("a ring of three") {
    tree[1].text = ours("engine/payload/c.h");
  }

  CHECK(rings(tree).size() == 1);
}

TEST_CASE("rules: engine/limits.h is a leaf, and including from it closes a ring", "[layering]") {
  std::vector<SourceFile> tree = {{"engine/index/a.h", ours("engine/limits.h")},
                                  {"engine/limits.h", ""}};
  REQUIRE(rings(tree).empty());

  tree[1].text = ours("engine/index/a.h");

  CHECK(rings(tree).size() == 1);
}

TEST_CASE("rules: heavy libraries are accepted where they belong", "[layering]") {
  const auto [path, header] = GENERATE(table<std::string, std::string>(
      {{"tools/bench/peer.cpp", "hnswlib/hnswlib.h"},
       {"tools/bench/peer_beast.cpp", "boost/beast/http.hpp"},
       {"engine/net/http_server.cpp", "boost/beast/http.hpp"},
       {"cli/commands/check.cpp", "CLI/CLI.hpp"},
       {"engine/api/codec.cpp", "nlohmann/json.hpp"},
       {"engine/api/codec.h", "nlohmann/json_fwd.hpp"},
       {"engine/node/node.h", "boost/unordered/unordered_flat_map.hpp"},
       {"tests/engine/net/server_test.cpp", "boost/asio.hpp"}}));
  CAPTURE(path, header);

  CHECK(misplaced_libraries({{path, theirs(header)}}).empty());
}

TEST_CASE("rules: heavy libraries are found where they do not belong", "[layering]") {
  const auto [path, header] = GENERATE(
      table<std::string, std::string>({{"engine/index/hnsw_search.cpp", "hnswlib/hnswlib.h"},
                                       {"engine/index/hnsw_build.cpp", "hnswlib/hnswlib.h"},
                                       {"engine/api/handlers.cpp", "boost/beast/http.hpp"},
                                       {"engine/net/http_server.h", "boost/asio.hpp"},
                                       {"tools/bench/load_client.cpp", "boost/asio.hpp"},
                                       {"engine/server/server.cpp", "CLI/CLI.hpp"},
                                       {"cli/app.h", "CLI/CLI.hpp"},
                                       {"storage/base/log.h", "spdlog/spdlog.h"},
                                       {"storage/format/json.h", "nlohmann/json.hpp"},
                                       {"engine/payload/parse.h", "simdjson.h"},
                                       {"tests/support/json.h", "nlohmann/json.hpp"},
                                       {"tools/offline/remote.cpp", "curl/curl.h"}}));
  CAPTURE(path, header);

  CHECK(misplaced_libraries({{path, theirs(header)}}).size() == 1);
}

TEST_CASE("rules: a heavy library may stand in a header that stays within its folder's .cpp files",
          "[layering]") {
  std::vector<SourceFile> tree = {
      {"engine/net/session.h", theirs("boost/asio/ip/tcp.hpp")},
      {"engine/net/session.cpp", ours("engine/net/session.h")},
      {"engine/net/server.h", ""},
      {"engine/api/handlers.cpp", ours("engine/net/server.h")},
  };
  REQUIRE(misplaced_libraries(tree).empty());

  SECTION("but not once a header includes it") {
    tree[2].text = ours("engine/net/session.h");
  }
  SECTION("but not once another folder includes it") {
    tree[3].text += ours("engine/net/session.h");
  }

  CHECK(misplaced_libraries(tree).size() == 1);
}

TEST_CASE("rules: a file of 600 lines is accepted, one of 601 is found", "[layering][style]") {
  const std::string text(kFileLinesMax, '\n');

  CHECK(too_long({{"engine/a.cpp", text}}).empty());
  CHECK(too_long({{"engine/a.cpp", text + "\n"}}).size() == 1);
}

TEST_CASE("rules: a function of 70 lines is accepted, one of 71 is found", "[layering][style]") {
  const std::string head = GENERATE(
      std::string("int f() {\n"), std::string("Foo::Foo(int a) : a_(a), b_{1}, c_{} {\n"),
      std::string(
          "[[nodiscard]] Result<std::map<int, int>> g(const std::vector<int>& v) const {\n"),
      std::string("TEST_CASE(\"a { in a string\", \"[x]\") {\n"),
      std::string("auto f = [](int a) -> int {\n"));
  CAPTURE(head);
  const auto file = [&](int body) {
    const std::string around =
        "namespace vz {\nstruct S { int a = 0; };\nconst std::vector<int> k = {1, 2};\n";
    return SourceFile{"engine/a.cpp", around + head + lines(body) + "}\n\n}  // namespace vz\n"};
  };

  CHECK(too_long({file(kFunctionLinesMax - 2)}).empty());
  const auto findings = too_long({file(kFunctionLinesMax - 1)});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].line == 4);
}

TEST_CASE("rules: members, operators and functions after each other are told apart",
          "[layering][style]") {
  const SourceFile file = {"engine/a.h", R"(
#define MACRO(x) \
  do {           \
  } while (false)
namespace vz {
/// Not code: void comment() {
enum class E : std::uint8_t { kA, kB };
class A final : public B {
 public:
  A() = default;
  void one() const { if (true) { g(); } }
  bool operator==(const A&) const {
    return 'x' == '{' && 10'000 > 1;
  }
  void declared(int a = int{3});

 private:
  std::vector<int> v_{1, 2};
};
int after(
    int a,
    int b) {
  const auto l = [&] { return a; };
  return l();
}
}  // namespace vz
)"};

  const auto functions = functions_of(file);

  REQUIRE(functions.size() == 3);
  CHECK(functions[0].lines == 1);
  CHECK(functions[1].lines == 3);
  CHECK(functions[2].head == "int after(");
  CHECK(functions[2].lines == 6);
}

TEST_CASE("rules: comments and strings are no code and no includes", "[layering]") {
  CHECK(code_of("a /* { */ b // {\nc") == "a         b     \nc");
  CHECK(code_of("x = \"{\\\"{\"; y") == "x =       ; y");
  CHECK(code_of("R\"q({\n)\" {)q\" z").find('{') == std::string::npos);
  CHECK(includes_of({"a.h", "// #include \"engine/a.h\"\n  #  include \"engine/b.h\"\n"}).size() ==
        1);
}
