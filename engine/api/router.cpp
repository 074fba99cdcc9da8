// Matching requests against the table, and the documents made from it.
#include <algorithm>
#include <array>
#include <cctype>

#include "engine/api/json_text.h"
#include "engine/api/route.h"

namespace vz::api {
namespace {

/// Whether `pattern` fits; the segments that fill its braces go to `arguments`.
bool fits(std::string_view pattern, std::span<const std::string> segments,
          std::vector<std::string>& arguments) {
  arguments.clear();
  std::size_t index = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    pattern.remove_prefix(end);
    if (part.empty()) break;  // "/"
    if (index == segments.size()) return false;
    if (part.front() == '{') {
      arguments.push_back(segments[index]);
    } else if (part != segments[index]) {
      return false;
    }
    ++index;
  }
  return index == segments.size();
}

bool is_mounted(const Route& route, bool under_qdrant) {
  if (route.mount == Mount::kBoth) return true;
  return (route.mount == Mount::kQdrant) == under_qdrant;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void append_parameters(std::string& out, std::string_view pattern) {
  out += "\"parameters\":[";
  bool first = true;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos;
       at = pattern.find('{', at + 1)) {
    const std::size_t end = pattern.find('}', at);
    if (!first) out += ',';
    first = false;
    out += "{\"name\":";
    append_string(out, pattern.substr(at + 1, end - at - 1));
    out += R"(,"in":"path","required":true,"schema":{"type":"string"}})";
  }
  out += ']';
}

void append_operation(std::string& out, const Route& route) {
  append_string(out, lower(net::method_name(route.method)));
  out += ":{\"summary\":";
  append_string(out, route.summary);
  out += ",\"x-scope\":";
  append_string(out, scope_name(route.scope));
  out += ",\"x-envelope\":";
  append_string(out, route.envelope == Envelope::kQdrant ? "qdrant" : "native");
  out += ',';
  append_parameters(out, route.pattern);
  out += R"(,"responses":{"default":{"description":"see the manual"}}})";
}

}  // namespace

Match match_route(ListenerKind listener, net::Method method,
                  std::span<const std::string> segments) {
  bool under_qdrant = listener == ListenerKind::kQdrant;
  if (!segments.empty() && segments.front() == "qdrant" && listener == ListenerKind::kMain) {
    under_qdrant = true;
    segments = segments.subspan(1);
  }
  if (method == net::Method::kHead) method = net::Method::kGet;

  const Route* other_method = nullptr;
  std::string allow;
  RouteMatch match;
  for (const Route& route : routes()) {
    if (!is_mounted(route, under_qdrant) || !fits(route.pattern, segments, match.arguments))
      continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    if (other_method == nullptr) other_method = &route;
    const std::string_view name = net::method_name(route.method);
    if (allow.find(name) == std::string::npos)
      allow += (allow.empty() ? "" : ", ") + std::string(name);
  }
  if (other_method != nullptr) return NoSuchMethod{other_method->envelope, std::move(allow)};
  return NoSuchPath{under_qdrant ? Envelope::kQdrant : Envelope::kNative};
}

std::string openapi_json(std::string_view version) {
  struct Path {
    std::string path;
    const Route* route;
  };
  std::vector<Path> paths;
  for (const Route& route : routes()) {
    const std::string pattern(route.pattern);
    if (route.mount != Mount::kQdrant) paths.push_back({pattern, &route});
    if (route.mount != Mount::kRoot) paths.push_back({"/qdrant" + pattern, &route});
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const Path& a, const Path& b) { return a.path < b.path; });
  std::string out = R"({"openapi":"3.0.3","info":{"title":"vectorizerctl","version":)";
  append_string(out, version);
  out += "},\"paths\":{";
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool same_path = i > 0 && paths[i].path == paths[i - 1].path;
    if (i > 0) out += same_path ? "," : "},";
    if (!same_path) {
      append_string(out, paths[i].path);
      out += ":{";
    }
    append_operation(out, *paths[i].route);
  }
  if (!paths.empty()) out += '}';
  out += "}}\n";
  return out;
}

}  // namespace vz::api
