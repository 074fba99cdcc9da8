#include "cli/client/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "engine/security/api_key.h"
#include "storage/env/env.h"
#include "tools/drive/http_client.h"

namespace vz::cli {
namespace {

constexpr long kTimeoutMs = 10'000;
constexpr std::string_view kScheme = "http://";
constexpr std::uint16_t kHttpPort = 80;
constexpr std::size_t kNamesMax = 8;  ///< of collections in an error
constexpr std::size_t kQuotedBytesMax = 128;
constexpr std::uint64_t kKeyFileBytesMax = 256;

/// "it has words and cities", for who mistyped a name.
std::string names_text(const std::vector<std::string>& names) {
  if (names.empty()) return "it has none";
  std::string text = "it has ";
  for (std::size_t i = 0; i < std::min(names.size(), kNamesMax); ++i)
    text += (i > 0 ? ", '" : "'") + names[i] + "'";
  if (names.size() > kNamesMax)
    text += " and " + std::to_string(names.size() - kNamesMax) + " more";
  return text;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0;
}

}  // namespace

void add_endpoint_option(CLI::App& command, EndpointOptions& options) {
  command.add_option("--endpoint", options.url, "URL of the node")
      ->envname("VECTORIZERCTL_ENDPOINT")
      ->capture_default_str();
  command
      .add_option("--api-key-file", options.api_key_file,
                  "File that holds the API key, - for standard input; without it "
                  "VECTORIZERCTL_API_KEY")
      ->envname("VECTORIZERCTL_API_KEY_FILE");
}

namespace {

/// The key in a text of one line. What is no key is not told: it may be another secret.
Result<std::string> key_in(std::string_view text, const std::string& source) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (security::id_of_key_text(text)) return std::string(text);
  return fail(ErrorCode::kInvalidArgument, source + " holds no API key: expected vz_ID_SECRET");
}

Result<std::string> api_key_of(const EndpointOptions& options) {
  if (options.api_key_file == "-") {
    std::string line;
    std::getline(std::cin, line);
    return key_in(line, "standard input");
  }
  if (!options.api_key_file.empty()) {
    const auto env = make_posix_env();
    VZ_TRY_ASSIGN(const Bytes bytes, read_file(*env, options.api_key_file, kKeyFileBytesMax));
    return key_in(as_text(bytes), options.api_key_file);
  }
  const char* set = std::getenv("VECTORIZERCTL_API_KEY");
  if (set == nullptr || *set == '\0') return std::string();
  return key_in(set, "VECTORIZERCTL_API_KEY");
}

Result<drive::Endpoint> parse_url(const std::string& url) {
  const std::string quoted = "--endpoint '" + url.substr(0, kQuotedBytesMax) + "'";
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalidArgument,
                quoted + " is not http://HOST:PORT, such as " + kDefaultEndpoint);
  };
  if (url.starts_with("https://") || url.starts_with("unix:"))
    return fail(ErrorCode::kUnsupported, quoted + ": only http:// is supported yet");
  if (!url.starts_with(kScheme)) return wrong();
  std::string_view rest = std::string_view(url).substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  drive::Endpoint endpoint{.port = kHttpPort};
  const bool bracketed = rest.starts_with('[');
  const std::size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed && host_end == std::string_view::npos) return wrong();
  endpoint.host = rest.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  rest.remove_prefix(std::min(rest.size(), bracketed ? host_end + 1 : host_end));
  if (!rest.empty() && (rest.front() != ':' || !parse_port(rest.substr(1), endpoint.port)))
    return wrong();
  if (endpoint.host.empty() || endpoint.host.find_first_of("/?#@ \r\n") != std::string::npos)
    return wrong();
  return endpoint;
}

}  // namespace

Result<drive::Endpoint> parse_endpoint(const EndpointOptions& options) {
  VZ_TRY_ASSIGN(drive::Endpoint endpoint, parse_url(options.url));
  VZ_TRY_ASSIGN(endpoint.api_key, api_key_of(options));
  return endpoint;
}

Result<drive::CollectionShape> require_collection(const drive::Endpoint& endpoint,
                                                  const std::string& collection) {
  drive::HttpClient http(endpoint, kTimeoutMs);
  auto shape = drive::collection_shape(http, collection);
  if (shape || shape.error().code != ErrorCode::kNotFound) return shape;
  const auto names = drive::collection_names(http);
  if (!names) return shape;
  return fail(ErrorCode::kNotFound, "there is no collection '" + collection + "' at " +
                                        endpoint.base_url() + "; " + names_text(*names));
}

Error with_endpoint_hint(Error error) {
  if (error.code == ErrorCode::kUnavailable)
    error.message += "; --endpoint URL or VECTORIZERCTL_ENDPOINT names another node";
  return error;
}

}  // namespace vz::cli
