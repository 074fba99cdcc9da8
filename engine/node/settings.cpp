#include "engine/node/settings.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "engine/node/bounded_json.h"
#include "engine/node/settings_table.h"

namespace vz::node {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t kQuotedBytesMax = 64;

tl::unexpected<Error> wrong(std::string_view key, const std::string& wanted) {
  return fail(ErrorCode::kInvalidArgument, std::string(key) + ": " + wanted);
}

std::string allowed_words(const Setting& setting) {
  std::string text(setting.words.substr(1, setting.words.size() - 2));
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 4)
    text.replace(at, 1, " or ");
  return text;
}

Result<SettingValue> decode_word(const Setting& setting, const json& value) {
  const std::string word = value.is_string() ? value.get<std::string>() : "";
  if (word.empty() || word.find('|') != std::string::npos ||
      setting.words.find("|" + word + "|") == std::string_view::npos)
    return wrong(setting.key, "expected " + allowed_words(setting));
  return SettingValue(word);
}

Result<SettingValue> decode_number(const Setting& setting, const json& value) {
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
  const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || number < setting.min || number > setting.max)
    return wrong(setting.key, "expected an integer from " + std::to_string(setting.min) + " to " +
                                  std::to_string(setting.max));
  return SettingValue(number);
}

Result<SettingValue> decode_value(const Setting& setting, const json& value) {
  switch (setting.kind) {
    case SettingKind::kWord:
      return decode_word(setting, value);
    case SettingKind::kFlag:
      if (!value.is_boolean()) return wrong(setting.key, "expected true or false");
      return SettingValue(value.get<bool>());
    case SettingKind::kNumber:
      break;
  }
  return decode_number(setting, value);
}

/// `path` is a group, such as "storage.".
bool is_group(const std::string& path) {
  return std::any_of(settings_table().begin(), settings_table().end(),
                     [&](const Setting& setting) { return setting.key.starts_with(path); });
}

Status decode_group(const json& group, const std::string& path, SettingsPatch& patch) {
  for (const auto& [name, value] : group.items()) {
    const std::string key = path + name;
    const Setting* setting = find_setting(key);
    const bool group_of_settings = setting == nullptr && is_group(key + ".");
    if (setting == nullptr && !group_of_settings)
      return fail(ErrorCode::kInvalidArgument,
                  "unknown key '" + key.substr(0, kQuotedBytesMax) +
                      "'; GET /admin/config lists what can be set at run time");
    if (value.is_null()) {
      for (const Setting& one : settings_table())
        if (one.key == key || one.key.starts_with(key + ".")) patch[std::string(one.key)] = {};
      continue;
    }
    if (group_of_settings) {
      if (!value.is_object()) return wrong(key, "expected an object");
      VZ_TRY(decode_group(value, key + ".", patch));
      continue;
    }
    VZ_TRY_ASSIGN(patch[key], decode_value(*setting, value));
  }
  return {};
}

json to_json(const SettingValue& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

/// Puts `value` at a dotted key, making the groups on the way.
void put(json& object, std::string_view key, json value) {
  json* at = &object;
  for (std::size_t dot; (dot = key.find('.')) != std::string_view::npos; key.remove_prefix(dot + 1))
    at = &(*at)[std::string(key.substr(0, dot))];
  (*at)[std::string(key)] = std::move(value);
}

}  // namespace

Result<SettingsPatch> decode_settings(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return SettingsPatch{};
  const auto object = parse_bounded(text);
  if (!object) return fail(ErrorCode::kInvalidArgument, "expected JSON");
  if (!object->is_object()) return fail(ErrorCode::kInvalidArgument, "expected a JSON object");
  SettingsPatch patch;
  VZ_TRY(decode_group(*object, "", patch));
  return patch;
}

Settings patched(Settings base, const SettingsPatch& patch) {
  for (const auto& [key, value] : patch)
    if (value) find_setting(key)->set(base, *value);
  return base;
}

LiveSettings::LiveSettings(Env& env, const std::string& data_dir, const Settings& start)
    : env_(env),
      path_(data_dir + "/config.json"),
      start_(start),
      current_(std::make_shared<const Settings>(start)) {}

void LiveSettings::put_in_force() {
  const auto next = std::make_shared<const Settings>(patched(start_, set_));
  current_.store(next);
  for (const auto& apply : apply_) apply(*next);
}

void LiveSettings::on_change(std::function<void(const Settings&)> apply) {
  MutexLock lock(mutex_);
  apply(*current_.load());
  apply_.push_back(std::move(apply));
}

Status LiveSettings::open() {
  if (!env_.exists(path_)) return {};
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env_, path_, limits::kSettingsBytesMax));
  auto patch = decode_settings({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!patch)
    return fail(ErrorCode::kCorruption,
                path_ + ": " + patch.error().message +
                    "; mend the file, or move it away to start with the defaults");
  MutexLock lock(mutex_);
  set_ = *std::move(patch);
  std::erase_if(set_, [](const auto& setting) { return !setting.second; });
  put_in_force();
  return {};
}

Status LiveSettings::change(const SettingsPatch& patch) {
  MutexLock lock(mutex_);
  SettingsPatch next = set_;
  for (const auto& [key, value] : patch) next[key] = value;
  std::erase_if(next, [](const auto& setting) { return !setting.second; });
  json file = json::object();
  for (const auto& [key, value] : next) put(file, key, to_json(*value));
  VZ_TRY(publish_file(env_, path_, as_bytes(file.dump(2) + "\n")));
  set_ = std::move(next);
  put_in_force();
  return {};
}

std::string LiveSettings::describe() const {
  MutexLock lock(mutex_);
  const Settings now = *current_.load();
  const Settings defaults;
  json out = json::object();
  json origins = json::object();
  for (const Setting& setting : settings_table()) {
    put(out, setting.key, to_json(setting.get(now)));
    const bool at_start = setting.get(start_) != setting.get(defaults);
    origins[std::string(setting.key)] = set_.contains(std::string(setting.key)) ? "runtime"
                                        : at_start                              ? "start"
                                                                                : "default";
  }
  out["origins"] = std::move(origins);
  return out.dump(2) + "\n";
}

}  // namespace vz::node
