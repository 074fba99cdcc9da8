// The table of run-time settings: their keys, what they may be, and where they stand in Settings.
// Internal to the settings.
#pragma once

#include <span>
#include <string_view>

#include "engine/node/settings.h"

namespace vz::node {

struct Setting {
  std::string_view key;    ///< "logging.level"
  std::string_view words;  ///< allowed strings, each between '|'; "": it is a number
  std::int64_t min = 0;    ///< allowed numbers
  std::int64_t max = 0;
  SettingValue (*get)(const Settings&);
  void (*set)(Settings&, const SettingValue&);
};

/// Sorted by group, as answers show them.
std::span<const Setting> settings_table();
/// nullptr if there is none.
const Setting* find_setting(std::string_view key);

}  // namespace vz::node
