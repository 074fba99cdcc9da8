// Archives to be damaged member by member.
#pragma once

#include <string>
#include <vector>

#include "tests/support/tar_maker.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

namespace vz::test {

inline Bytes tar_of(const std::vector<Member>& members) {
  TarMaker tar;
  for (const auto& member : members) tar.file(member.path, member.content);
  return tar.finish();
}

/// A small directory, its archive and its members.
struct Packed {
  FaultEnv env;
  Bytes archive;
  std::vector<Member> members;

  Packed() {
    run_node(env, kDataDir, 1, 9);
    archive = packed(env, kDataDir);
    members = members_of(archive);
    REQUIRE(members.size() > 4);
  }
};

/// What verify finds; "" if it is sound. An archive that is none counts as found.
inline std::string found(const Bytes& archive, const archive::ArchiveLimits& limits = {}) {
  archive::MemorySource source(archive);
  const auto report = snapshot::verify(source, limits);
  if (!report) return report.error().message;
  std::string text;
  for (const auto& finding : report->findings) text += finding.file + ": " + finding.problem + "\n";
  return text;
}

}  // namespace vz::test
