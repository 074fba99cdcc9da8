// Settings that may be changed while the node runs, and where they are kept: DATA/config.json.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/base/log.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/env/env.h"

namespace vz::node {

enum class Compression : std::uint8_t { kNone, kZstd };

/// All of them, with their defaults. Key in JSON: logging.level, logging.slow_query_threshold_ms,
/// ...
struct Settings {
  LogLevel log_level = LogLevel::kInfo;
  /// From this time on a read counts as a slow query; 0: each does; kSlowQueriesOff: none.
  std::int64_t slow_query_threshold_ms = 1'000;
  bool query_cache = false;           ///< whether answers of searches are kept
  std::uint32_t query_cache_mb = 64;  ///< MiB that they may take
  Compression compression = Compression::kZstd;
  int compression_level = 1;           ///< of zstd, 1 .. 19
  std::uint32_t jobs_retention = 200;  ///< ended jobs that are kept

  static constexpr std::int64_t kSlowQueriesOff = -1;

  /// What the cache of answers may take; 0: there is none.
  [[nodiscard]] std::size_t query_cache_bytes() const {
    return query_cache ? std::size_t{query_cache_mb} << 20 : 0;
  }
  /// Of segments that are written from now on; 0: not compressed.
  [[nodiscard]] int zstd_level() const {
    return compression == Compression::kNone ? 0 : compression_level;
  }
  friend bool operator==(const Settings&, const Settings&) = default;
};

using SettingValue = std::variant<std::int64_t, bool, std::string>;
/// By dotted key, each known and its value good; nothing: back to what the start gave.
using SettingsPatch = std::map<std::string, std::optional<SettingValue>>;

/// Reads {"logging":{"level":"debug"},"storage":{"compression_level":null}}; null puts a
/// setting or a whole group back. Errors: kInvalidArgument: no JSON object, an unknown key (named),
/// a bad value (named, with what is allowed).
Result<SettingsPatch> decode_settings(std::string_view json);

/// `base` with the values of `patch`.
Settings patched(Settings base, const SettingsPatch& patch);

/// Thread-safe.
class LiveSettings {
 public:
  /// start: what holds where nothing was set at run time. `env` must outlive it.
  LiveSettings(Env& env, const std::string& data_dir, const Settings& start);

  /// Called with the settings in force, now and after each change, one call at a time.
  void on_change(std::function<void(const Settings&)> apply) VZ_EXCLUDES(mutex_);

  /// Reads DATA/config.json, if it is there. Errors: kCorruption (names the file, the key and what
  /// to do), kIoError: nothing has changed.
  Status open() VZ_EXCLUDES(mutex_);
  /// Sets what `patch` names, durably, then in force. Blocks for the write of the file.
  /// Errors: kIoError, kNoSpace: nothing has changed.
  Status change(const SettingsPatch& patch) VZ_EXCLUDES(mutex_);

  [[nodiscard]] std::shared_ptr<const Settings> current() const { return current_.load(); }
  /// JSON text: all of them by group, and "origins": by key "default", "start" or "runtime".
  [[nodiscard]] std::string describe() const VZ_EXCLUDES(mutex_);

 private:
  void put_in_force() VZ_REQUIRES(mutex_);

  Env& env_;
  const std::string path_;
  const Settings start_;
  Published<Settings> current_;

  /// Held across the write of the file and the calls of apply_: the next change builds on this one.
  mutable Mutex mutex_;
  SettingsPatch set_ VZ_GUARDED_BY(mutex_);  ///< at run time; every value is there
  std::vector<std::function<void(const Settings&)>> apply_ VZ_GUARDED_BY(mutex_);
};

}  // namespace vz::node
