// GET /admin/audit and POST /admin/audit/verify.
#include <charconv>

#include "engine/api/call.h"
#include "engine/api/cold_body.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/payload/datetime.h"

namespace vz::api {
namespace {

constexpr std::size_t kPageDefault = 100;

tl::unexpected<Error> wrong(std::string_view name, const std::string& expected) {
  return fail(ErrorCode::kInvalidArgument,
              std::string(kParameterPrefix) + std::string(name) + ": expected " + expected);
}

/// Unix microseconds; 0 if it was not given.
Result<std::int64_t> read_time(const net::RequestHead& head, std::string_view name) {
  const auto text = head.parameter(name);
  if (!text) return 0;
  const auto time = payload::parse_datetime(*text);
  if (!time) return wrong(name, "a time such as 2026-12-01T13:00:00Z");
  return *time;
}

Result<audit::Query> read_query(const net::RequestHead& head) {
  audit::Query query;
  query.limit = kPageDefault;
  for (const auto& [name, value] : head.query) {
    if (name == "actor") query.actor = value;
    if (name == "action") query.action = value;
    if (name == "result") query.result = value;
    const bool known = name == "actor" || name == "action" || name == "result" || name == "since" ||
                       name == "until" || name == "limit";
    if (!known) return wrong(name, "one of since, until, actor, action, result, limit");
  }
  if (!query.result.empty() && query.result != "ok" && query.result != "refused" &&
      query.result != "failed")
    return wrong("result", "ok, refused or failed");
  VZ_TRY_ASSIGN(query.since_us, read_time(head, "since"));
  VZ_TRY_ASSIGN(query.until_us, read_time(head, "until"));
  if (const auto text = head.parameter("limit")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), query.limit);
    if (error != std::errc() || end != text->data() + text->size() || query.limit < 1 ||
        query.limit > limits::kAuditPageMax)
      return wrong("limit", "a number from 1 to " + std::to_string(limits::kAuditPageMax));
  }
  return query;
}

void append_head(std::string& out, const audit::Head& head) {
  out += "{\"first_seq\":";
  append_number(out, head.first_seq);
  out += ",\"seq\":";
  append_number(out, head.seq);
  out += ",\"hash\":";
  append_string(out, to_hex(head.hash));
  out += '}';
}

std::string verdict_json(const audit::Verdict& verdict) {
  std::string out = verdict.sound() ? "{\"sound\":true" : "{\"sound\":false";
  out += ",\"files\":";
  append_number(out, verdict.files);
  out += ",\"lines\":";
  append_number(out, verdict.lines);
  out += ",\"head\":";
  append_head(out, verdict.head);
  out += ",\"problems\":[";
  for (const audit::Problem& problem : verdict.problems) {
    if (out.back() != '[') out += ',';
    out += "{\"file\":";
    append_string(out, problem.file);
    out += ",\"line\":";
    append_number(out, problem.line);
    out += ",\"what\":";
    append_string(out, problem.what);
    out += '}';
  }
  out += "]}";
  return out;
}

Error no_trail() {
  return {ErrorCode::kUnavailable, "this node keeps no audit log"};
}

}  // namespace

void list_audit(std::shared_ptr<Call> call) {
  const auto query = read_query(call->head());
  if (!query) return call->answer_error(query.error());
  Call::offload(call, [call, query = *query] {
    audit::Trail* trail = call->service().trail;
    if (trail == nullptr) return call->answer_error(no_trail());
    const auto lines = trail->read(query);
    if (!lines) return call->answer_error(lines.error());
    std::string out = "{\"head\":";
    append_head(out, trail->head());
    out += ",\"events\":[";
    for (const std::string& line : *lines) {  // Each is JSON, checked when it was read.
      if (out.back() != '[') out += ',';
      out += line;
    }
    out += "]}";
    call->answer(std::move(out));
  });
}

void verify_audit(std::shared_ptr<Call> call) {
  Call::offload(call, [call] {
    audit::Trail* trail = call->service().trail;
    if (trail == nullptr) return call->answer_error(no_trail());
    const auto verdict = trail->verify();
    if (!verdict) return call->answer_error(verdict.error());
    call->answer(verdict_json(*verdict));
  });
}

}  // namespace vz::api
