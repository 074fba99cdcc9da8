// RESTORE and the sum beside an archive, damaged in every bit and cut at every byte: in the
// archive, and in a directory that tar has unpacked it into.
#include <cctype>

#include <catch2/catch.hpp>

#include "tests/tools/offline_snapshot/damage_kit.h"
#include "tools/offline/check.h"

using namespace vz;
using namespace vz::test;
using archive::ArchiveFormat;

TEST_CASE("verify: every flipped bit of RESTORE is found", "[snapshot]") {
  Packed sample;
  const std::vector<Member> few(sample.members.begin(), sample.members.begin() + 1);
  for (std::size_t bit = 0; bit < sample.members[0].content.size() * 8; ++bit) {
    auto bad = few;
    bad[0].content[bit / 8] ^= std::byte(1u << (bit % 8));
    CAPTURE(bit);
    REQUIRE_THAT(found(tar_of(bad)), Catch::Contains("RESTORE"));
  }
}

TEST_CASE("verify: a RESTORE that was cut or extended is found", "[snapshot]") {
  Packed sample;
  const std::vector<Member> few(sample.members.begin(), sample.members.begin() + 1);
  const std::size_t size = few[0].content.size();
  for (std::size_t now = 0; now < size + 20; ++now) {
    if (now == size) continue;
    auto bad = few;
    bad[0].content.resize(now);
    CAPTURE(now);
    REQUIRE_THAT(found(tar_of(bad)), Catch::Contains("RESTORE"));
  }
}

TEST_CASE("verify: a sum beside the archive that is damaged is found", "[snapshot]") {
  Packed sample;
  const std::string path = "/backup/a.tar.gz";
  REQUIRE(sample.env.make_directory("/backup"));
  REQUIRE(offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip, path));
  const auto sum = read_file(sample.env, path + ".sha256", 1'000);
  REQUIRE(sum);
  const auto judge = [&](const Bytes& bad) {
    REQUIRE(sample.env.put_file(path + ".sha256", bad));
    const auto report = snapshot::verify_file(sample.env, path);
    return !report || !report->sound();
  };
  constexpr std::size_t kDigits = 64;
  for (std::size_t bit = 0; bit < kDigits * 8; ++bit) {
    Bytes bad = *sum;
    bad[bit / 8] ^= std::byte(1u << (bit % 8));
    // The case of a digit means nothing.
    if (std::tolower(static_cast<int>(bad[bit / 8])) ==
        std::tolower(static_cast<int>((*sum)[bit / 8])))
      continue;
    CAPTURE(bit);
    REQUIRE(judge(bad));
  }
  for (std::size_t size = 0; size < kDigits; ++size) {
    CAPTURE(size);
    REQUIRE(judge(Bytes(sum->begin(), sum->begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("restore: a damaged RESTORE in a data directory is found, and starts nothing",
          "[snapshot]") {
  Packed sample;
  FaultEnv env;
  run_node(env, kDataDir, 50, 4);
  const auto before = read_everything(env, kDataDir);
  for (const Member& member : sample.members) untar(env, member, kDataDir);
  const std::string path = std::string(kDataDir) + "/RESTORE";
  const Bytes good = sample.members[0].content;
  const auto refused = [&](const Bytes& bad) {
    REQUIRE(env.put_file(path, bad));
    const auto report = offline::check(env, kDataDir, {});
    REQUIRE(report);
    bool named = false;
    for (const auto& finding : report->findings)
      named = named || finding.id == check::FindingId::kRestoreIncomplete;
    const auto node = open_node(env, kDataDir);
    return named && !node && node.error().message.find("RESTORE") != std::string::npos;
  };

  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte(1u << (bit % 8));
    CAPTURE(bit);
    REQUIRE(refused(bad));
  }
  for (std::size_t size = 0; size < good.size() + 9; ++size) {
    if (size == good.size()) continue;
    Bytes bad = good;
    bad.resize(size);
    CAPTURE(size);
    REQUIRE(refused(bad));
  }
  REQUIRE(env.put_file(path, good));
  const auto after = read_everything(env, kDataDir);
  REQUIRE(after);
  CHECK(*after != *before);  // The snapshot, whole.
  CHECK(*after == *read_everything(sample.env, kDataDir));
}
