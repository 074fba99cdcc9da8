#include "engine/audit/audit_event.h"

#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "storage/base/bytes.h"
#include "storage/base/hex.h"
#include "storage/base/utc.h"

namespace vz::audit {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kHexBytes = 64;

std::string bounded(const std::string& text) {
  return text.substr(0, limits::kAuditTextBytesMax);
}

/// Bytes that are no UTF-8 become U+FFFD, control characters escapes: a line stays a line.
std::string dumped(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Sha256Digest sha256_of(std::string_view text) {
  Sha256 hash;
  hash.update(as_bytes(text));
  return hash.finish();
}

tl::unexpected<Error> corrupt(const std::string& what) {
  return fail(ErrorCode::kCorruption, what);
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

std::string encode(const Event& event, const Head& before, Head& after) {
  const ordered_json json = {{"seq", before.seq + 1},
                             {"time", rfc3339(event.time_us)},
                             {"actor", bounded(event.actor)},
                             {"ip", bounded(event.ip)},
                             {"action", bounded(event.action)},
                             {"target", bounded(event.target)},
                             {"detail", bounded(event.detail)},
                             {"result", outcome_name(event.outcome)},
                             {"status", event.status},
                             {"request_id", bounded(event.request_id)},
                             {"count", event.count},
                             {"prev", to_hex(before.hash)}};
  std::string line = dumped(json);
  line.pop_back();  // The brace.
  after = {.first_seq = before.first_seq, .seq = before.seq + 1, .hash = sha256_of(line)};
  line += kHashKey;
  line += to_hex(after.hash);
  line += kEnd;
  return line;
}

Result<Link> decode_link(std::string_view line) {
  const std::size_t tail = kHashKey.size() + kHexBytes + kEnd.size();
  if (line.size() <= tail || !line.ends_with(kEnd)) return corrupt("it is not a line of this log");
  const std::string_view body = line.substr(0, line.size() - tail);
  const std::string_view rest = line.substr(body.size());
  const std::string_view hex = rest.substr(kHashKey.size(), kHexBytes);
  Link link;
  link.hash = sha256_of(body);
  // Compared as text: there is one way to write a hash.
  if (!rest.starts_with(kHashKey) || hex != to_hex(link.hash)) return corrupt("its hash is wrong");
  const auto json = ordered_json::parse(std::string(body) + "}", nullptr, false);
  const auto seq = json.is_object() ? json.find("seq") : json.end();
  const auto prev = json.is_object() ? json.find("prev") : json.end();
  if (seq == json.end() || prev == json.end() || !seq->is_number_unsigned() || !prev->is_string())
    return corrupt("it has no seq or no prev");
  const auto digest = parse_sha256(prev->get<std::string>());
  if (!digest) return corrupt("its prev is no hash");
  link.seq = seq->get<std::uint64_t>();
  link.prev = *digest;
  return link;
}

std::string encode_head(const Head& head) {
  return dumped({{"first_seq", head.first_seq}, {"seq", head.seq}, {"hash", to_hex(head.hash)}}) +
         "\n";
}

Result<Head> decode_head(std::string_view text) {
  const auto json = ordered_json::parse(text, nullptr, false);
  const auto number = [&](const char* key) -> std::optional<std::uint64_t> {
    const auto found = json.is_object() ? json.find(key) : json.end();
    if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
  };
  const auto first = number("first_seq");
  const auto seq = number("seq");
  const auto hash = first && seq && json.contains("hash") && json["hash"].is_string()
                        ? parse_sha256(json["hash"].get<std::string>())
                        : std::nullopt;
  if (!hash) return corrupt("first_seq, seq and hash expected");
  const Head head{.first_seq = *first, .seq = *seq, .hash = *hash};
  if (encode_head(head) != text) return corrupt("it is not as it was written");
  return head;
}

}  // namespace vz::audit
