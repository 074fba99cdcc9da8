// The table of run-time settings: their keys, what they may be, and where they stand in Settings.
// Internal to the settings.
#pragma once

#include <span>
#include <string_view>

#include "engine/node/settings.h"

namespace vz::node {

enum class SettingKind : std::uint8_t { kNumber, kFlag, kWord };

struct Setting {
  std::string_view key;  ///< "logging.level"
  SettingKind kind = SettingKind::kNumber;
  std::string_view words = {};  ///< of a kWord: what it may be, each between '|'
  std::int64_t min = 0;         ///< of a kNumber
  std::int64_t max = 0;
  SettingValue (*get)(const Settings&);
  void (*set)(Settings&, const SettingValue&);
};

/// Sorted by group, as answers show them.
std::span<const Setting> settings_table();
/// nullptr if there is none.
const Setting* find_setting(std::string_view key);

}  // namespace vz::node
