// The multipart reader on bytes alone: one file comes out whole however the bytes are cut, and
// everything else is refused.
#include "engine/net/multipart.h"

#include <catch2/catch.hpp>

#include "engine/limits.h"

using namespace vz;
using net::MultipartFile;

namespace {

constexpr const char* kType = "multipart/form-data; boundary=----b1";
constexpr const char* kPart =
    "------b1\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"a.tar.gz\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\n";

std::string body_of(const std::string& content) {
  return kPart + content + "\r\n------b1--\r\n";
}

struct Taken {
  std::string content;
  std::size_t largest = 0;
  std::size_t calls = 0;
  Status status;
};

/// Fed in steps of `step` bytes.
Taken taken(const std::string& body, std::size_t step, const std::string& type = kType) {
  Taken out;
  auto form = MultipartFile::create(type, "snapshot");
  if (!form) {
    out.status = tl::unexpected<Error>(form.error());
    return out;
  }
  for (std::size_t at = 0; at < body.size() && out.status; at += step) {
    out.status =
        form->feed(std::string_view(body).substr(at, step), [&](std::string_view bytes) -> Status {
          out.content += bytes;
          out.largest = std::max(out.largest, bytes.size());
          ++out.calls;
          return {};
        });
  }
  if (out.status) out.status = form->finish();
  return out;
}

std::string refused(const std::string& body, const std::string& type = kType) {
  const Taken whole = taken(body, body.size() + 1, type);
  const Taken slowly = taken(body, 1, type);
  if (whole.status || slowly.status) return "";
  CHECK(whole.status.error().code == ErrorCode::kInvalidArgument);
  CHECK(whole.status.error().message == slowly.status.error().message);
  return whole.status.error().message;
}

}  // namespace

TEST_CASE("multipart: the file comes out whole, however the bytes are cut", "[net][multipart]") {
  // What looks like a boundary for a while, at every length, and what comes right before one.
  std::string content = "\r\n-----b1\r\n------b\r\r\n------b\r\n\r\n------bX\r\r\r\n--\r";
  for (std::size_t i = 0; i < 10; ++i) content += std::string("\r\n------b1").substr(0, i) + "x";
  content += std::string("\0\xff\n\r", 4);
  const std::string body = body_of(content);
  for (std::size_t step = 1; step <= body.size(); ++step) {
    CAPTURE(step);

    const Taken out = taken(body, step);

    INFO((out.status ? "" : out.status.error().message));
    REQUIRE(out.status);
    REQUIRE(out.content == content);
    REQUIRE(out.largest <= std::max<std::size_t>(step, std::string("\r\n------b1").size()));
  }
}

