#include "tools/drive/url.h"

namespace vz::drive {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string path_part(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  // Plain they would lead to another place; escaped the node sees and refuses them.
  const bool dots = text == "." || text == "..";
  std::string part;
  for (const char c : text) {
    if (is_unreserved(c) && !dots) {
      part += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    part += '%';
    part += kHex[byte >> 4];
    part += kHex[byte & 15];
  }
  return part;
}

}  // namespace vz::drive
