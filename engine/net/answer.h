// The bytes before the body of an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/net/response.h"

namespace vz::net {

std::string_view reason_phrase(int status);

/// 1xx, 204 and 304 have no body whatever the handler put there.
bool status_allows_body(int status);

enum class AfterAnswer : std::uint8_t { kClose, kKeepAlive, kKeepAliveOfHttp10 };

struct AnswerHead {
  std::string_view request_id;
  std::string_view date;  ///< RFC 9110 date
  std::size_t content_length = 0;
  bool gzip = false;         ///< the body was compressed
  bool gzip_varies = false;  ///< it depends on the request whether it is
  AfterAnswer after = AfterAnswer::kKeepAlive;
};

/// Replaces `out`. Control bytes in the handler's names and values become spaces, so that no
/// handler can be made to split an answer; headers that the server sets itself are dropped.
void write_answer_head(const Response& response, const AnswerHead& head, std::string& out);

}  // namespace vz::net
