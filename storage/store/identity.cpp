// The FORMAT file.
#include <charconv>
#include <cstdio>

#include "storage/base/crc32c.h"
#include "storage/store/store.h"

namespace vz::store {
namespace {

constexpr std::uint64_t kFormatBytesMax = 4096;
constexpr std::string_view kHead = "{\"format\":";
constexpr std::string_view kChecksumKey = ",\"crc32c\":\"";
constexpr std::size_t kTailSize = kChecksumKey.size() + 8 + 3;  // ,"crc32c":"xxxxxxxx"}\n

std::string with_checksum(std::string text) {
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32c(as_bytes(text)));
  return text.append(kChecksumKey).append(checksum).append("\"}\n");
}

/// The text between `key` and the next quote; empty if it is not there.
std::string_view value_of(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

bool is_uuid(std::string_view text) {
  const auto id = PointId::parse_uuid(text);
  return id && id->to_string() == text;
}

tl::unexpected<Error> corrupt(std::size_t offset, std::string what) {
  return fail(ErrorCode::kCorruption, "offset " + std::to_string(offset) + ": " + std::move(what));
}

}  // namespace

std::string encode_identity(const Identity& identity) {
  std::string text(kHead);
  text.append(std::to_string(identity.format));
  text.append(",\"cluster_id\":\"").append(identity.cluster_id);
  text.append("\",\"node_id\":\"").append(identity.node_id).append("\"");
  return with_checksum(std::move(text));
}

Result<Identity> decode_identity(std::string_view text) {
  if (text.size() <= kHead.size() + kTailSize || !text.starts_with(kHead)) {
    return corrupt(0, "a line beginning with " + std::string(kHead) + " expected");
  }
  const std::string_view body = text.substr(0, text.size() - kTailSize);
  if (const std::string expected = with_checksum(std::string(body)); text != expected) {
    return corrupt(body.size(),
                   "the checksum " + expected.substr(body.size(), kTailSize - 1) + " expected");
  }
  // The checksum is right, so this is what some version of the program wrote.
  Identity identity;
  const std::string_view digits = body.substr(kHead.size());
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), identity.format);
  if (parsed.ec != std::errc()) return corrupt(kHead.size(), "a format number expected");
  if (identity.format > kFormatNewest) {
    return fail(ErrorCode::kIncompatible,
                "format " + std::to_string(identity.format) + " is newer than this program's " +
                    std::to_string(kFormatNewest) + ": use a newer vectorizerctl");
  }
  identity.cluster_id = value_of(body, "\"cluster_id\":\"");
  identity.node_id = value_of(body, "\"node_id\":\"");
  const bool sound = identity.format > 0 && is_uuid(identity.cluster_id) &&
                     is_uuid(identity.node_id) && encode_identity(identity) == text;
  if (!sound) return corrupt(kHead.size(), "a format number and two UUIDs expected");
  return identity;
}

Result<Identity> read_identity(Env& env, const Paths& paths) {
  auto bytes = read_file(env, paths.format(), kFormatBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kTooLarge) {
    return fail(ErrorCode::kCorruption, std::move(bytes).error().message);
  }
  if (!bytes) return tl::unexpected<Error>(std::move(bytes).error());
  auto identity = decode_identity(as_text(*bytes));
  if (!identity) return while_doing(std::move(identity).error(), paths.format());
  return identity;
}

}  // namespace vz::store
