// Event log: one line per event, `event=segment_sealed collection=docs rows=8192 took_ms=31`.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace vz {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

/// Set once at start-up, before other threads log. Default: info, text, stdout.
void configure_log(LogLevel level, LogFormat format);
/// From now on; any time, any thread.
void set_log_level(LogLevel level);

/// One event under construction; the line is written when it goes out of scope, whole, by one
/// write. Thread-safe. Values are escaped, so a client's bytes cannot start a line of their own.
///
///   LogEvent(LogLevel::kInfo, "segment_sealed").with("collection", name).with("rows", rows);
class LogEvent {
 public:
  LogEvent(LogLevel level, std::string_view event);
  ~LogEvent();
  LogEvent(const LogEvent&) = delete;
  LogEvent& operator=(const LogEvent&) = delete;

  LogEvent& with(std::string_view key, std::string_view value);
  LogEvent& with(std::string_view key, const char* value) {
    return with(key, std::string_view(value));
  }
  LogEvent& with(std::string_view key, double value);
  template <std::integral T>
  LogEvent& with(std::string_view key, T value) {
    return with_token(key, std::to_string(value));
  }

 private:
  LogEvent& with_token(std::string_view key, std::string_view token);

  LogLevel level_;
  std::string line_;
};

}  // namespace vz
