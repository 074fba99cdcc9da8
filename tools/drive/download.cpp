#include "tools/drive/download.h"

#include <algorithm>
#include <memory>

#include <curl/curl.h>

namespace vz::drive {
namespace {

struct Download {
  CURL* handle = nullptr;
  const TakePiece& take;
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

}  // namespace

Result<HttpAnswer> download(const Endpoint& endpoint, const std::string& path, long silence_ms,
                            const TakePiece& take) {
  const std::string url = endpoint.base_url() + path;
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      endpoint.api_key.empty() ? nullptr : curl_slist_append(nullptr, key_header(endpoint).c_str()),
      curl_slist_free_all);
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  Download download{.handle = handle.get(), .take = take};
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PATH_AS_IS, 1L);  // No ".." leads anywhere.
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");  // the node is ours: no http_proxy in between
  curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_TIME, std::max(silence_ms / 1000, 1L));
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, take_piece);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &download);

  const CURLcode code = curl_easy_perform(handle.get());
  VZ_TRY(std::move(download.status));
  if (code != CURLE_OK)
    return fail(ErrorCode::kUnavailable, "GET " + url + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return HttpAnswer{.status = static_cast<int>(status), .body = std::move(download.refusal)};
}

}  // namespace vz::drive
