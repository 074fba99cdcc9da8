// The log as it is listed, counted, dumped and verified.
#include <nlohmann/json.hpp>

#include "storage/format/catalog_record.h"
#include "storage/wal/log_file.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/log_contents.h"
#include "tools/offline/verify.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using nlohmann::json;
using offline::DumpOptions;

namespace {

constexpr const char* kLogDir = "/data/wal";

struct Dump {
  offline::DumpSummary summary;
  std::vector<json> lines;
};

Dump dumped(Env& env, const DumpOptions& options = {}) {
  Dump out;
  auto summary = offline::dump_log(env, kDataDir, options, [&](const std::string& line) {
    CHECK(line.find('\n') == std::string::npos);
    out.lines.push_back(json::parse(line));
  });
  INFO((summary ? "" : summary.error().message));
  REQUIRE(summary);
  out.summary = std::move(*summary);
  return out;
}

/// Where the record of `lsn` begins.
struct Place {
  std::string path;
  std::uint64_t offset = 0;
};
Place place_of(Env& env, Lsn lsn) {
  const auto files = wal::list_log_files(env, kLogDir);
  REQUIRE(files);
  for (const auto& name : *files) {
    auto reader = wal::LogFileReader::open(env, name);
    REQUIRE(reader);
    for (;;) {
      const std::uint64_t offset = reader->offset();
      const auto record = reader->next();
      REQUIRE(record);
      if (!*record) break;
      if ((*record)->lsn == lsn) return {name.path, offset};
    }
  }
  FAIL("no record " << lsn);
  return {};
}

}  // namespace

TEST_CASE("wal list: files, lsns, bytes and records agree with the log", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);
  const auto calls = env.calls();

  const auto log = offline::read_log(env, kDataDir);

  REQUIRE(log);
  const auto names = wal::list_log_files(env, kLogDir);
  REQUIRE(log->files.size() == names->size());
  std::uint64_t records = 0;
  for (std::size_t i = 0; i < log->files.size(); ++i) {
    const auto& file = log->files[i];
    CHECK(file.first_lsn == (*names)[i].first_lsn);
    CHECK(file.problem.empty());
    CHECK(file.last_lsn + 1 == file.first_lsn + file.records);
    CHECK(file.record_bytes < file.size_bytes);
    records += file.records;
  }
  CHECK(log->all.records == records);
  CHECK(log->unflushed.records == 3);
  CHECK(log->kinds.at(format::WalRecordKind::kPoints).records >= 3);
  std::uint64_t of_kinds = 0;
  for (const auto& [kind, count] : log->kinds) of_kinds += count.records;
  CHECK(of_kinds == records);
  CHECK(log->files.back().needed);
  CHECK(log->names.size() == 2);
  CHECK(env.calls() == calls);
}

TEST_CASE("wal list: a file that cannot be read says why", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);
  const auto names = wal::list_log_files(env, kLogDir);
  REQUIRE(env.flip_bit(names->back().path, 20, 0));

  const auto log = offline::read_log(env, kDataDir);

  REQUIRE(log);
  CHECK(log->files.back().problem.find(names->back().path) != std::string::npos);
  CHECK(log->files.back().records == 0);
}

TEST_CASE("wal dump: every record once, decoded; vectors and payloads only when asked for",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);

  const Dump plain = dumped(env);

  const auto log = offline::read_log(env, kDataDir);
  CHECK(plain.summary.records == log->all.records);
  CHECK(plain.lines.size() == plain.summary.records);
  CHECK(plain.summary.damage.empty());
  for (std::size_t i = 0; i < plain.lines.size(); ++i) {
    const json& line = plain.lines[i];
    CHECK(line.at("lsn") == plain.summary.first_lsn + i);
    CHECK(line.at("epoch") == 1);
    CHECK_FALSE(line.contains("error"));
    CHECK(line.dump().find("\"values\"") == std::string::npos);
    CHECK(line.dump().find("\"payload\"") == std::string::npos);
  }
  const json& erased = plain.lines[plain.lines.size() - 2];
  CHECK(erased.at("kind") == "points");
  CHECK(erased.at("operations").at(0).at("operation") == "delete_rows");
  CHECK(erased.at("operations").at(0).at("ids") == json::array({3}));

  const Lsn last = plain.summary.last_lsn;
  const Dump one = dumped(env, {.from = last,
                                .to = last,
                                .vectors = DumpOptions::Part::kShown,
                                .payloads = DumpOptions::Part::kShown});
  REQUIRE(one.lines.size() == 1);
  const json& row = one.lines[0].at("operations").at(0).at("rows").at(0);
  CHECK(row.at("id") == 60);
  CHECK(row.at("vectors").at(0).at("values") == json::array({60.0, 0.5, -1.0, 2.0}));
  CHECK(row.at("payload").at("name") == "n60");
}

