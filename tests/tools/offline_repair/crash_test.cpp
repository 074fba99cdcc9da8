// Promise: a repair that is cut short at any call of the Env, by a power cut or an error of the
// disk, comes to the same end when it is run again.
#include "storage/wal/log_file.h"
#include "tests/support/instrumented.h"
#include "tests/tools/offline_repair/repair_kit.h"
#include "tools/offline/quarantine.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr std::uint64_t kStride = vz::test::kInstrumented ? 7 : 1;

using Harm = void (*)(FaultEnv&);

void harm_segment(FaultEnv& env) {
  const std::string path = named_file(env, ".seg");
  const auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  REQUIRE(env.truncate_file(path, bytes->size() / 2));
}
void harm_derived(FaultEnv& env) {
  for (const std::string kind : {".dead-", ".index-", ".fields-"})
    REQUIRE(env.flip_bit(named_file(env, kind), 9, 1));
}
void harm_images(FaultEnv& env) {
  REQUIRE(
      env.flip_bit(std::string(kDataDir) + "/" + manifest::file_name(image_of(env).number), 40, 1));
  REQUIRE(env.truncate_file(std::string(kDataDir) + "/FORMAT", 3));
}
void harm_current(FaultEnv& env) {
  REQUIRE(env.flip_bit(std::string(kDataDir) + "/CURRENT", 2, 1));
}
/// In the first of the files that hold what no segment has.
void harm_log(FaultEnv& env) {
  const auto logs = wal::list_log_files(env, std::string(kDataDir) + "/wal");
  REQUIRE(logs);
  REQUIRE(logs->size() > 1);
  REQUIRE(env.flip_bit(logs->at(logs->size() - 2).path, format::kWalFileHeaderSize + 70, 1));
}

/// What was taken away is in quarantine/, byte for byte.
void require_kept(FaultEnv& env, const std::map<std::string, Bytes>& originals) {
  const std::string root = kDataDir;
  const auto entries = offline::list_quarantine(env, root);
  REQUIRE(entries);
  std::map<std::string, std::string> kept;  // By where it came from.
  for (const auto& entry : *entries)
    for (const auto& file : entry.record.files)
      kept[root + "/" + file.from] = root + "/quarantine/" + entry.record.name + "/" + file.name;
  for (const auto& [path, bytes] : originals) {
    const bool ground = path.ends_with(".seg") || path.ends_with(".wal");
    if (!ground || path.find("spare") != std::string::npos) continue;
    const auto now = read_file(env, path, 1u << 30);
    if (now && now->size() == bytes.size()) continue;
    CAPTURE(path);
    REQUIRE(kept.contains(path));
    const auto copy = read_file(env, kept[path], 1u << 30);
    REQUIRE(copy);
    REQUIRE(copy->size() + (now ? now->size() : 0) == bytes.size());
    REQUIRE(std::equal(copy->rbegin(), copy->rend(), bytes.rbegin()));
  }
}

/// Of the newest epoch; 0 if there is none.
Lsn first_lsn_of(Env& env) {
  const auto image = image_of(env);
  return image.epochs.empty() ? 0 : image.epochs.back().first_lsn;
}

struct Case {
  const char* what;
  Ending ending;
  Harm harm;
};
constexpr Case kCases[] = {
    {"a segment", Ending::kClosed, harm_segment},
    {"derived files", Ending::kClosed, harm_derived},
    {"the manifest and FORMAT", Ending::kKilled, harm_images},
    {"CURRENT", Ending::kClosed, harm_current},
    {"the log", Ending::kKilled, harm_log},
};

}  // namespace

TEST_CASE("repair: cut short at any call it comes to the same end", "[offline][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  for (const Case& one : kCases) {
    CAPTURE(one.what);
    FaultEnv damaged;
    make_data(damaged, one.ending);
    one.harm(damaged);
    const auto originals = files_in(damaged);
    const auto whole = damaged.crash_image(1);
    const auto plan = planned(*whole);
    INFO(text_of(plan));
    const auto before = whole->calls();
    REQUIRE(applied(*whole, plan.loss()).applied);
    const std::uint64_t calls = whole->calls() - before;
    REQUIRE(calls > 3);
    const NodeStates expected = served(*whole);

    for (std::uint64_t call = 0; call < calls; call += kStride) {
      CAPTURE(call);
      const auto env = damaged.crash_image(1);
      env->fail_from(call);
      const auto cut_short = apply(*env, plan.loss());
      REQUIRE((!cut_short || env->fault_hit()));
      env->lose_power(seed + call);
      env->heal();

      const auto done = apply(*env, plan.loss());

      INFO((done ? text_of(*done) : done.error().message));
      REQUIRE(done);
      REQUIRE_FALSE(done->refused({.loss_allowed = plan.loss()}));
      const auto report = checked(*env, check::Level::kContents);
      INFO(text_of(report.findings));
      REQUIRE_FALSE(report.damaged());
      REQUIRE(served(*env) == expected);
      REQUIRE(first_lsn_of(*env) >= first_lsn_of(*whole));
      require_kept(*env, originals);
    }
  }
}

TEST_CASE("repair: a full disk leaves a directory that can be repaired later", "[offline][fault]") {
  FaultEnv damaged;
  make_data(damaged, Ending::kClosed);
  harm_segment(damaged);
  const auto whole = damaged.crash_image(1);
  const auto plan = planned(*whole);
  const auto before = whole->calls();
  REQUIRE(applied(*whole, plan.loss()).applied);
  const std::uint64_t calls = whole->calls() - before;
  const NodeStates expected = served(*whole);
  for (std::uint64_t call = 0; call < calls; call += kStride) {
    CAPTURE(call);
    const auto env = damaged.crash_image(1);
    env->fail_at(call, {.code = ErrorCode::kNoSpace, .short_write = ShortWrite::kHalf});
    const auto first = apply(*env, plan.loss());
    REQUIRE((!first || env->fault_hit()));
    env->heal();
    env->lose_power_names_kept();

    const auto done = apply(*env, plan.loss());

    INFO((done ? text_of(*done) : done.error().message));
    REQUIRE(done);
    REQUIRE_FALSE(checked(*env, check::Level::kContents).damaged());
    REQUIRE(served(*env) == expected);
  }
}
