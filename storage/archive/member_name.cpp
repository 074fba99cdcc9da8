#include "storage/archive/member_name.h"

#include <charconv>

#include "storage/base/ids.h"
#include "storage/store/store.h"

namespace vz::archive {
namespace {

constexpr std::string_view kCollections = "collections";
constexpr std::size_t kShownBytesMax = 200;

tl::unexpected<Error> refused(std::string_view path, std::string_view why) {
  return fail(ErrorCode::kCorruption,
              "member \"" + printable_name(path) + "\" is refused: " + std::string(why));
}

bool is_collection_id(std::string_view text) {
  CollectionId id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  return parsed.ec == std::errc() && id > 0 && std::to_string(id) == text;
}

bool climbs(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

}  // namespace

std::string printable_name(std::string_view name) {
  std::string out(name.substr(0, kShownBytesMax));
  for (char& letter : out) {
    if (letter < 0x20 || letter == 0x7f) letter = '?';
  }
  return out;
}

Result<MemberKind> member_kind(std::string_view path) {
  if (path == kRestoreName) return MemberKind::kRestore;
  if (path.empty()) return refused(path, "it has no name");
  if (path.front() == '/') return refused(path, "its path is absolute");
  if (climbs(path)) return refused(path, "its path leads out of the directory");
  std::string_view rest = path;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest == kCollections) return MemberKind::kDirectory;
  constexpr std::string_view kWhy = "a snapshot holds RESTORE and collections/<id>/<file> only";
  if (!rest.starts_with(kCollections) || rest[kCollections.size()] != '/') {
    return refused(path, kWhy);
  }
  rest.remove_prefix(kCollections.size() + 1);
  const std::size_t slash = rest.find('/');
  if (!is_collection_id(rest.substr(0, slash))) return refused(path, kWhy);
  if (slash == std::string_view::npos) return MemberKind::kDirectory;
  if (path.ends_with('/') || !store::parse_data_file_name(rest.substr(slash + 1))) {
    return refused(path, kWhy);
  }
  return MemberKind::kData;
}

}  // namespace vz::archive
