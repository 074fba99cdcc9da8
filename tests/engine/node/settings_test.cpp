// Run-time settings: what is refused, what is kept, and where a value comes from.
#include "engine/node/settings.h"

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"

using namespace vz;
using node::decode_settings;
using node::LiveSettings;

TEST_CASE("settings: an unknown key and a bad value are refused by name", "[node][settings]") {
  const auto message = [](const char* json) {
    const auto patch = decode_settings(json);
    REQUIRE_FALSE(patch);
    CHECK(patch.error().code == ErrorCode::kInvalidArgument);
    return patch.error().message;
  };
  CHECK(message(R"({"data_dir":"/x"})").find("'data_dir'") != std::string::npos);
  CHECK(message(R"({"logging":{"path":"/x"}})").find("'logging.path'") != std::string::npos);
  CHECK(message(R"({"logging":{"level":"loud"}})").find("logging.level: expected debug or") == 0);
  CHECK(message(R"({"logging":7})").find("logging: ") == 0);
  CHECK(message(R"({"storage":{"compression_level":20}})").find("from 1 to 19") !=
        std::string::npos);
  CHECK(message(R"({"storage":{"compression_level":1.5}})").find("storage.compression_level") == 0);
  CHECK(message(R"({"cache":{"query_cache":{"enabled":1}}})") ==
        "cache.query_cache.enabled: expected true or false");
  CHECK(message(R"({"cache":{"query_cache":{"size_mb":0}}})").find("from 1 to 65536") !=
        std::string::npos);
  CHECK(
      message(R"({"cache":{"query_cache":true}})").find("cache.query_cache: expected an object") ==
      0);
  CHECK(message(R"({"logging":{"slow_query_threshold_ms":-2}})").find("from -1 to 3600000") !=
        std::string::npos);
  CHECK(message("[]").find("object") != std::string::npos);
  CHECK(message(std::string(100'000, '[').c_str()).find("JSON") != std::string::npos);
}

TEST_CASE("settings: a change is in force, outlives a power cut, and null takes it back",
          "[node][settings]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory("/data"));
  node::Settings start;
  start.log_level = LogLevel::kWarn;
  {
    LiveSettings live(env, "/data", start);
    int seen = 0;
    live.on_change([&](const node::Settings& now) { seen = now.zstd_level(); });
    CHECK(seen == 1);
    REQUIRE(live.change(*decode_settings(R"({"storage":{"compression_level":7}})")));
    REQUIRE(live.change(*decode_settings(R"({"jobs":{"retention":5}})")));
    CHECK(seen == 7);
    env.lose_power_worst();
  }
  LiveSettings live(env, "/data", start);
  REQUIRE(live.open());
  CHECK(live.current()->compression_level == 7);
  CHECK(live.current()->jobs_retention == 5);
  const std::string text = live.describe();
  CHECK(text.find(R"("storage.compression_level": "runtime")") != std::string::npos);
  CHECK(text.find(R"("logging.level": "start")") != std::string::npos);
  CHECK(text.find(R"("storage.compression": "default")") != std::string::npos);

  REQUIRE(live.change(*decode_settings(R"({"storage":null})")));

  CHECK(live.current()->compression_level == 1);
  CHECK(live.current()->jobs_retention == 5);
}

TEST_CASE("settings: the query cache is off until it is enabled, and its size waits for that",
          "[node][settings]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory("/data"));
  LiveSettings live(env, "/data", {});
  std::size_t bytes = 1;
  std::int64_t threshold_ms = 0;
  live.on_change([&](const node::Settings& now) {
    bytes = now.query_cache_bytes();
    threshold_ms = now.slow_query_threshold_ms;
  });
  CHECK(bytes == 0);
  CHECK(threshold_ms == 1'000);

  REQUIRE(live.change(*decode_settings(R"({"cache":{"query_cache":{"size_mb":3}}})")));
  CHECK(bytes == 0);
  REQUIRE(live.change(*decode_settings(R"({"cache":{"query_cache":{"enabled":true}}})")));
  CHECK(bytes == 3u << 20);
  REQUIRE(
      live.change(*decode_settings(R"({"cache":null,"logging":{"slow_query_threshold_ms":-1}})")));
  CHECK(bytes == 0);
  CHECK(threshold_ms == node::Settings::kSlowQueriesOff);

  LiveSettings again(env, "/data", {});
  REQUIRE(again.open());
  CHECK(again.current()->slow_query_threshold_ms == -1);
  CHECK_FALSE(again.current()->query_cache);
}

TEST_CASE("settings: a file that is none is an error that names it", "[node][settings]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory("/data"));
  REQUIRE(env.put_file("/data/config.json", as_bytes(R"({"storage":{"compression":"lz4"}})")));
  LiveSettings live(env, "/data", {});

  const auto opened = live.open();

  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorruption);
  CHECK(opened.error().message.find(
            "/data/config.json: storage.compression: expected none or zstd") == 0);
}

TEST_CASE("settings: a damaged file is refused, or gives values that anybody may set",
          "[node][settings]") {
  // People may edit the file, so it has no checksum: what a flipped bit makes of it is judged like
  // what a person has written.
  const std::string good = R"({
  "logging": {"level": "debug", "slow_query_threshold_ms": 40},
  "storage": {"compression": "zstd", "compression_level": 7},
  "jobs": {"retention": 5}
})";
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory("/data"));
  std::size_t refused = 0;
  const auto judge = [&](const std::string& text) {
    REQUIRE(env.put_file("/data/config.json", as_bytes(text)));
    LiveSettings live(env, "/data", {});
    const Status opened = live.open();
    const auto now = live.current();
    if (!opened) {
      ++refused;
      CHECK(opened.error().code == ErrorCode::kCorruption);
      CHECK(opened.error().message.find("/data/config.json: ") == 0);
      CHECK(*now == node::Settings());
      return;
    }
    // What is in force can be set as it stands.
    const auto again = decode_settings(
        R"({"storage":{"compression_level":)" + std::to_string(now->compression_level) +
        R"(},"jobs":{"retention":)" + std::to_string(now->jobs_retention) + "}}");
    CHECK(again);
  };

  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    judge(bad);
  }
  CHECK(refused > good.size() * 6);  // Digits and the white space between them may pass.

  refused = 0;
  for (std::size_t size = 1; size < good.size(); ++size) judge(good.substr(0, size));
  CHECK(refused == good.size() - 1);

  refused = 0;
  for (const std::string_view end : {"}", "x", "{}", "\x01"}) judge(good + std::string(end));
  judge(good + std::string("\0", 1));
  judge(good + std::string("\0{", 2));
  CHECK(refused == 6);
}
