// A source file of the tree as text: what it includes, and its code without comments and strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vz::layering {

struct SourceFile {
  std::string path;  ///< from the root: "engine/index/hnsw_build.cpp"
  std::string text;
};

struct Include {
  std::string target;  ///< between the quotes or angle brackets
  bool ours = false;   ///< in quotes
  int line = 0;        ///< from 1
};

/// A rule that is broken, and where.
struct Finding {
  std::string path;
  int line = 0;  ///< 0: the whole file or tree
  std::string message;
};
std::string to_string(const Finding& finding);

std::vector<Include> includes_of(const SourceFile& file);

/// The same text with the inside of comments, strings (raw ones too) and character literals
/// replaced by spaces. Line ends stay where they are.
std::string code_of(std::string_view text);

/// "engine/index" of "engine/index/hnsw_build.cpp".
std::string folder_of(std::string_view path);

/// Every .h and .cpp file under cli, engine, storage, tools and tests of `root`, sorted by path.
std::vector<SourceFile> read_tree(const std::string& root);

}  // namespace vz::layering
