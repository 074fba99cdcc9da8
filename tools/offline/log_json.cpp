// A record of the log as a line of JSON.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "engine/security/security_json.h"
#include "storage/format/catalog_record.h"
#include "storage/format/points_record.h"
#include "tools/offline/log_contents.h"

namespace vz::offline {
namespace {

using format::WalRecordKind;
using nlohmann::ordered_json;
using Part = DumpOptions::Part;

ordered_json json_of(const PointId& id) {
  return id.is_number() ? ordered_json(id.low) : ordered_json(id.to_string());
}

ordered_json json_of(const std::vector<PointId>& ids) {
  ordered_json out = ordered_json::array();
  for (const PointId& id : ids) out.push_back(json_of(id));
  return out;
}

/// The digits that name this float32 and no other.
ordered_json json_of(float value) {
  if (!std::isfinite(value)) return {};
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

/// `bytes` may be unaligned.
template <typename T>
ordered_json json_of_numbers(ByteSpan bytes) {
  ordered_json out = ordered_json::array();
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    if constexpr (std::is_same_v<T, float>) {
      out.push_back(json_of(value));
    } else {
      out.push_back(value);
    }
  }
  return out;
}

/// A stored text that should be JSON; as a string if it is not, or is nested deeper than any that a
/// node takes.
ordered_json json_of_text(std::string_view text) {
  bool too_deep = false;
  const auto bounded = [&](int depth, ordered_json::parse_event_t, ordered_json&) {
    too_deep = too_deep || depth > static_cast<int>(limits::kJsonDepthMax) + 1;
    return !too_deep;
  };
  auto parsed = ordered_json::parse(text, bounded, false);
  return too_deep || parsed.is_discarded() ? ordered_json(text) : parsed;
}

class Operation {
 public:
  explicit Operation(const DumpOptions& options) : options_(options) {}

  ordered_json operator()(const format::PutRows& put) const { return rows("put_rows", put.rows); }
  ordered_json operator()(const format::PutVectors& put) const {
    return rows("put_vectors", put.rows);
  }
  ordered_json operator()(const format::DeleteRows& remove) const {
    return ids("delete_rows", remove.ids);
  }
  ordered_json operator()(const format::SetPayload& set) const {
    ordered_json out = ids("set_payload", set.ids);
    if (set.has_key) out["key"] = set.key;
    if (options_.payloads == Part::kShown) out["payload"] = json_of_text(set.patch);
    return out;
  }
  ordered_json operator()(const format::ReplacePayload& replace) const {
    ordered_json out = ids("replace_payload", replace.ids);
    if (options_.payloads == Part::kShown) out["payload"] = json_of_text(replace.payload);
    return out;
  }
  ordered_json operator()(const format::DeleteKeys& remove) const {
    ordered_json out = ids("delete_keys", remove.ids);
    out["keys"] = remove.keys;
    return out;
  }
  ordered_json operator()(const format::DeleteVectors& remove) const {
    ordered_json out = ids("delete_vectors", remove.ids);
    out["columns"] = remove.columns;
    return out;
  }

 private:
  static ordered_json ids(std::string_view name, const std::vector<PointId>& ids) {
    return {{"operation", name}, {"count", ids.size()}, {"ids", json_of(ids)}};
  }

  [[nodiscard]] ordered_json rows(std::string_view name,
                                  const std::vector<format::LoggedRow>& rows) const {
    std::vector<PointId> all;
    for (const auto& row : rows) all.push_back(row.id);
    ordered_json out = ids(name, all);
    if (options_.vectors == Part::kLeftOut && options_.payloads == Part::kLeftOut) return out;
    ordered_json& list = out["rows"] = ordered_json::array();
    for (const auto& row : rows) {
      ordered_json one = {{"id", json_of(row.id)}};
      if (options_.vectors == Part::kShown) one["vectors"] = vectors(row.vectors);
      if (options_.payloads == Part::kShown) one["payload"] = json_of_text(row.payload);
      list.push_back(std::move(one));
    }
    return out;
  }

  static ordered_json vectors(const std::vector<format::LoggedVector>& vectors) {
    ordered_json out = ordered_json::array();
    for (const auto& vector : vectors) {
      ordered_json one = {{"column", vector.column}};
      if (!vector.indices.empty()) one["indices"] = json_of_numbers<std::uint32_t>(vector.indices);
      one["values"] = json_of_numbers<float>(vector.values);
      out.push_back(std::move(one));
    }
    return out;
  }

  const DumpOptions& options_;
};

/// A hash would let who reads the dump recognise a key.
ordered_json without_hashes(ordered_json change) {
  if (const auto keys = change.find("keys"); keys != change.end())
    for (ordered_json& key : *keys) key["secret_sha256"] = "redacted";
  return change;
}

/// Adds what the kind holds. Errors: kCorruption.
Status add_content(const format::WalRecord& record, const DumpOptions& options, ordered_json& out) {
  switch (record.kind) {
    case WalRecordKind::kCreateCollection: {
      VZ_TRY_ASSIGN(const auto create, format::decode_create_collection(record.payload));
      out["name"] = create.name;
      out["definition"] = json_of_text(create.definition);
      return {};
    }
    case WalRecordKind::kDefineCollection: {
      VZ_TRY_ASSIGN(const auto define, format::decode_define_collection(record.payload));
      out["definition"] = json_of_text(define.definition);
      return {};
    }
    case WalRecordKind::kAliases: {
      VZ_TRY_ASSIGN(const auto aliases, format::decode_aliases(record.payload));
      ordered_json& changes = out["changes"] = ordered_json::array();
      for (const auto& change : aliases.changes) {
        changes.push_back(
            {{"alias", change.name},
             {"collection",
              change.collection == 0 ? ordered_json() : ordered_json(change.collection)}});
      }
      return {};
    }
    case WalRecordKind::kPoints: {
      VZ_TRY_ASSIGN(const auto operations, format::decode_points(record.payload));
      ordered_json& list = out["operations"] = ordered_json::array();
      for (const auto& operation : operations)
        list.push_back(std::visit(Operation(options), operation));
      return {};
    }
    case WalRecordKind::kReplaceCollection: {
      VZ_TRY_ASSIGN(const auto replace, format::decode_replace_collection(record.payload));
      out["name"] = replace.name;
      return {};
    }
    case WalRecordKind::kPutKeys:
    case WalRecordKind::kRevokeKey:
    case WalRecordKind::kPutIpRules:
    case WalRecordKind::kDeleteIpRules: {
      // Decoded first: what is none of them shows nothing that could be a secret's hash.
      VZ_TRY(security::decode_change(record.kind, record.payload));
      out.update(without_hashes(json_of_text(as_text(record.payload))));
      return {};
    }
    case WalRecordKind::kDropCollection:
      return {};
  }
  return {};  // A kind without a case here shows its size only: it may hold a secret.
}

}  // namespace

std::string record_as_json(const format::WalRecord& record, const DumpOptions& options) {
  ordered_json out = {
      {"lsn", record.lsn},
      {"group_lsn", record.group_lsn},
      {"epoch", record.epoch},
      {"time_us", record.time_us},
      {"kind", log_kind_name(record.kind)},
      {"collection", record.collection == 0 ? ordered_json() : ordered_json(record.collection)},
      {"bytes", format::wal_record_size(record.payload.size())}};
  if (const Status added = add_content(record, options, out); !added)
    out["error"] = added.error().message;
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace vz::offline
