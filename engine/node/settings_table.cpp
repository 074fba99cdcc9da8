#include "engine/node/settings_table.h"

#include <array>

#include "engine/limits.h"

namespace vz::node {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

SettingValue number(std::int64_t value) {
  return value;
}
SettingValue word(std::string_view text) {
  return std::string(text);
}
std::int64_t as_number(const SettingValue& value) {
  return std::get<std::int64_t>(value);
}

LogLevel level_of(const std::string& name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == name) return static_cast<LogLevel>(i);
  return LogLevel::kInfo;
}

const std::array kTable{
    Setting{.key = "logging.level",
            .kind = SettingKind::kWord,
            .words = "|debug|info|warn|error|",
            .get = [](const Settings& s) { return word(kLevels[std::size_t(s.log_level)]); },
            .set = [](Settings& s,
                      const SettingValue& v) { s.log_level = level_of(std::get<std::string>(v)); }},
    Setting{.key = "logging.slow_query_threshold_ms",
            .min = Settings::kSlowQueriesOff,
            .max = limits::kSlowQueryThresholdMsMax,
            .get = [](const Settings& s) { return number(s.slow_query_threshold_ms); },
            .set = [](Settings& s,
                      const SettingValue& v) { s.slow_query_threshold_ms = as_number(v); }},
    Setting{.key = "cache.query_cache.enabled",
            .kind = SettingKind::kFlag,
            .get = [](const Settings& s) { return SettingValue(s.query_cache); },
            .set = [](Settings& s, const SettingValue& v) { s.query_cache = std::get<bool>(v); }},
    Setting{.key = "cache.query_cache.size_mb",
            .min = 1,
            .max = limits::kQueryCacheMbMax,
            .get = [](const Settings& s) { return number(s.query_cache_mb); },
            .set =
                [](Settings& s, const SettingValue& v) {
                  s.query_cache_mb = static_cast<std::uint32_t>(as_number(v));
                }},
    Setting{.key = "storage.compression",
            .kind = SettingKind::kWord,
            .words = "|none|zstd|",
            .get =
                [](const Settings& s) {
                  return word(s.compression == Compression::kNone ? "none" : "zstd");
                },
            .set =
                [](Settings& s, const SettingValue& v) {
                  s.compression =
                      std::get<std::string>(v) == "none" ? Compression::kNone : Compression::kZstd;
                }},
    Setting{
        .key = "storage.compression_level",
        .min = 1,
        .max = 19,
        .get = [](const Settings& s) { return number(s.compression_level); },
        .set = [](Settings& s,
                  const SettingValue& v) { s.compression_level = static_cast<int>(as_number(v)); }},
    Setting{.key = "jobs.retention",
            .min = 1,
            .max = limits::kJobsKeptMax,
            .get = [](const Settings& s) { return number(s.jobs_retention); },
            .set =
                [](Settings& s, const SettingValue& v) {
                  s.jobs_retention = static_cast<std::uint32_t>(as_number(v));
                }},
};

}  // namespace

std::span<const Setting> settings_table() {
  return kTable;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : kTable)
    if (setting.key == key) return &setting;
  return nullptr;
}

}  // namespace vz::node
