#include "tools/offline/quarantine_record.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "storage/base/hex.h"
#include "tools/offline/json_number.h"

namespace vz::offline {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSchema = "vectorizerctl.quarantine.record/1";

/// Errors by exception: nlohmann's, caught in decode_record.
Sha256Digest digest_of(const std::string& hex) {
  const auto digest = parse_sha256(hex);
  if (!digest) throw nlohmann::json::other_error::create(501, "sha256", nullptr);
  return *digest;
}

/// The number of "VZ-1203"; 0 for anything else.
check::FindingId finding_of(std::string_view text) {
  std::uint16_t number = 0;
  constexpr std::string_view kPrefix = "VZ-";
  if (text.starts_with(kPrefix))
    std::from_chars(text.data() + kPrefix.size(), text.data() + text.size(), number);
  return static_cast<check::FindingId>(number);
}

/// A name of ours: it stays where it belongs.
bool is_plain(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

}  // namespace

std::string encode_record(const QuarantineRecord& record) {
  ordered_json out = {{"schema", kSchema}, {"name", record.name},     {"kind", record.kind},
                      {"why", record.why}, {"time_s", record.time_s}, {"tool", record.tool}};
  out["findings"] = ordered_json::array();
  for (const check::FindingId id : record.findings) out["findings"].push_back(check::id_text(id));
  out["collection"] = record.collection;
  out["files"] = ordered_json::array();
  for (const QuarantinedFile& file : record.files) {
    out["files"].push_back({{"name", file.name},
                            {"from", file.from},
                            {"offset", file.offset},
                            {"size_bytes", file.size_bytes},
                            {"sha256", to_hex(file.sha256)},
                            {"unreadable_bytes", file.unreadable_bytes}});
  }
  out["first_lsn"] = record.first_lsn;
  out["last_lsn"] = record.last_lsn;
  out["points_gone_unnamed"] = record.points_gone_unnamed;
  out["points_returned"] = record.points_returned;
  out["points_gone"] = ordered_json::array();
  for (const PointId& id : record.points_gone) {
    if (id.is_number()) {
      out["points_gone"].push_back(id.low);
    } else {
      out["points_gone"].push_back(id.to_string());
    }
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<QuarantineRecord> decode_record(std::string_view text) {
  try {
    const auto in = nlohmann::json::parse(text);
    QuarantineRecord record;
    if (in.at("schema") != kSchema) return fail(ErrorCode::kCorruption, "an unknown schema");
    in.at("name").get_to(record.name);
    in.at("kind").get_to(record.kind);
    in.at("why").get_to(record.why);
    record.time_s = whole_number<std::int64_t>(in.at("time_s"));
    in.at("tool").get_to(record.tool);
    in.at("collection").get_to(record.collection);
    record.first_lsn = whole_number<Lsn>(in.at("first_lsn"));
    record.last_lsn = whole_number<Lsn>(in.at("last_lsn"));
    record.points_gone_unnamed = whole_number<std::uint64_t>(in.at("points_gone_unnamed"));
    record.points_returned = whole_number<std::uint64_t>(in.at("points_returned"));
    for (const auto& id : in.at("findings"))
      record.findings.push_back(finding_of(id.get<std::string>()));
    for (const auto& file : in.at("files")) {
      QuarantinedFile& to = record.files.emplace_back();
      file.at("name").get_to(to.name);
      file.at("from").get_to(to.from);
      to.offset = whole_number<std::uint64_t>(file.at("offset"));
      to.size_bytes = whole_number<std::uint64_t>(file.at("size_bytes"));
      to.unreadable_bytes = whole_number<std::uint64_t>(file.at("unreadable_bytes"));
      to.sha256 = digest_of(file.at("sha256").get<std::string>());
      if (!is_plain(to.name)) return fail(ErrorCode::kCorruption, "a file's name is no name");
    }
    return record;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorruption, error.what());
  }
}

}  // namespace vz::offline
