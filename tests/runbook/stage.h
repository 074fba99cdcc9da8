// A node, and a shell in which the runbook's commands run against it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/drive/http_client.h"
#include "tools/drive/server_process.h"

namespace vz::runbook {

struct Ran {
  int status = 0;      ///< of the last command of the pipeline
  std::string output;  ///< stdout
  std::string talk;    ///< stderr
};

/// Commands see `kubectl` and `/data` and `/tmp` as an operator does: `kubectl exec` runs here, its
/// logs are the node's, and both folders lie below a directory of the test. Hosts of the document
/// stand for the node. Everything else is as written.
///
/// The node holds four collections of the names that the document uses. Not thread-safe.
class Stage {
 public:
  /// arguments: further ones for `serve`.
  explicit Stage(std::vector<std::string> arguments = {});
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// The command of the document that is or holds `line`; the test fails if there is none, or
  /// several.
  Ran run(std::string_view line);
  /// A command of the test's own, as if it stood in the document.
  Ran shell(const std::string& command);
  /// From now on commands mean `real` where they say `written`: an id that only a node can give.
  void stand_for(const std::string& written, const std::string& real);
  /// run(), of a command that is known to print JSON.
  nlohmann::json json(std::string_view line);

  /// What a request of the test's own answers, as JSON; fails the test unless it is 200 or 202.
  nlohmann::json ask(std::string_view method, const std::string& path,
                     const std::string& body = "");
  /// What GET /stats says of one collection.
  nlohmann::json collection(const std::string& name);
  /// Waits for the end of a job that was started by an answer; its last state.
  nlohmann::json finished(const nlohmann::json& started);
  /// A clean stop and a new start.
  void restart();

  /// Points with these ids into a collection, vectors drawn by `seed`.
  void upsert(const std::string& name, std::size_t first, std::size_t count, unsigned seed);
  /// Searches it once.
  void search(const std::string& name, unsigned seed);

  [[nodiscard]] std::string file(const std::string& name) const { return directory_ + "/" + name; }

 private:
  [[nodiscard]] std::string localized(std::string text) const;

  std::string directory_;
  std::vector<std::pair<std::string, std::string>> stand_ins_;
  std::uint16_t port_;
  std::unique_ptr<drive::ServerProcess> node_;
  std::unique_ptr<drive::HttpClient> http_;
};

inline constexpr const char* kCollections[] = {"affected_collection", "important_collection",
                                               "old_unused_collection", "slow_collection"};
inline constexpr std::size_t kDimension = 16;
inline constexpr std::size_t kPoints = 500;  ///< of each collection, at the start

}  // namespace vz::runbook
