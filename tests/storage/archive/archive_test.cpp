// Archives on bytes alone: what is written reads back, the same bytes twice, and everything that
// does not belong is refused with its reason.
#include <catch2/catch.hpp>

#include "storage/archive/archive_reader.h"
#include "storage/archive/archive_writer.h"
#include "tests/support/tar_maker.h"

using namespace vz;
using namespace vz::archive;
using test::TarMaker;

namespace {

const std::string kSeg = "collections/7/0001-00000002.seg";

struct Content {
  std::string path;
  std::string text;
  friend bool operator==(const Content&, const Content&) = default;
};

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& letter : text)
    letter = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

std::vector<Content> example() {
  return {{"RESTORE", "what is here"},
          {"collections/7/0001-00000002.dead-12", ""},
          {"collections/7/0001-00000002.fields-4", std::string(100'000, 'f')},
          {"collections/7/0001-00000002.index-3", noise(300'001)},
          {kSeg, noise(70'000)}};
}

Bytes written(const std::vector<Content>& members, ArchiveFormat format) {
  MemorySink sink;
  auto writer = ArchiveWriter::create(sink, format, 1'700'000'000);
  REQUIRE(writer);
  for (const auto& member : members) {
    REQUIRE((*writer)->begin(member.path, member.text.size()));
    REQUIRE((*writer)->write(as_bytes(member.text)));
  }
  REQUIRE((*writer)->finish());
  return sink.bytes();
}

Result<std::vector<Content>> read_all(const Bytes& bytes, const ArchiveLimits& limits = {}) {
  MemorySource source(bytes);
  VZ_TRY_ASSIGN(const auto reader, ArchiveReader::open(source, limits));
  std::vector<Content> out;
  for (;;) {
    VZ_TRY_ASSIGN(const auto member, reader->next());
    if (!member) return out;
    out.push_back({member->path, ""});
    Bytes buffer(10'000);
    for (;;) {
      VZ_TRY_ASSIGN(const std::size_t got, reader->read(buffer));
      if (got == 0) break;
      out.back().text += as_text(ByteSpan(buffer).first(got));
    }
    if (out.back().text.size() != member->size_bytes) return fail(ErrorCode::kInternal, "size");
  }
}

/// The message of the refusal.
std::string refused(const Bytes& bytes, const ArchiveLimits& limits = {},
                    ErrorCode code = ErrorCode::kCorruption) {
  const auto read = read_all(bytes, limits);
  if (read) return "it was read";
  INFO(read.error().message);
  CHECK(read.error().code == code);
  return read.error().message;
}

}  // namespace

TEST_CASE("archive: what is written reads back, under either filter", "[archive]") {
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd}) {
    const auto read = read_all(written(example(), format));

    REQUIRE(read);
    CHECK(*read == example());
  }
}

TEST_CASE("archive: the same members give the same bytes", "[archive]") {
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd})
    CHECK(written(example(), format) == written(example(), format));
}

TEST_CASE("archive: the format is known by the end of a name", "[archive]") {
  CHECK(format_of_name("a.tar.gz") == ArchiveFormat::kTarGzip);
  CHECK(format_of_name("a.tgz") == ArchiveFormat::kTarGzip);
  CHECK(format_of_name("a.tar.zst") == ArchiveFormat::kTarZstd);
  CHECK_FALSE(format_of_name("a.tar"));
  CHECK_FALSE(format_of_name("a.zip"));
}

TEST_CASE("archive: a writer that was not finished leaves no sound archive", "[archive]") {
  MemorySink sink;
  {
    auto writer = ArchiveWriter::create(sink, ArchiveFormat::kTarGzip, 0);
    REQUIRE(writer);
    REQUIRE((*writer)->begin("RESTORE", 5));
    CHECK_FALSE((*writer)->write(as_bytes("123456")));
    REQUIRE((*writer)->write(as_bytes("1234")));
    CHECK_FALSE((*writer)->finish());
  }
  CHECK_FALSE(read_all(sink.bytes()));
}

TEST_CASE("archive: cut short anywhere it is refused", "[archive]") {
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd}) {
    const Bytes whole = written({{"RESTORE", "x"}, {kSeg, noise(5'000)}}, format);
    for (std::size_t size = 0; size < whole.size(); size += size < 100 ? 1 : 37) {
      INFO("kept " << size << " of " << whole.size());
      REQUIRE_FALSE(read_all(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))));
    }
  }
}

TEST_CASE("archive: bytes behind the end are refused", "[archive]") {
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd}) {
    for (const std::size_t size : {1u, 100u, 100'000u}) {
      for (const char filler : {'x', '\0'}) {
        Bytes bytes = written(example(), format);
        bytes.resize(bytes.size() + size, static_cast<std::byte>(filler));
        CHECK(refused(bytes).find("behind the end") != std::string::npos);
      }
    }
  }
}

TEST_CASE("archive: what is no such archive is told from a damaged one", "[archive]") {
  for (const std::string text : {"", "x", "PK\x03\x04 a zip file", "RESTORE as plain text"}) {
    const Bytes bytes(as_bytes(text).begin(), as_bytes(text).end());
    (void)refused(bytes, {}, ErrorCode::kNoData);
  }
}

TEST_CASE("archive: names that a data directory cannot hold are refused", "[archive]") {
  for (const std::string path :
       {"/etc/passwd", "/RESTORE", "../RESTORE", "collections/../../x.seg",
        "collections/7/../8/0001-00000002.seg", "./RESTORE", "CURRENT", "MANIFEST-1", "FORMAT",
        "security.json", "wal/0001-00000000000000000001.wal", "collections/7/0001-00000002.seg.tmp",
        "collections/7/1-2.seg", "collections/07/0001-00000002.seg",
        "collections/0/0001-00000002.seg", "collections/7/x/0001-00000002.seg",
        "collections//0001-00000002.seg", "collections/7/0001-00000002.index"}) {
    TarMaker tar;
    tar.file(path, "content");
    CAPTURE(path);
    CHECK(refused(tar.finish()).find("is refused") != std::string::npos);
  }
}

TEST_CASE("archive: links, devices and pipes are refused", "[archive]") {
  const auto reason = [](auto&& add) {
    TarMaker tar;
    add(tar);
    return refused(tar.finish());
  };
  CHECK(reason([](TarMaker& tar) { tar.symlink(kSeg, "/etc/passwd"); }).find("symbolic link") !=
        std::string::npos);
  CHECK(reason([](TarMaker& tar) { tar.hardlink(kSeg, "RESTORE"); }).find("hard link") !=
        std::string::npos);
  CHECK(reason([](TarMaker& tar) {
          tar.special(kSeg, TarMaker::Special::kCharacterDevice);
        }).find("device") != std::string::npos);
  CHECK(reason([](TarMaker& tar) {
          tar.special(kSeg, TarMaker::Special::kBlockDevice);
        }).find("device") != std::string::npos);
  CHECK(reason([](TarMaker& tar) { tar.special(kSeg, TarMaker::Special::kPipe); }).find("pipe") !=
        std::string::npos);
  CHECK(reason([](TarMaker& tar) {
          tar.special("x", TarMaker::Special::kDirectory);
        }).find("refused") != std::string::npos);
  CHECK(reason([](TarMaker& tar) { tar.symlink("collections", "/etc"); }).find("symbolic link") !=
        std::string::npos);
}

TEST_CASE("archive: the directories of its files are passed over", "[archive]") {
  TarMaker tar;
  tar.special("collections/", TarMaker::Special::kDirectory);
  tar.special("collections/7/", TarMaker::Special::kDirectory);
  tar.file(kSeg, "content");

  const auto read = read_all(tar.finish());

  REQUIRE(read);
  CHECK(*read == std::vector<Content>{{kSeg, "content"}});
}

TEST_CASE("archive: a name that is there twice is refused", "[archive]") {
  TarMaker tar;
  tar.file(kSeg, "one");
  tar.file(kSeg, "two");

  CHECK(refused(tar.finish()).find("twice") != std::string::npos);
}

TEST_CASE("archive: bombs end at a limit", "[archive]") {
  const Bytes zeros = written({{kSeg, std::string(20u << 20, '\0')}}, ArchiveFormat::kTarGzip);
  const Bytes many = written(example(), ArchiveFormat::kTarGzip);

  CHECK(refused(zeros, {.plain_bytes = 1u << 20}, ErrorCode::kTooLarge).find("unpacks to more") !=
        std::string::npos);
  CHECK(refused(zeros, {.ratio = 100, .ratio_from_bytes = 1u << 20}, ErrorCode::kTooLarge)
            .find("bomb") != std::string::npos);
  CHECK(refused(many, {.entries = 3}, ErrorCode::kTooLarge).find("more than 3 members") !=
        std::string::npos);
  CHECK(read_all(zeros));
}
