#include "engine/security/scope.h"

#include <array>

namespace vz::security {
namespace {

constexpr std::array kKeyScopes{Scope::kMetrics,  Scope::kRead,      Scope::kWrite,
                                Scope::kSnapshot, Scope::kReplicate, Scope::kAdmin};

}  // namespace

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::kPublic:
      return "public";
    case Scope::kMetrics:
      return "metrics";
    case Scope::kRead:
      return "read";
    case Scope::kWrite:
      return "write";
    case Scope::kSnapshot:
      return "snapshot";
    case Scope::kReplicate:
      return "replicate";
    case Scope::kAdmin:
      return "admin";
  }
  return "admin";
}

std::span<const Scope> key_scopes() {
  return kKeyScopes;
}

std::optional<Scope> parse_key_scope(std::string_view name) {
  for (const Scope scope : kKeyScopes)
    if (name == scope_name(scope)) return scope;
  return std::nullopt;
}

}  // namespace vz::security
