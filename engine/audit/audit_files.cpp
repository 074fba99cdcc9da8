#include "engine/audit/audit_files.h"

#include <charconv>
#include <cstdio>

namespace vz::audit {
namespace {

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::uint64_t kHeadBytesMax = 4096;

std::string file_name(std::uint64_t first_seq) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(first_seq));
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

std::optional<std::uint64_t> parse_file_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc() || file_name(number) != name) return std::nullopt;
  return number;
}

}  // namespace

std::string file_path(const std::string& directory, std::uint64_t first_seq) {
  return directory + "/" + file_name(first_seq);
}

Result<std::vector<LogFile>> list_files(Env& env, const std::string& directory) {
  std::vector<LogFile> files;
  const auto entries = env.list(directory);
  if (!entries && entries.error().code == ErrorCode::kNotFound) return files;
  VZ_TRY(entries);
  for (const DirectoryEntry& entry : *entries) {
    const auto first = parse_file_name(entry.name);
    if (first && entry.type == FileType::kRegular)
      files.push_back({directory + "/" + entry.name, *first});
  }
  return files;  // By name, so by number.
}

Result<WrittenHead> read_head(Env& env, const std::string& directory) {
  const auto bytes = read_file(env, directory + "/" + std::string(kHeadName), kHeadBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return WrittenHead{};
  if (!bytes && bytes.error().code == ErrorCode::kTooLarge) return WrittenHead{true, {}};
  VZ_TRY(bytes);
  WrittenHead out{true, {}};
  if (auto head = decode_head(as_text(*bytes))) out.head = *head;
  return out;
}

}  // namespace vz::audit
