// The chain of the audit log: what was acknowledged is there, and what was changed is found.
#include <algorithm>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "engine/audit/audit_log.h"
#include "storage/env/fault_env.h"
#include "tests/support/instrumented.h"

using namespace vz;
using audit::Event;
using audit::Log;
using audit::Outcome;

namespace {

constexpr const char* kDirectory = "/log";
constexpr Log::Options kSmall{.file_bytes = 2'000, .files = 4};
constexpr std::int64_t kDay = 1'796'083'200'000'000;  // 2026-12-01T00:00:00Z

Event event(std::uint64_t number, const std::string& actor = "ghkm") {
  return {
      .time_us = kDay + static_cast<std::int64_t>(number) * 1'000'000,
      .actor = actor,
      .ip = "10.0.0.1",
      .action = number % 2 == 0 ? "POST /admin/compact" : "DELETE /collections/{collection_name}",
      .target = "/collections/n" + std::to_string(number),
      .outcome = number % 5 == 0 ? Outcome::kRefused : Outcome::kOk,
      .status = number % 5 == 0 ? 403 : 200,
      .request_id = "r" + std::to_string(number)};
}

std::unique_ptr<Log> open_log(Env& env, const Log::Options& options = kSmall) {
  auto log = Log::open(env, kDirectory, kDay, options);
  INFO((log ? "" : log.error().message));
  REQUIRE(log);
  return *std::move(log);
}

void append(Log& log, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t number = first; number <= last; ++number) REQUIRE(log.append(event(number)));
}

audit::Verdict verdict(Env& env) {
  auto found = audit::verify(env, kDirectory);
  REQUIRE(found);
  return *std::move(found);
}

std::string text_of(const audit::Verdict& verdict) {
  std::string text;
  for (const auto& one : verdict.problems)
    text += one.file + ":" + std::to_string(one.line) + ": " + one.what + "\n";
  return text;
}

std::vector<std::string> lines(Env& env, const audit::Query& query) {
  auto found = audit::read(env, kDirectory, query);
  REQUIRE(found);
  return *std::move(found);
}

using Files = std::map<std::string, std::string>;

Files files_in(Env& env) {
  Files out;
  const auto entries = env.list(kDirectory);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const auto bytes = read_file(env, std::string(kDirectory) + "/" + entry.name, 1u << 20);
    REQUIRE(bytes);
    out[entry.name] = std::string(as_text(*bytes));
  }
  return out;
}

void put_files(FaultEnv& env, const Files& files) {
  const auto entries = env.list(kDirectory);
  REQUIRE(entries);
  for (const auto& entry : *entries)
    REQUIRE(env.remove(std::string(kDirectory) + "/" + entry.name));
  for (const auto& [name, text] : files)
    REQUIRE(env.put_file(std::string(kDirectory) + "/" + name, as_bytes(text)));
}

