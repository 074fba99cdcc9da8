// Promises: a plan writes nothing; an application loses exactly what the plan names; afterwards a
// check finds nothing and a node serves the rest.
#include <random>

#include "storage/wal/log_file.h"
#include "tests/support/instrumented.h"
#include "tests/tools/offline_repair/repair_kit.h"
#include "tools/offline/quarantine.h"
#include "tools/offline/salvage.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;

namespace {

constexpr std::uint64_t kBitsPerFile = vz::test::kInstrumented ? 3 : 60;

std::vector<std::string> file_of_each_kind(Env& env) {
  const std::string root = kDataDir;
  std::vector<std::string> out = {root + "/FORMAT", root + "/CURRENT",
                                  root + "/" + manifest::file_name(image_of(env).number)};
  for (const std::string kind : {".seg", ".dead-", ".index-", ".fields-"})
    out.push_back(named_file(env, kind));
  const auto logs = wal::list_log_files(env, root + "/wal");
  REQUIRE(logs);
  for (const auto& log : *logs) out.push_back(log.path);
  return out;
}

/// `before`, or for a log what a node makes of it by itself.
NodeStates expected(const FaultEnv& damaged, const std::string& path, const NodeStates& before) {
  return path.ends_with(".wal") ? served_or(damaged, before) : before;
}

void repair_every_kind(Ending ending, bool bits) {
  FaultEnv env;
  make_data(env, ending);
  const NodeStates before = served(env);
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const std::string& path : file_of_each_kind(env)) {
    const auto original = read_file(env, path, 1u << 30);
    REQUIRE(original);
    const std::uint64_t size = original->size();
    if (bits) {
      for (std::uint64_t i = 0; i < kBitsPerFile; ++i) {
        const auto copy = env.crash_image(1);
        const std::uint64_t bit = random() % (size * 8);
        REQUIRE(copy->flip_bit(path, bit / 8, bit % 8));
        INFO(path << " bit " << bit);
        repair_and_compare(*copy, expected(*copy, path, before));
      }
      continue;
    }
    for (const std::uint64_t cut : {std::uint64_t{0}, size / 2, size - 1, size + 100}) {
      const auto copy = env.crash_image(1);
      REQUIRE(copy->truncate_file(path, cut));
      INFO(path << " of " << size << " bytes made " << cut);
      repair_and_compare(*copy, expected(*copy, path, before));
    }
    const auto copy = env.crash_image(1);
    Bytes zeroed = *original;
    const std::size_t begin = size <= 4096 ? 0 : random() % (size / 4096) * 4096;
    std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(begin),
                std::min<std::size_t>(4096, size - begin), std::byte{0});
    REQUIRE(copy->put_file(path, zeroed));
    INFO(path << " with 4 KiB of zeros at " << begin);
    repair_and_compare(*copy, expected(*copy, path, before));
    const auto without = env.crash_image(1);
    REQUIRE(without->remove(path));
    INFO(path << " removed");
    repair_and_compare(*without, expected(*without, path, before));
  }
}

