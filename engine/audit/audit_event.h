// AUDIT LOG: who did what, as JSON lines in a chain of SHA-256.
//
// DATA/log/audit-<seq>.jsonl   the lines from number <seq> (20 digits) on; a new file each 8 MiB
// DATA/log/audit.head          where the chain begins and ends
//
// A line is a JSON object whose keys stand in this order and without spaces:
//   {"seq":7,"time":"2026-12-01T13:00:00.000000Z","actor":"ghkm","ip":"127.0.0.1","action":
//   "POST /admin/compact","target":"/admin/compact?wait=true","detail":"","result":"ok",
//   "status":200,"request_id":"...","count":1,"prev":"<hash of line 6>","hash":"<SHA-256>"}
// `hash` is of every byte of the line before its own key; `prev` of the first line ever is zeros.
// audit.head is {"first_seq":1,"seq":7,"hash":"..."} and a newline, of the oldest line that is kept
// and of the newest; it is written after the line. So after a power cut it may be one line behind,
// and never ahead.
//
// What a chain shows: lines changed, taken out, put in, moved, or cut off at either end, by whoever
// does not write all of it again. It does not show a rewrite by root, who can: for that its head
// has to be kept elsewhere (it is printed each hour).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/sha256.h"
#include "storage/base/status.h"

namespace vz::audit {

enum class Outcome : std::uint8_t { kOk, kRefused, kFailed };
std::string_view outcome_name(Outcome outcome);

/// Texts of more than limits::kAuditTextBytesMax bytes are cut there.
struct Event {
  std::int64_t time_us = 0;  ///< Unix time
  std::string actor{};       ///< id of a key; "loopback", "anyone", "unknown", "node"
  std::string ip{};          ///< of the caller; "" for the node itself
  std::string action{};      ///< method and pattern of the route, or what the node did
  std::string target{};      ///< what it was done to, as the caller said it
  std::string detail{};      ///< what of the body matters, never a secret
  Outcome outcome = Outcome::kOk;
  int status = 0;  ///< of the answer; 0: none
  std::string request_id{};
  std::uint64_t count = 1;  ///< how often, where the same is told once
};

/// Where a chain is.
struct Head {
  std::uint64_t first_seq = 1;  ///< of the oldest line that is kept
  std::uint64_t seq = 0;        ///< of the newest; 0: none yet
  Sha256Digest hash{};          ///< of that
  friend bool operator==(const Head&, const Head&) = default;
};

/// The line of `event` behind `before`, without a newline; `after` becomes the head then.
std::string encode(const Event& event, const Head& before, Head& after);

/// What a line says of its place. Errors: kCorruption: it is no line of ours, or its hash is wrong.
struct Link {
  std::uint64_t seq = 0;
  Sha256Digest prev{};
  Sha256Digest hash{};
};
Result<Link> decode_link(std::string_view line);

/// Bytes of audit.head. Errors of the decoder: kCorruption.
std::string encode_head(const Head& head);
Result<Head> decode_head(std::string_view text);

}  // namespace vz::audit
