// Text from clients and from files that people may edit.
#include <string>

#include "engine/api/codec_reads.h"
#include "engine/api/codec_writes.h"
#include "engine/net/head_guard.h"
#include "engine/net/message_parser.h"
#include "engine/net/target.h"
#include "engine/node/job_file.h"
#include "engine/node/settings.h"
#include "engine/payload/datetime.h"
#include "engine/payload/filter.h"
#include "engine/payload/flat.h"
#include "engine/payload/key_path.h"
#include "engine/payload/payload.h"
#include "storage/archive/member_name.h"
#include "tests/fuzz/target.h"

namespace vz::fuzz {
namespace {

std::string text_of(ByteSpan bytes) {
  return std::string(as_text(bytes));
}

void run_payload(ByteSpan bytes) {
  const std::string text = text_of(bytes);
  const auto canonical = payload::canonical(text);
  if (!canonical) return;
  const auto again = payload::canonical(*canonical);
  require(again && *again == *canonical, "the canonical text of a payload is its own");
  std::string flat;
  require(payload::flatten_checked(*canonical, flat).has_value(), "a canonical payload is flat");
  require(payload::canonical(payload::set(*canonical, *canonical, std::nullopt)).has_value(),
          "a merged payload is one");
  const std::vector<std::string> keys = {"a", "b.c", "d[0].e"};
  require(payload::canonical(payload::delete_keys(*canonical, keys)).has_value(),
          "a payload without some keys is one");
  require(
      payload::canonical(
          payload::select(*canonical, {.mode = payload::Selection::Mode::kInclude, .keys = keys}))
          .has_value(),
      "a part of a payload is one");
}
std::vector<Bytes> seed_payload() {
  return {bytes_of(R"({"a":1,"b":{"c":[1,2.5e3,"x\u00e9",null,true]},"d":[{"e":-0.0}],"a":"2"})"),
          bytes_of("null"), bytes_of(R"({"":{"":[[]]},"n":18446744073709551615})")};
}

void run_filter(ByteSpan bytes) {
  (void)payload::parse_filter(as_text(bytes));
}
std::vector<Bytes> seed_filter() {
  return {bytes_of(R"({"must":[{"key":"a.b","match":{"value":"x"}},{"key":"n","range":{"gte":1}},)"
                   R"({"has_id":[1,"0b5f0f6a-1111-4222-8333-444444444444"]}],)"
                   R"("should":{"is_empty":{"key":"c"}},"must_not":[{"is_null":{"key":"d[]"}}],)"
                   R"("min_should":{"conditions":[{"key":"t","match":{"any":[1,2]}}],)"
                   R"("min_count":1}})"),
          bytes_of(R"({"must":[{"key":"t","range":{"lt":"2024-02-29T10:00:00.5+01:00"}}]})")};
}

void run_key_path(ByteSpan bytes) {
  const auto path = payload::parse_key_path(as_text(bytes));
  if (!path) return;
  const auto again = payload::parse_key_path(payload::key_path_text(*path));
  require(again && *again == *path, "a key path comes back");
}
std::vector<Bytes> seed_key_path() {
  return {bytes_of("a.b[0].c[]"), bytes_of(R"("quoted \"key".b)")};
}

void run_datetime(ByteSpan bytes) {
  (void)payload::parse_datetime(as_text(bytes));
}
std::vector<Bytes> seed_datetime() {
  return {bytes_of("2024-02-29T23:59:60.123456Z"), bytes_of("2024-01-01 00:00+09:30"),
          bytes_of("1969-12-31")};
}

/// Each shape of request body, whichever the bytes are.
void run_body(ByteSpan bytes) {
  const auto with = [&](auto decode) {
    std::string body = text_of(bytes);
    (void)decode(body);
  };
  with([](std::string& body) { return api::decode_search(body); });
  with([](std::string& body) { return api::decode_search_batch(body); });
  with([](std::string& body) { return api::decode_query(body); });
  with([](std::string& body) { return api::decode_scroll(body); });
  with([](std::string& body) { return api::decode_count(body); });
  with([](std::string& body) { return api::decode_get(body); });
}
/// The same of the writes of points.
void run_write(ByteSpan bytes) {
  collection::CollectionDefinition definition;
  definition.vectors.resize(1);
  definition.vectors[0].size = 2;
  for (int kind = 0; kind <= static_cast<int>(api::PointWriteKind::kDeleteVectors); ++kind) {
    std::string body = text_of(bytes);
    (void)api::decode_write(static_cast<api::PointWriteKind>(kind), body, definition);
  }
  std::string body = text_of(bytes);
  (void)api::decode_operations(body, definition);
}
std::vector<Bytes> seed_write() {
  return {
      bytes_of(R"({"points":[{"id":1,"vector":[1,2],"payload":{"a":[1,{"b":null}]}}]})"),
      bytes_of(R"({"batch":{"ids":[1,2],"vectors":[[1,2],[3,4]],"payloads":[{},{"x":1}]}})"),
      bytes_of(R"({"points":[1],"payload":{"a":1},"key":"b.c","keys":["a"],"filter":{}})"),
      bytes_of(R"({"operations":[{"delete":{"points":[1]}},{"clear_payload":{"points":[2]}}]})")};
}

std::vector<Bytes> seed_body() {
  return {
      bytes_of(R"({"vector":[0.1,2,-3e5],"limit":3,"filter":{"must":[]},"with_payload":["a"]})"),
      bytes_of(R"({"searches":[{"vector":{"name":"v","vector":[1]},"limit":1,"offset":2}]})"),
      bytes_of(R"({"query":7,"limit":2,"params":{"hnsw_ef":64,"exact":true}})"),
      bytes_of(R"({"ids":[1,"0b5f0f6a-1111-4222-8333-444444444444"],"with_vector":true})"),
      bytes_of(R"({"offset":5,"limit":10,"filter":{"must_not":[{"has_id":[1]}]}})")};
}

void run_http_target(ByteSpan bytes) {
  const auto target = net::parse_target(as_text(bytes));
  if (!target) return;
  for (const std::string& segment : target->segments) {
    require(!segment.empty() && segment != "." && segment != "..",
            "no segment of a path leads elsewhere");
  }
}
std::vector<Bytes> seed_http_target() {
  return {bytes_of("/collections/a%20b/points?wait=true&x=%2f"), bytes_of("/..%2f/%252e/%00")};
}

void run_http_head(ByteSpan bytes) {
  const std::string text = text_of(bytes);
  net::HeadScanner scanner;
  const auto size = scanner.scan(text);
  if (!size || *size == 0) return;
  require(*size <= text.size(), "a head lies within what arrived");
  net::MessageParser parser;
  net::RequestHead head;
  const int minor = parser.parse_head(std::string_view(text).substr(0, *size), head);
  if (minor < 0) return;
  const auto framing = net::read_framing(head, minor);
  if (!framing || !framing->chunked) return;
  constexpr std::size_t kBodyMax = 4'096;
  std::string body;
  (void)parser.feed_chunks(std::string_view(text).substr(*size), body, kBodyMax);
  require(body.size() <= kBodyMax, "a chunked body keeps its bound");
}
std::vector<Bytes> seed_http_head() {
  return {bytes_of("GET /health HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
          bytes_of("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5;e=1\r\nabcde\r\n0\r\nT: 1\r\n\r\n")};
}

void run_member_name(ByteSpan bytes) {
  const std::string_view name = as_text(bytes);
  (void)archive::printable_name(name);
  if (!archive::member_kind(name)) return;
  require(name.find("..") == std::string_view::npos && name.front() != '/',
          "a member of an archive stays in its directory");
}
std::vector<Bytes> seed_member_name() {
  return {bytes_of("collections/1/1-2.seg"), bytes_of("collections/7/3-4.index-5"),
          bytes_of("RESTORE")};
}

void run_job(ByteSpan bytes) {
  const auto job = node::decode_job(as_text(bytes), "optimize-3");
  if (!job) return;
  require(node::decode_job(node::encode_job(*job), job->id).has_value(), "a job comes back");
}
std::vector<Bytes> seed_job() {
  return {bytes_of(node::encode_job({.id = "optimize-3",
                                     .kind = "optimize",
                                     .object = "words",
                                     .status = node::JobStatus::kCompleted,
                                     .progress = 1,
                                     .started_us = 5,
                                     .ended_us = 6,
                                     .result = R"({"a":1})"}))};
}

void run_settings(ByteSpan bytes) {
  const auto patch = node::decode_settings(as_text(bytes));
  if (patch) (void)node::patched({}, *patch);
}
std::vector<Bytes> seed_settings() {
  return {bytes_of(R"({"logging":{"level":"debug"},"storage":{"compression":"zstd",)"
                   R"("compression_level":3},"jobs":{"retention":10}})"),
          bytes_of(R"({"logging.level":null})")};
}

constexpr Target kTargets[] = {
    {"payload_json", run_payload, seed_payload},
    {"filter_json", run_filter, seed_filter},
    {"key_path", run_key_path, seed_key_path},
    {"datetime", run_datetime, seed_datetime},
    {"read_bodies", run_body, seed_body},
    {"write_bodies", run_write, seed_write},
    {"http_target", run_http_target, seed_http_target},
    {"http_head", run_http_head, seed_http_head},
    {"member_name", run_member_name, seed_member_name},
    {"job_file", run_job, seed_job},
    {"settings", run_settings, seed_settings},
};

}  // namespace

std::span<const Target> text_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
