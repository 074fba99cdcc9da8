#include "cli/commands/limit_rate.h"

#include "tools/offline/quantities.h"

namespace vz::cli {

Result<std::uint64_t> parse_limit_rate(std::string_view text) {
  const auto rate =
      offline::parse_bytes(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
  if (rate) return rate;
  return while_doing(rate.error(), "--limit-rate, a second");
}

}  // namespace vz::cli