/// One change that somebody might make, with an editor or without.
Files tampered(const Files& files, std::mt19937_64& random) {
  Files out = files;
  const auto below = [&](std::size_t count) { return random() % std::max<std::size_t>(count, 1); };
  auto at = out.begin();
  std::advance(at, below(out.size()));
  std::string& text = at->second;
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size() - 1);
    parts.push_back(text.substr(begin, end + 1 - begin));
  }
  const auto joined = [&] {
    text.clear();
    for (const std::string& part : parts) text += part;
  };
  switch (random() % 9) {
    case 0:
      text[below(text.size())] ^= static_cast<char>(1 + random() % 255);
      break;
    case 1:
      text.erase(below(text.size()), 1 + random() % 40);
      break;
    case 2:
      text.insert(below(text.size()), std::string(1 + random() % 5, static_cast<char>(random())));
      break;
    case 3:
      text.resize(below(text.size()));
      break;
    case 4:
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(below(parts.size())));
      joined();
      break;
    case 5:
      std::swap(parts[below(parts.size())], parts[below(parts.size())]);
      joined();
      break;
    case 6:
      parts.push_back(parts[below(parts.size())]);
      joined();
      break;
    case 7:
      out.erase(at);
      break;
    case 8: {  // Another status, and a hash that fits it.
      std::string& line = parts[below(parts.size())];
      const std::size_t status = line.find("\"status\":200");
      const std::size_t hash = line.find(",\"hash\":\"");
      if (status == std::string::npos || hash == std::string::npos) break;
      line[status + 9] = '5';
      Sha256 sum;
      sum.update(as_bytes(line.substr(0, hash)));
      line.replace(hash + 9, 64, to_hex(sum.finish()));
      joined();
      break;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("audit: lines come back as they went in, and the chain is sound", "[audit]") {
  FaultEnv env;
  CHECK(verdict(env).sound());  // There is none yet.
  {
    const auto log = open_log(env);
    append(*log, 1, 7);
  }
  const auto log = open_log(env);
  append(*log, 8, 10);
  REQUIRE(log->append(event(11, "evil\"\n\x1b[31m\xff" + std::string(2'000, 'x'))));

  const auto found = verdict(env);

  INFO(text_of(found));
  CHECK(found.sound());
  CHECK(found.lines == 11);
  CHECK(found.head == log->head());
  CHECK(found.head.seq == 11);
  const auto all = lines(env, {});
  REQUIRE(all.size() == 11);
  CHECK(all[0].starts_with(
      R"({"seq":1,"time":"2026-12-01T00:00:01.000000Z","actor":"ghkm","ip":"10.0.0.1",)"
      R"("action":"DELETE /collections/{collection_name}","target":"/collections/n1",)"
      R"("detail":"","result":"ok","status":200,"request_id":"r1","count":1,"prev":"000000)"));
  for (const char c : all[10]) CHECK((c >= ' ' || c < 0));
  CHECK(all[10].size() < 1'200);
  CHECK(lines(env, {.actor = "ghkm", .action = "compact", .limit = 2}).size() == 2);
  CHECK(lines(env, {.result = "refused"}).size() == 2);
  CHECK(lines(env, {.since_us = kDay + 3'000'000, .until_us = kDay + 6'000'000}).size() == 3);
  CHECK(lines(env, {.limit = 3})[0].starts_with("{\"seq\":9,"));
}

TEST_CASE("audit: it keeps so many files, and the chain of those is sound", "[audit]") {
  FaultEnv env;
  const auto log = open_log(env);
  append(*log, 1, 100);

  const auto found = verdict(env);

  INFO(text_of(found));
  CHECK(found.sound());
  CHECK(found.files == kSmall.files);
  CHECK(found.head.first_seq > 50);
  CHECK(found.lines == 100 - found.head.first_seq + 1);
  CHECK(env.list(kDirectory)->size() == kSmall.files + 1);
  // The oldest one that is kept may not be taken away.
  REQUIRE(env.remove(std::string(kDirectory) + "/" + env.list(kDirectory)->front().name));
  CHECK_FALSE(verdict(env).sound());
}

TEST_CASE("audit: of ten thousand changes each is found", "[audit]") {
  FaultEnv env;
  append(*open_log(env), 1, 24);
  const Files files = files_in(env);
  REQUIRE(files.size() == 5);
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  constexpr int kChanges = vz::test::kInstrumented ? 1'000 : 10'000;
  int changed = 0;
  while (changed < kChanges) {
    const Files other = tampered(files, random);
    if (other == files) continue;
    ++changed;
    put_files(env, other);
    if (!verdict(env).sound()) continue;
    for (const auto& [name, text] : other)
      if (!files.contains(name) || files.at(name) != text) UNSCOPED_INFO(name << ":\n" << text);
    FAIL("change " << changed << " was not found");
  }
  put_files(env, files);
  CHECK(verdict(env).sound());
}

TEST_CASE("audit: whoever cuts the log is named for ever, and it goes on", "[audit]") {
  const std::string what = GENERATE("lines", "head", "both");
  CAPTURE(what);
  FaultEnv env;
  append(*open_log(env), 1, 20);
  Files files = files_in(env);
  if (what != "head") {
    std::string& last = std::prev(files.find("audit.head"))->second;  // By name the one before.
    last.resize(last.rfind('\n', last.size() - 2) + 1);
  }
  if (what != "lines") files.erase("audit.head");
  put_files(env, files);
  REQUIRE_FALSE(verdict(env).sound());

  const auto log = open_log(env);
  append(*log, 30, 40);

  const auto all = lines(env, {.action = "audit gap"});
  REQUIRE(all.size() == 1);
  CHECK(all[0].find("\"actor\":\"node\"") != std::string::npos);
  // Without the head nobody can tell how far it went; that it was gone stands in the log.
  if (what == "lines") CHECK_FALSE(verdict(env).sound());
  CHECK(lines(env, {.limit = 1})[0].find("/collections/n40") != std::string::npos);
}

TEST_CASE("audit: a failing call and a power cut, at every call, lose no acknowledged line",
          "[audit][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  bool hit = true;
  for (std::uint64_t call = 0; hit; ++call) {
    for (const bool stays : {false, true}) {
      CAPTURE(call, stays);
      FaultEnv env;
      append(*open_log(env), 1, 4);
      std::vector<std::uint64_t> acknowledged = {1, 2, 3, 4};
      stays ? env.fail_from(call) : env.fail_at(call);
      if (auto log = Log::open(env, kDirectory, kDay, kSmall)) {
        for (std::uint64_t number = 5; number <= 12; ++number)
          if ((*log)->append(event(number))) acknowledged.push_back(number);
      }
      hit = env.fault_hit();
      env.heal();
      env.lose_power(seed + call);

      const auto log = open_log(env);
      REQUIRE(log->append(event(99)));
      const auto found = verdict(env);

      INFO(text_of(found));
      REQUIRE(found.sound());
      const auto all = lines(env, {});
      for (const std::uint64_t number : acknowledged) {
        const std::string target = "/collections/n" + std::to_string(number) + "\"";
        CAPTURE(number);
        REQUIRE(std::count_if(all.begin(), all.end(), [&](const std::string& line) {
                  return line.find(target) != std::string::npos;
                }) == 1);
      }
      CHECK(lines(env, {.limit = 1})[0].find("/collections/n99\"") != std::string::npos);
    }
  }
}

TEST_CASE("audit: no start takes a line away, whatever is left of the log", "[audit]") {
  FaultEnv env;
  append(*open_log(env), 1, 3);
  Files files = files_in(env);
  files.erase("audit.head");
  std::string& only = files.begin()->second;
  only[only.size() - 5] ^= 1;  // The last line.
  const std::string first_lines = only.substr(0, only.find("/collections/n3"));
  put_files(env, files);

  append(*open_log(env), 4, 5);

  std::string all;
  for (const auto& [name, text] : files_in(env)) all += text;
  CHECK(all.find(first_lines) != std::string::npos);
  CHECK(all.find("/collections/n5") != std::string::npos);
}

TEST_CASE("audit: a line that was changed to another type is passed over", "[audit]") {
  FaultEnv env;
  append(*open_log(env), 1, 3);
  Files files = files_in(env);
  std::string& text = files.begin()->second;
  text.replace(text.find("\"actor\":\"ghkm\""), 14, "\"actor\":123456");
  put_files(env, files);

  CHECK(lines(env, {.actor = "ghkm"}).size() == 2);
  CHECK_FALSE(verdict(env).sound());
}