/// One collection of 120 points of 1,024 values: a segment of eight blocks.
void make_wide(FaultEnv& env) {
  node::NodeOptions options = small_node();
  options.seal_rows = 1'000;
  const auto node = node::Node::open(env, options);
  REQUIRE(node);
  REQUIRE(create(**node, "wide", 1'024));
  std::vector<log::PointData> points;
  for (std::uint64_t id = 1; id <= 120; ++id)
    points.push_back(point(id, std::vector<float>(1'024, 0.5f + float(id)), payload_text(id)));
  REQUIRE(upsert(**node, "wide", std::move(points)));
  REQUIRE((*node)->seal());
  REQUIRE(erase(**node, "wide", {PointId::number(7)}));
  REQUIRE((*node)->close());
}

}  // namespace

TEST_CASE("repair: a sound directory is left as it is, bit for bit", "[offline]") {
  for (const Ending ending : {Ending::kClosed, Ending::kKilled}) {
    FaultEnv env;
    make_data(env, ending);
    const auto before = files_in(env);
    const auto calls = env.calls();

    const auto report = applied(env, 1'000);

    INFO(text_of(report));
    CHECK(report.actions.empty());
    CHECK_FALSE(report.applied);
    CHECK(env.calls() == calls);
    CHECK(files_in(env) == before);
  }
}

TEST_CASE("repair: flipped bits of every kind of file, of a directory that was closed",
          "[offline]") {
  repair_every_kind(Ending::kClosed, true);
}

TEST_CASE("repair: flipped bits of every kind of file, of a directory whose node was killed",
          "[offline]") {
  repair_every_kind(Ending::kKilled, true);
}

TEST_CASE("repair: files that were cut, extended, zeroed or removed", "[offline]") {
  repair_every_kind(Ending::kClosed, false);
  repair_every_kind(Ending::kKilled, false);
}

TEST_CASE("repair: two or three files damaged at once", "[offline]") {
  constexpr int kRounds = vz::test::kInstrumented ? 20 : 250;
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    FaultEnv env;
    make_data(env, round % 2 == 0 ? Ending::kClosed : Ending::kKilled);
    const auto all = files_in(env);
    std::string harmed;
    for (int i = 0; i < 2 + round % 2; ++i) {
      const auto& [path, bytes] =
          *std::next(all.begin(), static_cast<std::ptrdiff_t>(random() % all.size()));
      if (bytes.empty() || path.find("spare") != std::string::npos) continue;
      harmed += path + "\n";
      if (random() % 2 == 0) {
        REQUIRE(env.truncate_file(path, random() % bytes.size()));
      } else {
        Bytes zeroed = bytes;
        for (std::size_t at = random() % bytes.size(), end = at + 64; at < end; ++at)
          if (at < bytes.size()) zeroed[at] = std::byte(random());
        REQUIRE(env.put_file(path, zeroed));
      }
    }
    INFO(harmed);
    const auto plan = planned(env);
    INFO(text_of(plan));
    const auto done = applied(env, plan.loss());
    REQUIRE(done.applied == !plan.actions.empty());
    require_sound(env);
    const auto again = applied(env, 0);
    INFO(text_of(again));
    REQUIRE(again.actions.empty());
  }
}

TEST_CASE("repair: a bad block of a large segment costs the rows in it, and no other",
          "[offline]") {
  FaultEnv env;
  make_wide(env);
  const NodeStates before = served(env);
  const std::string segment = named_file(env, ".seg");
  REQUIRE(env.flip_bit(segment, 3 * (64u << 10) + 100, 5));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  REQUIRE(done.points.size() == 1);
  CHECK(done.points[0].gone.size() == 1);
  CHECK(done.points[0].unnamed.empty());
  CHECK(done.loss() == 1);
  CHECK(served(env).at("wide").size() == 118);
}

TEST_CASE("repair: damage under a dead row costs nothing", "[offline]") {
  FaultEnv env;
  make_wide(env);
  const NodeStates before = served(env);
  const std::string path = named_file(env, ".seg");
  const auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  // The values of point 7, which was deleted.
  const float wanted = 0.5f + 7.0f;
  std::uint64_t at = 0;
  while (load_number<float>(bytes->data() + at) != wanted) at += 4;
  REQUIRE(env.flip_bit(path, at + 400, 2));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  CHECK(done.loss() == 0);
  CHECK(done.applied);
}

TEST_CASE("repair: ids are taken from the payloads when their column is damaged", "[offline]") {
  FaultEnv env;
  make_wide(env);
  const NodeStates before = served(env);
  const std::string path = named_file(env, ".seg");
  auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  std::fill_n(bytes->begin(), 120 * 8, std::byte{0xFF});  // The id column stands first.
  REQUIRE(env.put_file(path, *bytes));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  CHECK(done.loss() == 0);
}

TEST_CASE("repair: two segments under each other's names lose nothing", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const NodeStates before = served(env);
  std::vector<std::string> segments;
  for (const std::string& path : store::files_of({kDataDir}, image_of(env)))
    if (path.ends_with(".seg")) segments.push_back(path);
  REQUIRE(segments.size() >= 2);
  const auto first = read_file(env, segments.front(), 1u << 30);
  const auto last = read_file(env, segments.back(), 1u << 30);
  REQUIRE((first && last));
  REQUIRE(env.put_file(segments.front(), *last));
  REQUIRE(env.put_file(segments.back(), *first));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  CHECK(done.loss() == 0);
}

TEST_CASE("repair: without any manifest the segments and the log say what there was", "[offline]") {
  for (const Ending ending : {Ending::kClosed, Ending::kKilled}) {
    FaultEnv env;
    make_data(env, ending);
    const NodeStates before = served(env);
    const auto entries = env.list(kDataDir);
    REQUIRE(entries);
    for (const auto& entry : *entries)
      if (entry.name == "CURRENT" || manifest::parse_file_name(entry.name))
        REQUIRE(env.truncate_file(std::string(kDataDir) + "/" + entry.name, 5));

    const auto done = repair_and_compare(env, before);

    INFO(text_of(done));
    CHECK(done.loss() == 0);
    CHECK_FALSE(done.notes.empty());
  }
}

TEST_CASE("repair: CURRENT and the manifest as they were one publish ago", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const NodeStates before = served(env);
  const std::uint64_t number = image_of(env).number;
  const auto spare =
      read_file(env, std::string(kDataDir) + "/" + manifest::file_name(number - 1), 1u << 30);
  REQUIRE(spare);
  {
    const auto copy = env.crash_image(1);
    REQUIRE(copy->put_file(std::string(kDataDir) + "/" + manifest::file_name(number), *spare));
    const auto done = repair_and_compare(*copy, before);
    INFO(text_of(done));
    CHECK(done.loss() == 0);
  }
  FaultEnv other;
  REQUIRE(other.make_directory(kDataDir));
  auto image = manifest::decode(*spare);
  REQUIRE(image);
  REQUIRE(manifest::publish(other, kDataDir, *image));
  const auto current = read_file(other, std::string(kDataDir) + "/CURRENT", 100);
  REQUIRE(current);
  REQUIRE(env.put_file(std::string(kDataDir) + "/CURRENT", *current));
  const auto done = applied(env, 0);
  INFO(text_of(done));
  require_sound(env);
  CHECK(served(env) == before);
}

TEST_CASE("repair: a point whose row is lost does not come back in an older version", "[offline]") {
  FaultEnv env;
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    REQUIRE(create(**node, "docs"));
    REQUIRE(upsert(**node, "docs", some_points(1, 4)));
    REQUIRE((*node)->seal());
    REQUIRE(upsert(**node, "docs", {point(2, {9, 9, 9, 9}, "{\"new\":true}")}));
    REQUIRE((*node)->seal());
    REQUIRE((*node)->close());
  }
  const NodeStates before = served(env);
  const auto image = image_of(env);
  const auto& newest = image.collections.at(0).segments.back();
  const store::Paths paths{kDataDir};
  REQUIRE(env.truncate_file(paths.seg(image.collections.at(0).id, newest.epoch, newest.seq), 64));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  CHECK(done.loss() == 1);
  CHECK(served(env).at("docs").size() == 3);
  // Nor when its list of dead rows is lost later: the death has become a delete of its own.
  REQUIRE(env.flip_bit(named_file(env, ".dead-"), 3, 3));
  const auto again = applied(env, 0);
  INFO(text_of(again));
  CHECK(again.applied);
  CHECK(served(env).at("docs").size() == 3);
}

TEST_CASE("repair: lsns do not go back after records of the log were lost", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kKilled);
  const NodeStates before = served(env);
  const auto logs = wal::list_log_files(env, std::string(kDataDir) + "/wal");
  REQUIRE(logs);
  auto reader = wal::LogFileReader::open(env, logs->back());
  REQUIRE(reader);
  Lsn last = 0;
  while (true) {
    const auto record = reader->next();
    REQUIRE(record);
    if (!*record) break;
    last = (*record)->lsn;
  }
  REQUIRE(env.flip_bit(logs->at(logs->size() - 2).path, format::kWalFileHeaderSize + 20, 1));

  const auto done = repair_and_compare(env, before);

  INFO(text_of(done));
  REQUIRE(done.records.records > 0);
  CHECK(done.new_first_lsn > last);
  const auto entries = offline::list_quarantine(env, kDataDir);
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->at(0).record.kind == "log");
  CHECK(entries->at(0).record.first_lsn == done.records.first_lsn);
  CHECK(entries->at(0).record.last_lsn == last);
}

TEST_CASE("repair: a running node's directory is locked, somebody else's is no data", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);

  const auto locked = apply(env, 0);
  const auto plan = offline::repair(env, kDataDir, {});
  REQUIRE(env.make_directory("/other"));
  REQUIRE(env.put_file("/other/letter.txt", as_bytes("mine")));
  const auto other = offline::repair(env, "/other", {});

  REQUIRE_FALSE(locked);
  CHECK(locked.error().code == ErrorCode::kLocked);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == ErrorCode::kLocked);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kNoData);
}

