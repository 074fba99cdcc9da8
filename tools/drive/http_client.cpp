#include "tools/drive/http_client.h"

#include <utility>

#include <curl/curl.h>

namespace vz::drive {

struct HttpClient::State {
  std::string base_url;
  long timeout_ms = 0;
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
  }
};

namespace {

constexpr long kConnectTimeoutMs = 10'000;

std::size_t append_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  static_cast<std::string*>(user)->append(bytes, size * count);
  return size * count;
}

}  // namespace

std::string key_header(const Endpoint& endpoint) {
  return "Authorization: Bearer " + endpoint.api_key;
}

HttpClient::HttpClient(std::string base_url, long timeout_ms) : state_(std::make_unique<State>()) {
  // Once per process, and safe from several threads: a static's initialisation.
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(kReady);
  state_->base_url = std::move(base_url);
  state_->timeout_ms = timeout_ms;
  state_->handle = curl_easy_init();
  // "Expect:" off: else curl waits a second for "100 Continue" before a large body.
  state_->headers = curl_slist_append(nullptr, "Expect:");
  state_->headers = curl_slist_append(state_->headers, "Content-Type: application/json");
}

HttpClient::HttpClient(const Endpoint& endpoint, long timeout_ms)
    : HttpClient(endpoint.base_url(), timeout_ms) {
  if (!endpoint.api_key.empty())
    state_->headers = curl_slist_append(state_->headers, key_header(endpoint).c_str());
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpAnswer> HttpClient::request(std::string_view method, std::string_view path,
                                       std::string_view body) {
  const std::string url = state_->base_url + std::string(path);
  const std::string verb(method);
  HttpAnswer answer;
  CURL* handle = state_->handle;
  curl_easy_reset(handle);  // keeps the connection, forgets the options of the last request
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // No ".." leads anywhere.
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the node is ours: no http_proxy in between
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, state_->timeout_ms);
  // A call without a limit must still notice that the other machine is gone.
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 60L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 15L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, state_->headers);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
  if (!body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  } else if (verb == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, verb.c_str());

  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) {
    return fail(ErrorCode::kUnavailable, verb + " " + url + ": " + curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace vz::drive