TEST_CASE("multipart: a piece without a boundary is handed on in one", "[net][multipart]") {
  const std::string content(100'000, '\r');

  const Taken out = taken(body_of(content), 1u << 20);

  REQUIRE(out.status);
  CHECK(out.content == content);
  CHECK(out.calls == 1);
}

TEST_CASE("multipart: an empty file is a file", "[net][multipart]") {
  const Taken out = taken(body_of(""), 7);

  CHECK(out.status);
  CHECK(out.content.empty());
}

TEST_CASE("multipart: the boundary and the field are read as clients write them",
          "[net][multipart]") {
  const auto accepts = [](const std::string& type, const std::string& disposition) {
    const std::string body = "--b:1\r\n" + disposition + "\r\n\r\ncontent\r\n--b:1--";
    return taken(body, 3, type).content == "content";
  };
  const std::string plain = "Content-Disposition: form-data; name=\"snapshot\"";
  CHECK(accepts("multipart/form-data; boundary=\"b:1\"", plain));
  CHECK(accepts("Multipart/Form-Data ;charset=utf-8; BOUNDARY = b:1;", plain));
  CHECK(accepts("multipart/form-data; boundary=b:1",
                "content-disposition:form-data;name=snapshot;filename=\"a;name=\\\"x\\\".tar\""));
  CHECK(accepts(
      "multipart/form-data; boundary=b:1",
      "X: y\r\n" + plain + "; filename*=UTF-8''a%20b\r\nContent-Transfer-Encoding: binary"));
}

TEST_CASE("multipart: a Content-Type without a sound boundary is refused", "[net][multipart]") {
  for (const std::string& type :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"\""), std::string("application/json"),
        "multipart/form-data; boundary=" + std::string(71, 'b'),
        "multipart/form-data; boundary=" + std::string(10'240, 'b'),
        std::string("multipart/form-data; boundary=\"a b\""),
        std::string("multipart/form-data; boundary=\"a\rb\""),
        std::string("multipart/form-data; boundary=\"ab"),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        std::string("multipart/form-data; boundary=\"a\"b"),
        std::string("multipart/form-data; boundary")}) {
    CAPTURE(type);
    const auto form = MultipartFile::create(type, "snapshot");
    REQUIRE_FALSE(form);
    CHECK(form.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(MultipartFile::create("multipart/form-data; boundary=" + std::string(70, 'b'), "snapshot"));
}

TEST_CASE("multipart: a hostile body is refused, saying why", "[net][multipart]") {
  using Catch::Contains;
  const std::string end = "\r\n------b1--\r\n";
  CHECK_THAT(refused("no form at all, but longer than a boundary"), Contains("does not begin"));
  CHECK_THAT(refused(kPart + std::string("x\r\n") + kPart + "y" + end), Contains("more than one"));
  CHECK_THAT(refused("------b1--\r\n"), Contains("no part"));
  CHECK_THAT(refused(body_of("x") + "more"), Contains("behind its end"));
  CHECK_THAT(refused(kPart + std::string("x\r\n------b1 junk\r\n")), Contains("behind a boundary"));
  CHECK_THAT(refused(kPart + std::string("x\r\n------b1-x\r\n")), Contains("behind a boundary"));
  CHECK_THAT(refused("------b1" + std::string(100, ' ')), Contains("too long"));
  CHECK_THAT(refused("------b1\r\n" + std::string(5000, 'h')), Contains("4096"));
  CHECK_THAT(refused("------b1\r\n\r\nx" + end), Contains("no Content-Disposition"));
  CHECK_THAT(
      refused("------b1\r\nContent-Disposition: attachment; name=\"snapshot\"\r\n\r\nx" + end),
      Contains("no Content-Disposition"));
  CHECK_THAT(refused("------b1\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx" + end),
             Contains("'snapshot'"));
  CHECK_THAT(
      refused("------b1\r\nContent-Disposition: form-data; filename=\"snapshot\"\r\n\r\nx" + end),
      Contains("'snapshot'"));
  CHECK_THAT(refused("------b1\r\nno colon\r\n\r\nx" + end), Contains("colon"));
  const std::string disposition = "Content-Disposition: form-data; name=\"snapshot\"\r\n";
  CHECK_THAT(refused("------b1\r\n" + disposition + disposition + "\r\nx" + end), Contains("two"));
  CHECK_THAT(
      refused("------b1\r\nContent-Disposition: form-data; name=snapshot; NAME=x\r\n\r\nx" + end),
      Contains("twice"));
  CHECK_THAT(
      refused("------b1\r\n" + disposition + "Content-Transfer-Encoding: base64\r\n\r\nx" + end),
      Contains("Transfer-Encoding"));
}

TEST_CASE("multipart: a body cut short at any byte is refused", "[net][multipart]") {
  const std::string body = body_of("content\r\n--");
  const std::size_t closed = body.size() - 2;  // The last line end may be missing.
  for (std::size_t size = 0; size < closed; ++size) {
    INFO("kept " << size << " of " << body.size() << " bytes");
    CHECK_FALSE(taken(body.substr(0, size), 5).status);
  }
  CHECK(taken(body.substr(0, closed), 5).status);
}

TEST_CASE("multipart: what the taker says ends it", "[net][multipart]") {
  auto form = MultipartFile::create(kType, "snapshot");
  REQUIRE(form);

  const Status fed = form->feed(
      body_of("x"), [](std::string_view) -> Status { return fail(ErrorCode::kNoSpace, "full"); });

  REQUIRE_FALSE(fed);
  CHECK(fed.error().code == ErrorCode::kNoSpace);
}
