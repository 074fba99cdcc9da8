// Text from clients and command lines, and from files that people may edit.
#include <string>

#include "engine/api/codec_reads.h"
#include "engine/api/file_answer.h"
#include "engine/api/write_parameters.h"
#include "engine/net/gzip.h"
#include "engine/net/head_guard.h"
#include "engine/net/message_parser.h"
#include "engine/net/multipart.h"
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
#include "tools/offline/check_state.h"
#include "tools/offline/quantities.h"
#include "tools/offline/quarantine_record.h"
#include "tools/offline/sample.h"

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

void run_http_target(ByteSpan bytes) {
  const auto target = net::parse_target(as_text(bytes));
  if (!target) return;
  for (const std::string& segment : target->segments) {
    require(!segment.empty() && segment != "." && segment != "..",
            "no segment of a path leads elsewhere");
  }
  net::RequestHead head;
  head.query = target->query;
  (void)api::read_write_parameters(head);
}
std::vector<Bytes> seed_http_target() {
  return {bytes_of("/collections/a%20b/points?wait=true&x=%2f"), bytes_of("/..%2f/%252e/%00"),
          bytes_of("/p?wait=false&ordering=strong&timeout=30")};
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

/// What becomes of a form's body that arrives `step` bytes at a time.
struct FormTaken {
  bool accepted = false;
  std::string content;
};
FormTaken take_form(std::string_view type, std::string_view body, std::size_t step) {
  FormTaken out;
  auto form = net::MultipartFile::create(type, "snapshot");
  if (!form) return out;
  bool sound = true;
  for (std::size_t at = 0; at < body.size() && sound; at += step) {
    sound = form->feed(body.substr(at, step),
                       [&](std::string_view piece) -> Status {
                         require(!piece.empty(), "no piece of a form's file is empty");
                         out.content += piece;
                         return {};
                       })
                .has_value();
  }
  out.accepted = sound && form->finish().has_value();
  return out;
}

/// The first line is the Content-Type, the rest the body.
void run_multipart(ByteSpan bytes) {
  const std::string text = text_of(bytes);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view type = std::string_view(text).substr(0, line);
  const std::string_view body = std::string_view(text).substr(std::min(line + 1, text.size()));
  const FormTaken whole = take_form(type, body, body.size() + 1);
  require(whole.content.empty() || body.find(whole.content) != std::string_view::npos,
          "a form's file is a stretch of the body");
  for (const std::size_t step : {1, 2, 7}) {
    const FormTaken slowly = take_form(type, body, step);
    require(slowly.accepted == whole.accepted, "how a form's body is cut decides nothing");
    require(!whole.accepted || slowly.content == whole.content,
            "how a form's body is cut does not change its file");
  }
}
std::vector<Bytes> seed_multipart() {
  const std::string type = "multipart/form-data; boundary=b1\n";
  const std::string part =
      "--b1\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"a\"\r\n\r\n";
  return {bytes_of(type + part + "con\r\ntent\r\n--b\r\n--b1--\r\n"),
          bytes_of("multipart/form-data;boundary=\"b1\";x=y\n" + part + "\r\n--b1 \r\n" + part)};
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

void run_range(ByteSpan bytes) {
  constexpr std::uint64_t kFileBytes = 1'000;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, kFileBytes, ~std::uint64_t{0}}) {
    const api::RangeAsked asked = api::parse_range(as_text(bytes), size);
    if (asked.kind == api::RangeKind::kUnsatisfiable) continue;
    require(asked.range.offset <= size && asked.range.size_bytes <= size - asked.range.offset,
            "a range lies within the file");
    const bool whole = asked.range.offset == 0 && asked.range.size_bytes == size;
    require(asked.kind == api::RangeKind::kPart ? asked.range.size_bytes > 0 : whole,
            "a part is not empty, and no part is the whole file");
  }
}
std::vector<Bytes> seed_range() {
  return {bytes_of("bytes=0-99"), bytes_of("bytes=100-"), bytes_of("bytes=-100"),
          bytes_of("bytes=0-1,4-5")};
}

void run_gzip(ByteSpan bytes) {
  constexpr std::size_t kPlainMax = 64u << 10;
  const auto plain = net::gzip_inflate(as_text(bytes), kPlainMax);
  require(!plain || plain->size() <= kPlainMax, "an inflated body keeps its bound");
}
std::vector<Bytes> seed_gzip() {
  net::GzipDeflater deflater;
  const std::string one = deflater.deflate(std::string(200, 'a'));
  return {bytes_of(one), bytes_of(one + deflater.deflate(R"({"points":[1,1,1,1,1,1,1,1,1]})"))};
}

void run_quarantine_record(ByteSpan bytes) {
  const auto record = offline::decode_record(as_text(bytes));
  if (!record) return;
  require(offline::decode_record(offline::encode_record(*record)).has_value(),
          "the record of a quarantine entry comes back");
}
std::vector<Bytes> seed_quarantine_record() {
  return {bytes_of(offline::encode_record(
      {.name = "segment-1-2",
       .kind = "segment",
       .why = "blocks are damaged",
       .findings = {check::FindingId::kSegmentBlocks},
       .collection = "words",
       .points_gone = {PointId::number(7)},
       .first_lsn = 3,
       .last_lsn = 4,
       .time_s = 5,
       .tool = "vectorizerctl 0.1.0",
       .files = {{.name = "1-2.seg", .from = "collections/1/1-2.seg", .size_bytes = 9}}}))};
}

void run_check_state(ByteSpan bytes) {
  const auto state = offline::decode_check_state(as_text(bytes));
  if (!state) return;
  const std::string text = offline::encode_check_state(*state);
  const auto again = offline::decode_check_state(text);
  require(again && offline::encode_check_state(*again) == text, "the state of a check comes back");
}
std::vector<Bytes> seed_check_state() {
  offline::CheckState state{.about = "level 2", .seed = 7, .done = {"a", "b"}};
  state.segments["1-2"] = {};
  state.findings = {{.id = check::FindingId::kSegmentBlocks,
                     .file = "collections/1/1-2.seg",
                     .offset = 65'536,
                     .length = 9,
                     .message = "a block"}};
  return {bytes_of(offline::encode_check_state(state))};
}

/// What stands on a command line or in a path.
void run_quantities(ByteSpan bytes) {
  const std::string_view text = as_text(bytes);
  const auto size = offline::parse_bytes(text);
  require(!size || *size >= 1, "a size is not empty");
  const auto duration = offline::parse_duration(text);
  require(!duration || duration->count() > 0, "a duration is not empty");
  if (const auto sample = offline::parse_sample(text, 1)) {
    require(sample->part >= 1 && sample->part <= sample->parts, "a part is one of all");
    require(sample->share > 0 && sample->share <= 1, "a share is one of the whole");
  }
  if (const auto id = api::parse_path_id(text)) {
    const auto again = api::parse_path_id(id->to_string());
    require(again && *again == *id, "an id comes back");
  }
}
std::vector<Bytes> seed_quantities() {
  std::vector<Bytes> out;
  for (const char* const text : {"50MiB", "1.5G", "200000", "90s", "30m", "2h", "1d", "3/7", "5%",
                                 "0b5f0f6a-1111-4222-8333-444444444444"}) {
    out.push_back(bytes_of(text));
  }
  return out;
}

constexpr Target kTargets[] = {
    {"payload_json", run_payload, seed_payload},
    {"filter_json", run_filter, seed_filter},
    {"key_path", run_key_path, seed_key_path},
    {"datetime", run_datetime, seed_datetime},
    {"http_target", run_http_target, seed_http_target},
    {"http_head", run_http_head, seed_http_head},
    {"multipart", run_multipart, seed_multipart},
    {"member_name", run_member_name, seed_member_name},
    {"job_file", run_job, seed_job},
    {"settings", run_settings, seed_settings},
    {"range_header", run_range, seed_range},
    {"gzip_body", run_gzip, seed_gzip},
    {"quarantine_record", run_quarantine_record, seed_quarantine_record},
    {"check_state", run_check_state, seed_check_state},
    {"quantities", run_quantities, seed_quantities},
};

}  // namespace

std::span<const Target> text_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
