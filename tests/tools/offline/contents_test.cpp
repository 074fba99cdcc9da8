// Level 3: content that is wrong behind checksums that are right.
#include <limits>

#include "tests/storage/segment/mend.h"
#include "tests/tools/offline/data_kit.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

segment::FileInfo info_of(const Bytes& file) {
  Sha256 sha;
  sha.update(file);
  return {.size_bytes = file.size(),
          .trailer_crc32c = load_number<std::uint32_t>(file.data() + file.size() - 4),
          .sha256 = sha.finish()};
}

/// Puts `image` in force as if the node had published it.
void put_image(FaultEnv& env, const manifest::Manifest& image) {
  REQUIRE(env.put_file(std::string(kDataDir) + "/" + manifest::file_name(image.number),
                       manifest::encode(image)));
}

/// Changes the content of the file whose path holds `part`, and every checksum with it.
template <typename Change>
void change_content(FaultEnv& env, const std::string& part, Change change) {
  const std::string path = named_file(env, part);
  const auto file = read_file(env, path, 1u << 30);
  REQUIRE(file);
  Bytes content = content_of(*file);
  change(content);
  const auto version = load_number<std::uint16_t>(file->data() + file->size() - 54);
  const auto kind = load_number<std::uint8_t>(file->data() + file->size() - 52);
  const Bytes changed = sealed(content, kind, version);
  REQUIRE(env.put_file(path, changed));

  manifest::Manifest image = image_of(env);
  const store::Paths paths{kDataDir};
  for (auto& collection : image.collections) {
    for (auto& one : collection.segments) {
      if (paths.seg(collection.id, one.epoch, one.seq) == path) one.seg = info_of(changed);
      if (one.dead && paths.dead(collection.id, one.epoch, one.seq, one.dead->number) == path)
        one.dead->info = info_of(changed);
      if (one.index && paths.index(collection.id, one.epoch, one.seq, one.index->number) == path)
        one.index->info = info_of(changed);
      if (one.fields && paths.fields(collection.id, one.epoch, one.seq, one.fields->number) == path)
        one.fields->info = info_of(changed);
    }
  }
  put_image(env, image);
}

/// Offset of the float -1, which each vector of the example holds.
std::size_t place_of_minus_one(const Bytes& content) {
  for (std::size_t at = 0; at + 4 <= content.size(); at += 4)
    if (load_number<float>(content.data() + at) == -1.0f) return at;
  FAIL("no vector found");
  return 0;
}

void set_float(Bytes& content, float value) {
  store_number(content.data() + place_of_minus_one(content), value);
}

}  // namespace

TEST_CASE("check contents: a vector that is not finite is found at level 3 only", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  change_content(env, ".seg", [](Bytes& content) {
    set_float(content, std::numeric_limits<float>::infinity());
  });

  CHECK_FALSE(has(checked(env, Level::kBlocks), FindingId::kVector));
  const auto report = checked(env, Level::kContents);

  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kVector));
}

TEST_CASE("check contents: a vector that was exchanged differs from the row's hash", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  change_content(env, ".seg", [](Bytes& content) { set_float(content, 7.0f); });

  const auto report = checked(env, Level::kContents);

  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kRowHash));
}

TEST_CASE("check contents: another file with right checksums differs from the SHA-256",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  manifest::Manifest image = image_of(env);
  image.collections[0].segments[0].seg.sha256[5] ^= 1u;
  put_image(env, image);

  CHECK_FALSE(checked(env, Level::kBlocks).damaged());
  CHECK(has(checked(env, Level::kContents), FindingId::kSegmentHash));
}

TEST_CASE("check contents: points and digest of a collection are counted", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  manifest::Manifest image = image_of(env);
  image.collections[0].points += 1;
  image.collections[1].digest ^= 4u;
  put_image(env, image);

  const auto report = checked(env, Level::kContents);

  INFO(text_of(report.findings));
  REQUIRE(report.findings.size() == 2);
  CHECK(has(report, FindingId::kPointCount));
  CHECK(has(report, FindingId::kDigest));
}

TEST_CASE("check contents: dead rows of another number or order are a derived finding",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  change_content(env, ".dead-", [](Bytes& content) {
    store_number(content.data() + content.size() - 4, std::uint32_t{1'000'000});
  });

  const auto report = checked(env, Level::kBlocks);

  INFO(text_of(report.findings));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].id == FindingId::kDeadRows);
  CHECK(report.findings[0].damage == check::DamageClass::kDerived);
}

TEST_CASE("check contents: an index and columns that make no sense are derived findings",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  for (const std::string kind : {".index-", ".fields-"}) {
    change_content(env, kind, [](Bytes& content) {
      for (std::size_t at = content.size() / 2; at < content.size(); ++at)
        content[at] = std::byte{0xEE};
    });
  }

  CHECK_FALSE(checked(env, Level::kBlocks).damaged());
  const auto report = checked(env, Level::kContents);

  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kIndexContent));
  CHECK(has(report, FindingId::kFieldsContent));
  for (const auto& finding : report.findings) CHECK(finding.damage == check::DamageClass::kDerived);
}
