// What a caller may do, as words of API keys and of the route table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vz::security {

enum class Scope : std::uint8_t { kPublic, kMetrics, kRead, kWrite, kSnapshot, kReplicate, kAdmin };

std::string_view scope_name(Scope scope);
/// Those that a key may have, in their order: all but public.
std::span<const Scope> key_scopes();
/// nullopt for any other text, "public" included: nobody needs a key for that.
std::optional<Scope> parse_key_scope(std::string_view name);

/// Scopes of one key.
class ScopeSet {
 public:
  constexpr void add(Scope scope) { bits_ |= bit(scope); }
  /// As granted, without what one scope implies of another.
  [[nodiscard]] constexpr bool contains(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// Whether they let a caller do what needs `needed`: admin implies all, write implies read.
  [[nodiscard]] constexpr bool allow(Scope needed) const {
    if (needed == Scope::kPublic) return true;
    if (contains(Scope::kAdmin) || contains(needed)) return true;
    return needed == Scope::kRead && contains(Scope::kWrite);
  }
  friend bool operator==(const ScopeSet&, const ScopeSet&) = default;

 private:
  static constexpr std::uint8_t bit(Scope scope) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(scope));
  }
  std::uint8_t bits_ = 0;
};

}  // namespace vz::security
