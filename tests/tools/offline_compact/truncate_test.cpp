// Cutting the log: what stays, what is kept aside, what is refused, and every moment of a crash.
#include <algorithm>

#include "storage/wal/log_file.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/log_contents.h"
#include "tools/offline/log_truncate.h"
#include "tools/offline/quarantine.h"

using namespace vz;
using namespace vz::test;
using check::Level;
using offline::TruncateOptions;

namespace {

constexpr TruncateOptions::Run kApply = TruncateOptions::Run::kApply;
constexpr std::uint64_t kAnyLoss = 1'000;

Everything with_points_to(const Everything& all, std::uint64_t last_id) {
  Everything out = all;
  auto& docs = out.points.at("docs");
  for (auto at = docs.begin(); at != docs.end();)
    at = at->first.low >= 100 && at->first.low > last_id ? docs.erase(at) : std::next(at);
  return out;
}

offline::TruncateReport truncated(Env& env, Lsn at, std::uint64_t loss = kAnyLoss) {
  auto report =
      offline::truncate_log(env, kDataDir, {.at = at, .loss_allowed = loss, .run = kApply});
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

Lsn last_lsn(Env& env) {
  const auto log = offline::read_log(env, kDataDir);
  REQUIRE(log);
  Lsn last = 0;
  for (const auto& file : log->files) last = std::max(last, file.last_lsn);
  return last;
}

}  // namespace

TEST_CASE("truncate: at every record of the log what came before stays and the rest never was",
          "[offline]") {
  for (std::uint64_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    FaultEnv env;
    const Lsn first = make_history(env);
    const Everything all = read_copy(env);
    const Lsn last = last_lsn(env);
    REQUIRE(last == first + 5);

    const auto report = truncated(env, first + i);

    CHECK(report.records_lost == 5 - i);
    CHECK(report.truncated == (i < 5));
    const auto check = checked(env, Level::kContents);
    INFO(text_of(check.findings));
    CHECK_FALSE(check.damaged());
    CHECK(last_lsn(env) == first + i);
    const Everything now = read_copy(env);
    CHECK(now == with_points_to(all, 100 + i));
    CHECK(truncated(env, first + i).truncated == false);

    // Then a node goes on above every lsn that was ever given out, in a new epoch.
    {
      const auto node = node::Node::open(env, small_node());
      REQUIRE(node);
      const auto done = upsert(**node, "docs", some_points(500, 1));
      REQUIRE(done);
      CHECK(done->lsn > last);
      if (i < 5) {
        CHECK(done->lsn >= report.first_lsn);
        CHECK((*node)->epoch() == report.epoch);
        const auto epochs = image_of(env).epochs;
        REQUIRE_FALSE(epochs.empty());
        CHECK(epochs.back().kind == manifest::EpochKind::kRestore);
        CHECK(epochs.back().first_lsn == report.first_lsn);
      }
      REQUIRE((*node)->close());
    }
    CHECK_FALSE(checked(env, Level::kContents).damaged());
  }
}

TEST_CASE("truncate: what was cut is in quarantine, whole and readable", "[offline]") {
  FaultEnv env;
  const Lsn first = make_history(env);
  const auto names = wal::list_log_files(env, "/data/wal");
  REQUIRE(names);
  std::map<std::string, Bytes> before;
  for (const auto& name : *names) {
    auto bytes = read_file(env, name.path, 1u << 30);
    REQUIRE(bytes);
    before[name.path.substr(name.path.rfind('/') + 1)] = std::move(*bytes);
  }

  const auto report = truncated(env, first);

  REQUIRE(report.files.size() >= 2);
  for (const std::string& file : report.files) {
    const std::string name = file.substr(file.rfind('/') + 1);
    const auto kept = read_file(env, "/data/quarantine/truncated-0002/" + name, 1u << 30);
    CAPTURE(name);
    REQUIRE(kept);
    CHECK(*kept == before.at(name));
  }
}

TEST_CASE("truncate: a plan, too little allowed, and a cut below the segments change nothing",
          "[offline]") {
  FaultEnv env;
  const Lsn first = make_history(env);
  const auto calls = env.calls();
  const auto plan = offline::truncate_log(env, kDataDir, {.at = first + 1});
  REQUIRE(plan);
  CHECK(plan->records_lost == 4);
  CHECK_FALSE(plan->allowed);
  CHECK_FALSE(plan->truncated);
  CHECK(env.calls() == calls);
  const manifest::Manifest image = image_of(env);

  const auto refused = truncated(env, first + 1, 3);
  CHECK_FALSE(refused.allowed);
  CHECK_FALSE(refused.truncated);
  const auto low = offline::truncate_log(
      env, kDataDir, {.at = plan->least - 1, .loss_allowed = 99, .run = kApply});
  REQUIRE_FALSE(low);
  CHECK(low.error().code == ErrorCode::kFailedPrecondition);
  CHECK(low.error().message.find(std::to_string(plan->least)) != std::string::npos);

  CHECK(image_of(env) == image);
  CHECK(last_lsn(env) == first + 5);
}

TEST_CASE("truncate: a log that no start accepts is cut where it can be read to", "[offline]") {
  FaultEnv env;
  const Lsn first = make_history(env);
  const Everything all = read_copy(env);
  // Given damage in the record first + 2, with later groups behind it.
  const auto names = wal::list_log_files(env, "/data/wal");
  REQUIRE(names);
  for (const auto& name : *names) {
    auto reader = wal::LogFileReader::open(env, name);
    REQUIRE(reader);
    for (std::uint64_t offset = reader->offset();; offset = reader->offset()) {
      const auto record = reader->next();
      if (!record || !*record) break;
      if ((*record)->lsn == first + 2) REQUIRE(env.flip_bit(name.path, offset + 50, 0));
    }
  }
  REQUIRE_FALSE(node::Node::open(env, small_node()));

  const auto beyond =
      offline::truncate_log(env, kDataDir, {.at = first + 3, .loss_allowed = 99, .run = kApply});
  CHECK(beyond.error().code == ErrorCode::kFailedPrecondition);
  CHECK(beyond.error().message.find(std::to_string(first + 1)) != std::string::npos);
  const auto report = truncated(env, first + 1);

  CHECK(report.records_lost == 4);
  CHECK(report.readable == first + 1);
  CHECK(report.last == first + 5);
  CHECK_FALSE(checked(env, Level::kContents).damaged());
  CHECK(read_everything(env) == with_points_to(all, 101));
}

TEST_CASE("truncate: a log of which not even a header is left begins anew", "[offline]") {
  // Given a log whose only file begins right behind the segments, and whose header is damaged.
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const Everything flushed = read_copy(env);
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    REQUIRE((*node)->settle());
    REQUIRE(upsert(**node, "docs", some_points(100, 1)));
  }
  env.kill_process();
  const auto names = wal::list_log_files(env, "/data/wal");
  REQUIRE(names);
  REQUIRE(names->size() == 1);
  REQUIRE(env.flip_bit(names->front().path, 20, 1));
  REQUIRE_FALSE(node::Node::open(env, small_node()));
  const Lsn at = names->front().first_lsn - 1;

