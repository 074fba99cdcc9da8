#include "tools/drive/http_client.h"

#include <algorithm>
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

std::size_t append_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  static_cast<std::string*>(user)->append(bytes, size * count);
  return size * count;
}

/// A download under way.
struct Download {
  CURL* handle = nullptr;
  const HttpClient::Take& take;
  std::string refusal{};  ///< the body of an answer other than 200
  Status status{};
};

std::size_t take_piece(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& download = *static_cast<Download*>(user);
  const std::string_view piece(bytes, size * count);
  long code = 0;
  curl_easy_getinfo(download.handle, CURLINFO_RESPONSE_CODE, &code);
  if (code != 200) {
    download.refusal.append(piece);
    return piece.size();
  }
  curl_off_t total = 0;
  curl_easy_getinfo(download.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
  download.status =
      download.take(piece, total > 0 ? static_cast<std::uint64_t>(total) : std::uint64_t{0});
  return download.status ? piece.size() : 0;
}

void set_common_options(CURL* handle, const std::string& url, curl_slist* headers) {
  curl_easy_reset(handle);  // keeps the connection, forgets the options of the last request
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the node is ours: no http_proxy in between
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}

}  // namespace

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

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpAnswer> HttpClient::request(std::string_view method, std::string_view path,
                                       std::string_view body) {
  const std::string url = state_->base_url + std::string(path);
  const std::string verb(method);
  HttpAnswer answer;
  CURL* handle = state_->handle;
  set_common_options(handle, url, state_->headers);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, state_->timeout_ms);
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

Result<HttpAnswer> HttpClient::download(std::string_view path, const Take& take) {
  const std::string url = state_->base_url + std::string(path);
  CURL* handle = state_->handle;
  Download download{.handle = handle, .take = take};
  set_common_options(handle, url, state_->headers);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, std::max(state_->timeout_ms / 1000, 1L));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_piece);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &download);

  const CURLcode code = curl_easy_perform(handle);
  VZ_TRY(std::move(download.status));
  if (code != CURLE_OK)
    return fail(ErrorCode::kUnavailable, "GET " + url + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return HttpAnswer{.status = static_cast<int>(status), .body = std::move(download.refusal)};
}

}  // namespace vz::drive