TEST_CASE("repair, salvage: nothing is judged while a snapshot that tar unpacked is pending",
          "[offline]") {
  // Given a segment that tar has just overwritten, as far as anybody can tell.
  FaultEnv env;
  make_data(env, Ending::kClosed);
  REQUIRE(env.truncate_file(named_file(env, ".seg"), 300));
  REQUIRE(env.put_file(std::string(kDataDir) + "/RESTORE", as_bytes("anything")));
  const auto before = files_in(env);
  const auto calls = env.calls();

  const auto repaired = apply(env, 1'000);
  const auto salvaged =
      offline::salvage(env, kDataDir, {.write = [](std::string_view) { return Status(); }});

  REQUIRE_FALSE(repaired);
  CHECK(repaired.error().code == ErrorCode::kFailedPrecondition);
  CHECK(repaired.error().message.find("restore-abort") != std::string::npos);
  REQUIRE_FALSE(salvaged);
  CHECK(salvaged.error().code == ErrorCode::kFailedPrecondition);
  CHECK(env.calls() == calls);
  CHECK(files_in(env) == before);
}

TEST_CASE(
    "repair: without room for copies and new files nothing is changed, and both numbers are "
    "named",
    "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  REQUIRE(env.truncate_file(named_file(env, ".seg"), 300));
  for (const std::string kind : {".index-", ".fields-"})
    REQUIRE(env.flip_bit(named_file(env, kind), 9, 1));
  const auto plan = planned(env);
  REQUIRE(plan.space_needed > 0);
  env.set_disk_space({.free_bytes = plan.space_needed - 1, .total_bytes = 1u << 30});
  const auto before = files_in(env);

  const auto refused = apply(env, 1'000);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNoSpace);
  CHECK_THAT(refused.error().message, Catch::Contains(std::to_string(plan.space_needed)));
  CHECK_THAT(refused.error().message, Catch::Contains(std::to_string(plan.space_needed - 1)));
  CHECK(files_in(env) == before);
  env.set_disk_space({.free_bytes = plan.space_needed, .total_bytes = 1u << 30});
  CHECK(applied(env, 1'000).applied);
}
