#include "engine/api/security_change.h"

#include <utility>

#include "engine/runtime/wall_clock.h"

namespace vz::api {
namespace {

/// A revoked key's downloads and connections end, and so do those of a blocked address. A key that
/// has ended by its time is left to the next request.
void close_refused(Service& service, std::uint64_t but) {
  net::HttpServer* http = service.http.load();
  if (http == nullptr) return;
  const auto state = service.security->load();
  const std::int64_t now_us = runtime::unix_time_us();
  http->close_connections([state, now_us, but](const net::ConnectionFacts& connection) {
    if (connection.id == but) return false;
    if (!connection.principal.empty()) {
      const auto key = state->find(connection.principal);
      if (key == nullptr || key->expired(now_us)) return true;
    }
    const auto address = security::parse_peer_address(connection.peer_address);
    return address && state->ip_rules.blocks(*address, now_us);
  });
}

struct Detail {
  std::string operator()(const security::CreateKey& one) const {
    return "key=" + one.key.id + " name=" + one.key.name;
  }
  std::string operator()(const security::RotateKey& one) const {
    return "key=" + one.id + " fresh=" + one.fresh_id;
  }
  std::string operator()(const security::RevokeKey& one) const { return "key=" + one.id; }
  std::string operator()(const security::BlockIps& one) const { return list(one.ranges); }
  std::string operator()(const security::UnblockIps& one) const { return list(one.ranges); }

 private:
  static std::string list(const std::vector<security::Cidr>& ranges) {
    std::string out = "ips=";
    for (const security::Cidr& range : ranges) {
      if (out.back() != '=') out += ',';
      out += security::to_text(range);
    }
    return out;
  }
};

}  // namespace

void change_security(
    std::shared_ptr<Call> call, security::Request request,
    std::function<ChangeAnswer(const security::State& state, bool changed)> make_answer) {
  Service& service = call->service();
  call->tell_audit(std::visit(Detail{}, request));
  // It waits for the log: not on the io thread.
  Call::offload(
      call, service.security_pool,
      [call, &service, request = std::move(request), make_answer = std::move(make_answer)] {
        const auto outcome = call->node().change_security(request);
        // Also after an error: the change may be in force, and then it is to be seen.
        close_refused(service, call->head().connection_id);
        if (!outcome) return call->answer_error(outcome.error());
        ChangeAnswer answer = make_answer(*service.security->load(), outcome->changed);
        net::Response response;
        response.status = answer.status;
        response.body = std::move(answer.json);
        response.headers.emplace_back("X-Vectorizer-Lsn", std::to_string(outcome->lsn));
        response.headers.emplace_back("Cache-Control", "no-store");  // It may hold a secret.
        call->answer_response(std::move(response));
      });
}

}  // namespace vz::api
