// GET /admin/slow-queries: the newest slow reads.
#include <charconv>

#include "engine/api/call.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/status_map.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

Result<std::size_t> read_limit(const net::RequestHead& head) {
  const auto text = head.parameter("limit");
  if (!text) return limits::kSlowQueriesKept;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc() || end != text->data() + text->size() || limit < 1 ||
      limit > limits::kSlowQueriesKept)
    return fail(ErrorCode::kInvalidArgument, std::string(kParameterPrefix) +
                                                 "limit: expected a number from 1 to " +
                                                 std::to_string(limits::kSlowQueriesKept));
  return limit;
}

void append_query(std::string& out, const SlowQuery& query) {
  const auto flag = [&](std::string_view name, bool value) {
    out += ",\"";
    out += name;
    out += value ? "\":true" : "\":false";
  };
  const auto number = [&](std::string_view name, auto value) {
    out += ",\"";
    out += name;
    out += "\":";
    append_number(out, value);
  };
  out += "{\"time\":";
  append_string(out, rfc3339(query.time_us));
  out += ",\"collection\":";
  append_string(out, query.collection);
  out += ",\"op\":";
  append_string(out, query.facts.op);
  number("duration_ms", static_cast<double>(query.took_us) / 1'000);
  number("status", query.status);
  number("searches", query.facts.searches);
  number("limit", query.facts.limit);
  number("ef", query.facts.ef);
  flag("exact", query.facts.exact);
  flag("filter", query.facts.filter);
  flag("cached", query.facts.cached);
  number("rows", query.facts.rows);
  out += ",\"request_id\":";
  append_string(out, query.request_id);
  out += '}';
}

}  // namespace

void list_slow_queries(std::shared_ptr<Call> call) {
  const auto limit = read_limit(call->head());
  if (!limit) return call->answer_error(limit.error());
  const SlowQueries& slow = call->service().slow_queries;
  const SlowQueries::Kept kept = slow.newest(*limit);
  std::string out = "{\"threshold_ms\":";
  append_number(out, slow.threshold_ms());
  out += ",\"total\":";
  append_number(out, kept.total);
  out += ",\"log_lines_missing\":";
  append_number(out, kept.lines_missing);
  out += ",\"queries\":[";
  for (std::size_t i = 0; i < kept.queries.size(); ++i) {
    if (i > 0) out += ',';
    append_query(out, kept.queries[i]);
  }
  out += "]}\n";
  call->answer(std::move(out));
}

}  // namespace vz::api
