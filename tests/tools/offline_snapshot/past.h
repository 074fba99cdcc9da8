// A data directory with a past, and that past as an archive to unpack over it.
#pragma once

#include <string>
#include <vector>

#include "storage/store/pending_restore.h"
#include "storage/store/swap.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

namespace vz::test {

inline const store::OpenOptions kLeft{.restore = store::OpenOptions::Restore::kLeft};

/// A directory, its archive, and then some history that the archive does not hold.
struct Past {
  FaultEnv env;
  std::vector<Member> members;
  Everything then;  ///< as in the archive
  Everything now;

  explicit Past(std::uint64_t points = 20) {
    run_node(env, kDataDir, 1, points);
    members = members_of(packed(env, kDataDir));
    then = read(kDataDir);
    run_node(env, kDataDir, 5, points);
    now = read(kDataDir);
    REQUIRE(now != then);
  }
  Everything read(const std::string& directory, const store::OpenOptions& opening = {}) {
    const auto content = read_everything(env, directory, opening);
    INFO((content ? "" : content.error().message));
    REQUIRE(content);
    return *content;
  }
  void untar(const std::string& directory) {
    for (const Member& member : members) test::untar(env, member, directory);
  }
  /// The same, durable, as a day later.
  void untar_durably(const std::string& directory) {
    for (const Member& member : members) {
      const std::string path = directory + "/" + member.path;
      REQUIRE(env.make_directory(parent_directory(path)));
      REQUIRE(env.put_file(path, member.content));
    }
  }
};

/// Whole path of the one previous-<time>/ in a directory; "" if there is none.
inline std::string previous_in(Env& env, const std::string& directory) {
  std::string found;
  const auto entries = env.list(directory);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    if (!entry.name.starts_with("previous-")) continue;
    CHECK(found.empty());
    found = directory + "/" + entry.name;
  }
  return found;
}

}  // namespace vz::test
