#include "tools/drive/upload.h"

#include <chrono>
#include <memory>

#include <curl/curl.h>

namespace vz::drive {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kConnectTimeoutMs = 10'000;

struct Upload {
  const GivePiece& give;
  std::optional<std::uint64_t> size_bytes;
  long silence_ms;
  Status status{};
  std::string answer{};
  bool all_given = false;
  Clock::time_point asked{};  ///< when curl last asked for more, which it does once that is sent
};

std::size_t give_piece(char* out, std::size_t size, std::size_t count, void* user) {
  auto& upload = *static_cast<Upload*>(user);
  const auto given = upload.give(std::as_writable_bytes(std::span(out, size * count)));
  upload.asked = Clock::now();
  if (!given) {
    upload.status = tl::unexpected<Error>(given.error());
    return CURL_READFUNC_ABORT;
  }
  upload.all_given = *given == 0;
  return *given;
}

std::size_t take_answer(char* bytes, std::size_t size, std::size_t count, void* user) {
  static_cast<Upload*>(user)->answer.append(bytes, size * count);
  return size * count;
}

/// Called at least once a second. Not 0 ends it. Of a body whose size is known curl does not ask
/// for the end: it knows it.
int watch(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent_bytes) {
  const auto& upload = *static_cast<Upload*>(user);
  const bool all_sent = upload.size_bytes
                            ? static_cast<std::uint64_t>(sent_bytes) >= *upload.size_bytes
                            : upload.all_given;
  return !all_sent && Clock::now() - upload.asked > std::chrono::milliseconds(upload.silence_ms);
}

void set_options(CURL* handle, const std::string& url, const curl_slist* headers, Upload& upload) {
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // No ".." leads anywhere.
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the node is ours: no http_proxy in between
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  // A node that restores for an hour says nothing; one whose machine is gone is noticed.
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 60L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 15L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "POST");
  if (upload.size_bytes)
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*upload.size_bytes));
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_piece);
  curl_easy_setopt(handle, CURLOPT_READDATA, &upload);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &upload);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &upload);
}

}  // namespace

Result<HttpAnswer> upload(const Endpoint& endpoint, const std::string& path,
                          std::optional<std::uint64_t> size_bytes, long silence_ms,
                          const GivePiece& give) {
  const std::string url = endpoint.base_url() + path;
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  // "Expect: 100-continue" stays on: a node without room refuses before anything is sent.
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, "Content-Type: application/octet-stream"), curl_slist_free_all);
  if (!endpoint.api_key.empty())  // Appends to the same list.
    curl_slist_append(headers.get(), key_header(endpoint).c_str());
  Upload upload{
      .give = give, .size_bytes = size_bytes, .silence_ms = silence_ms, .asked = Clock::now()};
  set_options(handle.get(), url, headers.get(), upload);

  const CURLcode code = curl_easy_perform(handle.get());
  VZ_TRY(std::move(upload.status));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return fail(ErrorCode::kUnavailable, "POST " + url + ": the node took nothing for " +
                                             std::to_string(silence_ms / 1000) + " s");
  if (code != CURLE_OK)
    return fail(ErrorCode::kUnavailable, "POST " + url + ": " + curl_easy_strerror(code));
  return HttpAnswer{.status = static_cast<int>(status), .body = std::move(upload.answer)};
}

}  // namespace vz::drive
