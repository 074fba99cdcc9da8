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

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      break;
  }
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
