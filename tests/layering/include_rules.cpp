#include "tests/layering/include_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace vz::layering {
namespace {

bool starts_with_any(std::string_view text, const std::vector<std::string_view>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

/// What a top-level folder may include besides itself, as prefixes of the path.
const std::map<std::string_view, std::vector<std::string_view>>& allowed_targets() {
  static const std::map<std::string_view, std::vector<std::string_view>> kAllowed = {
      {"cli", {"tools/", "engine/", "storage/"}},
      // Offline work: the parts of the engine that need no server, no log and no network.
      {"tools",
       {"engine/limits.h", "engine/runtime/", "engine/vector/", "engine/index/", "engine/payload/",
        "engine/collection/", "engine/check/", "engine/security/", "storage/"}},
      {"engine", {"storage/"}},
      {"storage", {}},
      {"tests", {"cli/", "tools/", "engine/", "storage/"}},
  };
  return kAllowed;
}

std::string_view top_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

/// A library's headers, by how their include begins, and who may include them.
struct Library {
  std::string_view prefix;
  std::vector<std::string_view> allowed;  ///< files or folders; empty: any .cpp
};

const std::vector<Library>& heavy_libraries() {
  static const std::vector<Library> kLibraries = {
      {"hnswlib", {"tools/bench/"}},
      {"boost/asio", {"engine/net/", "tools/bench/peer_beast.cpp"}},
      {"boost/beast", {"engine/net/", "tools/bench/peer_beast.cpp"}},
      {"CLI/", {"cli/", "tools/bench/"}},
      {"curl/", {"cli/client/", "engine/net/", "tools/drive/"}},
      {"simdjson", {}},
      {"nlohmann/json.hpp", {}},
      {"roaring/", {}},
      {"spdlog/", {}},
      {"yaml-cpp/", {}},
      {"prometheus/", {}},
      {"archive", {"storage/archive/"}},
      {"zstd", {}},
  };
  return kLibraries;
}

/// Paths of the headers that only their own folder includes, in .cpp files or in headers of which
/// the same is true: what such a header costs stays in that folder.
std::set<std::string> private_headers(const std::vector<SourceFile>& files) {
  std::map<std::string, std::set<std::string>> includers;
  for (const auto& file : files) {
    for (const auto& include : includes_of(file))
      if (include.ours) includers[include.target].insert(file.path);
  }
  std::set<std::string> kept;
  for (const auto& [path, from] : includers) kept.insert(path);
  const auto leaks = [&](const std::string& path) {
    return std::any_of(includers[path].begin(), includers[path].end(), [&](const auto& from) {
      return folder_of(from) != folder_of(path) ||
             (!from.ends_with(".cpp") && !kept.contains(from));
    });
  };
  while (std::erase_if(kept, leaks) > 0) {
  }
  return kept;
}

/// One ring through `folder`, as "a -> b -> a"; empty if there is none.
std::string find_ring(const std::map<std::string, std::set<std::string>>& arrows,
                      const std::string& folder, const std::string& at,
                      std::set<std::string>& visited) {
  const auto targets = arrows.find(at);
  if (targets == arrows.end()) return "";
  for (const auto& next : targets->second) {
    if (next == folder) return at + " -> " + folder;
    if (!visited.insert(next).second) continue;
    const std::string rest = find_ring(arrows, folder, next, visited);
    if (!rest.empty()) return at + " -> " + rest;
  }
  return "";
}

}  // namespace

std::vector<Finding> backward_arrows(const std::vector<SourceFile>& files) {
  std::set<std::string> paths;
  for (const auto& file : files) paths.insert(file.path);
  std::vector<Finding> findings;
  for (const auto& file : files) {
    const std::string_view from = top_of(file.path);
    for (const auto& include : includes_of(file)) {
      if (!include.ours) continue;
      if (!paths.contains(include.target)) {
        findings.push_back(
            {file.path, include.line,
             "\"" + include.target + "\" is no file of ours, by its path from the root"});
        continue;
      }
      if (top_of(include.target) == from) continue;
      if (!starts_with_any(include.target, allowed_targets().at(from))) {
        findings.push_back({file.path, include.line,
                            "backward arrow: " + std::string(from) + " may not include \"" +
                                include.target + "\""});
      }
    }
  }
  return findings;
}

std::vector<Finding> rings(const std::vector<SourceFile>& files) {
  std::map<std::string, std::set<std::string>> arrows;
  for (const auto& file : files) {
    for (const auto& include : includes_of(file)) {
      const std::string from = folder_of(file.path);
      const std::string to = folder_of(include.target);
      if (include.ours && !to.empty() && from != to) arrows[from].insert(to);
    }
  }
  std::vector<Finding> findings;
  std::set<std::string> told;
  for (const auto& [folder, targets] : arrows) {
    std::set<std::string> visited;
    const std::string ring = find_ring(arrows, folder, folder, visited);
    if (ring.empty() || told.contains(folder)) continue;
    told.insert(visited.begin(), visited.end());
    findings.push_back({folder, 0, "folders include each other: " + ring});
  }
  return findings;
}

std::vector<Finding> misplaced_libraries(const std::vector<SourceFile>& files) {
  const std::set<std::string> inner = private_headers(files);
  std::vector<Finding> findings;
  for (const auto& file : files) {
    const bool header = file.path.ends_with(".h") && !inner.contains(file.path);
    const bool test = file.path.starts_with("tests/");
    for (const auto& include : includes_of(file)) {
      for (const auto& library : heavy_libraries()) {
        if (include.ours || !include.target.starts_with(library.prefix)) continue;
        if (header) {
          findings.push_back({file.path, include.line,
                              "<" + include.target +
                                  "> belongs in a .cpp file, not in a header that other folders or "
                                  "headers include"});
        } else if (!test && !library.allowed.empty() &&
                   !starts_with_any(file.path, library.allowed)) {
          findings.push_back(
              {file.path, include.line, "<" + include.target + "> may not be included here"});
        }
      }
    }
  }
  return findings;
}

}  // namespace vz::layering