  const auto report = truncated(env, at, 1u << 20);

  CHECK(report.truncated);
  CHECK(report.records_lost >= 1);
  const auto check = checked(env, Level::kContents);
  INFO(text_of(check.findings));
  CHECK_FALSE(check.damaged());
  CHECK(env.exists("/data/quarantine/truncated-0002" +
                   names->front().path.substr(std::string("/data/wal").size())));
  CHECK(read_everything(env).points.at("more") == flushed.points.at("more"));
}

TEST_CASE("truncate: a failing call and a power cut at every call leave a sound log",
          "[offline][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  FaultEnv sample;
  const Lsn at = make_history(sample) + 1;
  const Everything all = read_copy(sample);
  const Everything cut = with_points_to(all, 101);
  const auto calls_before = sample.calls();
  REQUIRE(truncated(sample, at).truncated);
  const std::uint64_t calls = sample.calls() - calls_before;
  REQUIRE(calls > 10);
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    for (const bool stays : {false, true}) {
      FaultEnv env;
      REQUIRE(make_history(env) + 1 == at);
      const Lsn last = last_lsn(env);
      stays ? env.fail_from(fault) : env.fail_at(fault);
      const auto report =
          offline::truncate_log(env, kDataDir, {.at = at, .loss_allowed = kAnyLoss, .run = kApply});
      env.heal();
      fault % 3 == 0 ? env.lose_power_worst() : env.lose_power(seed + fault);

      INFO("failing call " << fault << " of " << calls << ", stays " << stays);
      const auto check = checked(env, Level::kContents);
      INFO(text_of(check.findings));
      REQUIRE_FALSE(check.damaged());
      const Everything now = read_copy(env);
      for (const auto& [id, point] : cut.points.at("docs"))
        REQUIRE(now.points.at("docs").at(id) == point);
      for (const auto& [id, point] : now.points.at("docs"))
        REQUIRE(all.points.at("docs").at(id) == point);
      if (report) REQUIRE(now == cut);
      (void)truncated(env, at);
      const auto kept = offline::list_quarantine(env, kDataDir);
      REQUIRE((kept && kept->size() == 1));
      CHECK(kept->at(0).has_record);
      CHECK(kept->at(0).record.first_lsn == at + 1);
      const auto epochs = image_of(env).epochs;
      CHECK(std::count_if(epochs.begin(), epochs.end(), [](const auto& epoch) {
              return epoch.kind == manifest::EpochKind::kRestore;
            }) == 1);
      const auto node = node::Node::open(env, small_node());
      REQUIRE(node);
      CHECK(read_all(*(*node)->find("docs")) == cut.points.at("docs"));
      const auto done = upsert(**node, "docs", some_points(500, 1));
      REQUIRE(done);
      CHECK(done->lsn > last);
    }
  }
}
