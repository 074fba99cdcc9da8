// Level 3: content that is wrong behind checksums that are right.
#include <limits>

#include "tests/tools/offline/changed_content.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

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
  change_content(env, named_file(env, ".seg"), [](Bytes& content) {
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
  change_content(env, named_file(env, ".seg"), [](Bytes& content) { set_float(content, 7.0f); });

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
  change_content(env, named_file(env, ".dead-"), [](Bytes& content) {
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
    change_content(env, named_file(env, kind), [](Bytes& content) {
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
