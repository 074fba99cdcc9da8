#include "engine/api/call.h"

#include "engine/api/audit_events.h"
#include "engine/api/json_text.h"
#include "engine/limits.h"
#include "engine/runtime/wall_clock.h"

namespace vz::api {

void Call::note_if_slow(int status, std::chrono::nanoseconds took) const {
  if (!facts_ || !service_.slow_queries.is_slow(took)) return;
  service_.slow_queries.add(
      {.time_us = runtime::unix_time_us(),
       .collection = argument(0),
       .facts = *facts_,
       .took_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count(),
       .status = status,
       .request_id = head().request_id});
}

void Call::send(net::Response response) {
  const auto took = std::chrono::steady_clock::now() - started_;
  service_.numbers.count(route(), response.status, took);
  note_if_slow(response.status, took);
  if (service_.trail == nullptr || !is_audited(route())) return respond_(std::move(response));
  audit::Event event = audit_event(service_, head(), &route(), response.status);
  event.detail = std::move(audit_detail_);
  service_.trail->record(std::move(event),
                         [respond = std::move(respond_), response = std::move(response)]() mutable {
                           respond(std::move(response));
                         });
}

double Call::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

Error Call::no_such_collection(std::string_view name) const {
  const std::string quoted(name.substr(0, limits::kNameBytesMax));
  if (envelope() == Envelope::kQdrant)
    return {ErrorCode::kNotFound, "Collection `" + quoted + "` doesn't exist!"};
  return {ErrorCode::kNotFound, "collection '" + quoted + "' does not exist"};
}

Result<std::shared_ptr<const collection::Reader>> Call::collection() const {
  auto found = node().find(argument(0));
  if (found == nullptr) return tl::unexpected<Error>(no_such_collection(argument(0)));
  return found;
}

void Call::offload(const std::shared_ptr<Call>& call, runtime::ThreadPool* pool,
                   std::function<void()> work) {
  if (pool == nullptr) return work();
  if (Status taken = pool->submit(std::move(work)); !taken) call->answer_error(taken.error());
}

std::string Call::enveloped(std::string result) const {
  if (envelope() == Envelope::kNative) return result;
  std::string tail = ",\"status\":\"ok\",\"time\":";
  append_number(tail, seconds());
  tail += '}';
  constexpr std::string_view kHead = "{\"result\":";
  std::string out;
  out.reserve(kHead.size() + result.size() + tail.size());
  out += kHead;
  out += result;
  out += tail;
  return out;
}

void Call::answer(std::string result) {
  answer_json(200, enveloped(std::move(result)));
}

void Call::answer_write(std::string result, Lsn lsn) {
  net::Response response;
  response.body = enveloped(std::move(result));
  response.headers.emplace_back("X-Vectorizer-Lsn", std::to_string(lsn));
  send(std::move(response));
}

void Call::answer_error(const Error& error) {
  send(error_response(error, envelope(), head().request_id, seconds()));
}

void Call::answer_result(Result<std::string> result) {
  if (result) {
    answer(*std::move(result));
  } else {
    answer_error(result.error());
  }
}

void Call::answer_text(int status, std::string text, std::string_view content_type) {
  net::Response response;
  response.status = status;
  response.content_type = content_type;
  response.body = std::move(text);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  send(std::move(response));
}

void Call::answer_accepted() {
  std::string out = "{\"status\":\"accepted\",\"time\":";
  append_number(out, seconds());
  out += '}';
  answer_json(202, std::move(out));
}

void Call::answer_json(int status, std::string json) {
  net::Response response;
  response.status = status;
  response.body = std::move(json);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  send(std::move(response));
}

}  // namespace vz::api
