#include "storage/base/log.h"

#include <array>
#include <atomic>
#include <cstdio>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace vz {
namespace {

std::atomic<bool> g_json{false};

spdlog::logger& logger() {
  static const auto kLogger = [] {
    auto made =
        std::make_shared<spdlog::logger>("vz", std::make_shared<spdlog::sinks::stdout_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *kLogger;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Escapes quotes, backslashes and every control byte; both formats read the result back.
void append_quoted(std::string& line, std::string_view value) {
  line.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line.push_back('\\');
      line.push_back(c);
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
      line += escape.data();
    } else {
      line.push_back(c);
    }
  }
  line.push_back('"');
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '=') return true;
  }
  return false;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  g_json = format == LogFormat::kJson;
  logger().set_level(to_spdlog(level));
  logger().set_pattern(format == LogFormat::kJson
                           ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                       spdlog::pattern_time_type::utc);
}

void set_log_level(LogLevel level) {
  logger().set_level(to_spdlog(level));
}

LogEvent::LogEvent(LogLevel level, std::string_view event) : level_(level) {
  with("event", event);
}

LogEvent::~LogEvent() {
  logger().log(to_spdlog(level_), spdlog::string_view_t(line_));
}

LogEvent& LogEvent::with(std::string_view key, std::string_view value) {
  const bool json = g_json;
  if (!json && !needs_quotes(value)) return with_token(key, value);
  std::string quoted;
  append_quoted(quoted, value);
  return with_token(key, quoted);
}

LogEvent& LogEvent::with(std::string_view key, double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return with_token(key, text.data());
}

LogEvent& LogEvent::with_token(std::string_view key, std::string_view token) {
  const bool json = g_json;
  if (!line_.empty()) line_.push_back(json ? ',' : ' ');
  if (json) line_.push_back('"');
  line_ += key;
  line_ += json ? "\":" : "=";
  line_ += token;
  return *this;
}

}  // namespace vz