TEST_CASE("wal dump: catalog records, and what cannot be decoded", "[offline]") {
  const Bytes create =
      format::encode(format::CreateCollectionRecord{.name = "words", .definition = "{\"a\":1}"});
  format::WalRecord record{.lsn = 7,
                           .group_lsn = 6,
                           .time_us = 5,
                           .epoch = 2,
                           .kind = format::WalRecordKind::kCreateCollection,
                           .payload = create};

  const json made = json::parse(offline::record_as_json(record, {}));

  CHECK(made.at("lsn") == 7);
  CHECK(made.at("group_lsn") == 6);
  CHECK(made.at("time_us") == 5);
  CHECK(made.at("collection").is_null());
  CHECK(made.at("name") == "words");
  CHECK(made.at("definition").at("a") == 1);

  const Bytes aliases = format::encode(format::AliasesRecord{{{"new", 7}, {"old", 0}}});
  record.kind = format::WalRecordKind::kAliases;
  record.payload = aliases;
  const json changes = json::parse(offline::record_as_json(record, {})).at("changes");
  CHECK(changes.at(0).at("collection") == 7);
  CHECK(changes.at(1).at("collection").is_null());

  record.kind = format::WalRecordKind::kPoints;  // Not what the payload is.
  CHECK(json::parse(offline::record_as_json(record, {})).contains("error"));

  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const Bytes nested =
      format::encode(format::CreateCollectionRecord{.name = "deep", .definition = deep});
  record.kind = format::WalRecordKind::kCreateCollection;
  record.payload = nested;
  CHECK(json::parse(offline::record_as_json(record, {})).at("definition").is_string());
}

TEST_CASE("wal dump: damage ends its file and is told, the other files are dumped", "[offline]") {
  FaultEnv env;
  make_history(env);
  const Dump whole = dumped(env);
  const auto names = wal::list_log_files(env, kLogDir);
  REQUIRE(names->size() > 2);
  const Lsn broken = (*names)[1].first_lsn;
  const Place place = place_of(env, broken);
  REQUIRE(env.flip_bit(place.path, place.offset + 60, 1));

  const Dump rest = dumped(env);

  CHECK(rest.summary.damage.size() == 1);
  CHECK(rest.summary.records < whole.summary.records);
  CHECK(rest.summary.last_lsn == whole.summary.last_lsn);
  for (const json& line : rest.lines) CHECK(line.at("lsn") != broken);
}

TEST_CASE("wal verify: a sound log has no findings, a torn tail is a note, proof makes an error",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);
  const auto verify = [&] {
    auto report = offline::verify_log(env, kDataDir, {});
    REQUIRE(report);
    return std::move(*report);
  };
  const auto calls = env.calls();
  CHECK(verify().findings.empty());
  CHECK(verify().log_records >= 3);
  CHECK(env.calls() == calls);
  const Lsn last = dumped(env).summary.last_lsn;

  const Place tail = place_of(env, last);
  REQUIRE(env.flip_bit(tail.path, tail.offset + 50, 0));
  const auto torn = verify();
  CHECK(has(torn, FindingId::kTornTail));
  CHECK_FALSE(torn.damaged());
  REQUIRE(env.flip_bit(tail.path, tail.offset + 50, 0));

  const Place middle = place_of(env, last - 1);
  REQUIRE(env.flip_bit(middle.path, middle.offset + 50, 0));
  const auto broken = verify();
  INFO(text_of(broken.findings));
  CHECK(has(broken, FindingId::kLogDamaged));
  CHECK(broken.damaged());
}
