#include "engine/net/answer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vz::net {
namespace {

void append_number(std::size_t number, std::string& out) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_clean(std::string_view text, std::string& out) {
  const std::size_t start = out.size();
  out.append(text);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
}

bool is_name(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() &&
         std::equal(name.begin(), name.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

bool is_set_by_server(std::string_view name) {
  for (const std::string_view ours : {"content-length", "connection", "transfer-encoding",
                                      "x-request-id", "date", "keep-alive"}) {
    if (is_name(name, ours)) return true;
  }
  return false;
}

struct Phrase {
  int status;
  std::string_view text;
};
constexpr Phrase kPhrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

}  // namespace

std::string_view reason_phrase(int status) {
  for (const Phrase& phrase : kPhrases)
    if (phrase.status == status) return phrase.text;
  return status < 300   ? "Success"
         : status < 400 ? "Redirect"
         : status < 500 ? "Client Error"
                        : "Server Error";
}

bool status_allows_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

void write_answer_head(const Response& response, const AnswerHead& head, std::string& out) {
  out.clear();
  out.append("HTTP/1.1 ");
  append_number(static_cast<std::size_t>(response.status), out);
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  if (status_allows_body(response.status)) {
    if (!response.content_type.empty()) {
      out.append("Content-Type: ");
      append_clean(response.content_type, out);
      out.append("\r\n");
    }
    out.append("Content-Length: ");
    append_number(head.content_length, out);
    out.append("\r\n");
  }
  out.append("X-Request-Id: ").append(head.request_id);
  out.append("\r\nDate: ").append(head.date).append("\r\n");
  if (head.gzip) out.append("Content-Encoding: gzip\r\n");
  if (head.gzip_varies) out.append("Vary: Accept-Encoding\r\n");
  for (const auto& [name, value] : response.headers) {
    if (name.empty() || is_set_by_server(name)) continue;
    append_clean(name, out);
    out.append(": ");
    append_clean(value, out);
    out.append("\r\n");
  }
  if (head.after == AfterAnswer::kClose) out.append("Connection: close\r\n");
  if (head.after == AfterAnswer::kKeepAliveOfHttp10) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

}  // namespace vz::net
