// Manifest images on bytes and on a disk that fails: what is published is whole or absent, and no
// damaged byte is believed.
#include "storage/manifest/manifest.h"

#include <catch2/catch.hpp>

#include "storage/base/crc32c.h"
#include "storage/env/fault_env.h"
#include "storage/format/manifest_format.h"
#include "tests/storage/manifest/random_manifest.h"

using namespace vz;
using manifest::Manifest;
using test::ManifestMaker;

namespace {

/// A small image with every kind of entry in it.
Manifest example(std::uint64_t number = 17) {
  ManifestMaker maker(3);
  Manifest made{.number = number, .next_seq = 9, .next_file_number = 5, .catalog_lsn = 40};
  made.epochs = {{1, 1, manifest::EpochKind::kStart}, {2, 30, manifest::EpochKind::kRestore}};
  made.collections = {{.id = 7, .name = "docs", .definition_json = "{}", .flushed_lsn = 39}};
  made.collections[0].segments = {{.epoch = 1, .seq = 3, .rows = 10, .seg = maker.file_info()},
                                  {.epoch = 2,
                                   .seq = 8,
                                   .rows = 5,
                                   .dead_rows = 5,
                                   .seg = maker.file_info(),
                                   .dead = manifest::VersionedFile{4, maker.file_info()}}};
  made.aliases = {{"a", 7}, {"b", 7}};
  return made;
}

/// Makes the checksum and the size of damaged bytes right again, as an attacker would.
void mend(Bytes& bytes) {
  using namespace format;
  if (bytes.size() < kManifestHeaderSize) return;
  store_number(bytes.data() + kManifestSizeOffset, static_cast<std::uint64_t>(bytes.size()));
  const ByteSpan all(bytes);
  store_number(bytes.data() + kManifestCrcOffset,
               crc32c(all.subspan(kManifestCrcOffset + 4), crc32c(all.first(kManifestCrcOffset))));
}

ErrorCode code_of(const Result<Manifest>& result) {
  REQUIRE_FALSE(result);
  CHECK_FALSE(result.error().message.empty());
  return result.error().code;
}

}  // namespace

TEST_CASE("manifest: decoding an encoded image gives it back", "[storage][manifest]") {
  const auto seed_base = std::random_device{}();
  for (std::uint64_t seed = seed_base; seed < seed_base + 200ull; ++seed) {
    CAPTURE(seed);
    const Manifest made = ManifestMaker(seed).make(seed);
    REQUIRE(manifest::check(made));

    const Bytes bytes = manifest::encode(made);
    const auto back = manifest::decode(bytes);

    REQUIRE(back);
    CHECK(*back == made);
    CHECK(manifest::encode(*back) == bytes);
  }
}

TEST_CASE("manifest: any flipped bit is corruption", "[storage][manifest]") {
  const Bytes good = manifest::encode(example());
  REQUIRE(manifest::decode(good));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte(1u << (bit % 8));
    const auto decoded = manifest::decode(bad);
    INFO("flipped bit " << bit);
    REQUIRE_FALSE(decoded);
    REQUIRE(decoded.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("manifest: an image cut short or extended is corruption", "[storage][manifest]") {
  const Bytes good = manifest::encode(example());
  for (std::size_t size = 0; size < good.size(); ++size) {
    INFO("kept " << size << " of " << good.size() << " bytes");
    REQUIRE(code_of(manifest::decode(ByteSpan(good).first(size))) == ErrorCode::kCorruption);
    Bytes mended(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    mend(mended);
    REQUIRE(code_of(manifest::decode(mended)) == ErrorCode::kCorruption);
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(code_of(manifest::decode(longer)) == ErrorCode::kCorruption);
  mend(longer);
  CHECK(code_of(manifest::decode(longer)) == ErrorCode::kCorruption);
}

TEST_CASE("manifest: hostile bytes under a right checksum are refused or read back the same",
          "[storage][manifest]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  ManifestMaker random(seed);
  const Bytes good = manifest::encode(example());
  for (int round = 0; round < 20'000; ++round) {
    Bytes bad = good;
    for (std::uint64_t change = 0; change <= random.below(3); ++change) {
      const std::size_t at =
          format::kManifestHeaderSize + random.below(bad.size() - format::kManifestHeaderSize);
      const bool extreme = random.below(2) == 0;
      bad[at] = extreme ? std::byte{0xff} : static_cast<std::byte>(random.below(256));
    }
    if (random.below(8) == 0) bad.resize(format::kManifestHeaderSize + random.below(bad.size()));
    mend(bad);

    const auto decoded = manifest::decode(bad);

    CAPTURE(round);
    if (decoded) {
      REQUIRE(manifest::check(*decoded));
      REQUIRE(manifest::encode(*decoded) == bad);
    } else {
      REQUIRE(decoded.error().code == ErrorCode::kCorruption);
    }
  }
}

TEST_CASE("manifest: a huge count is refused before anything is allocated for it",
          "[storage][manifest]") {
  Bytes bytes = manifest::encode(Manifest{});
  const std::size_t epochs_at = format::kManifestHeaderSize + 7 * 8;
  for (std::size_t list = 0; list < 3; ++list) {
    CAPTURE(list);
    Bytes bad = bytes;
    store_number(bad.data() + epochs_at + list * 4, std::uint32_t{0xffffffff});
    mend(bad);
    CHECK(code_of(manifest::decode(bad)) == ErrorCode::kCorruption);
  }
}

TEST_CASE("manifest: a newer format is incompatible, a damaged newer one is corruption",
          "[storage][manifest]") {
  Bytes newer = manifest::encode(example());
  store_number(newer.data() + format::kManifestFormatOffset, format::kManifestFormat + 1);
  newer.push_back(std::byte{42});  // Its body is none of our business.
  CHECK(code_of(manifest::decode(newer)) == ErrorCode::kCorruption);
  mend(newer);
  const auto decoded = manifest::decode(newer);
  CHECK(code_of(decoded) == ErrorCode::kIncompatible);
  CHECK(decoded.error().message.find("2") != std::string::npos);

  Bytes zero = manifest::encode(example());
  store_number(zero.data() + format::kManifestFormatOffset, std::uint32_t{0});
  mend(zero);
  CHECK(code_of(manifest::decode(zero)) == ErrorCode::kCorruption);
}

TEST_CASE("manifest: what no image may hold is neither published nor read", "[storage][manifest]") {
  const std::vector<std::pair<const char*, std::function<void(Manifest&)>>> faults = {
      {"epochs fall", [](auto& m) { std::swap(m.epochs[0], m.epochs[1]); }},
      {"epoch twice", [](auto& m) { m.epochs[1].epoch = 1; }},
      {"epoch zero", [](auto& m) { m.epochs[0].epoch = 0; }},
      {"first lsn falls", [](auto& m) { m.epochs[1].first_lsn = 0; }},
      {"kind zero", [](auto& m) { m.epochs[0].kind = manifest::EpochKind{0}; }},
      {"kind four", [](auto& m) { m.epochs[0].kind = manifest::EpochKind{4}; }},
      {"collection twice", [](auto& m) { m.collections.push_back(m.collections[0]); }},
      {"alias twice", [](auto& m) { m.aliases[1].name = "a"; }},
      {"seq not given out", [](auto& m) { m.next_seq = 8; }},
      {"number not given out", [](auto& m) { m.next_file_number = 4; }},
      {"more dead than rows", [](auto& m) { m.collections[0].segments[1].dead_rows = 6; }},
      {"segment twice",
       [](auto& m) { m.collections[0].segments[0] = m.collections[0].segments[1]; }},
      {"long name", [](auto& m) { m.collections[0].name.resize(1'025); }},
      {"long definition", [](auto& m) { m.collections[0].definition_json.resize((4u << 20) + 1); }},
      {"long alias", [](auto& m) { m.aliases[1].name.append(1'025, 'x'); }},
      {"many segments",
       [](auto& m) {
         m.next_seq = 10'000;
         auto& segments = m.collections[0].segments;
         while (segments.size() <= format::kManifestSegmentsMax) {
           segments.push_back({.epoch = 1, .seq = 10 + segments.size(), .seg = {}});
         }
       }},
      {"many collections",
       [](auto& m) {
         while (m.collections.size() <= format::kManifestCollectionsMax) {
           m.collections.push_back({.id = m.collections.back().id + 1});
         }
       }},
  };
  for (const auto& [name, damage] : faults) {
    CAPTURE(name);
    Manifest bad = example();
    damage(bad);
    FaultEnv env;
    REQUIRE(env.make_directory("/data"));

    const auto published = manifest::publish(env, "/data", bad);

    REQUIRE_FALSE(published);
    CHECK(published.error().code == ErrorCode::kOutOfRange);
    CHECK(env.list("/data")->empty());
    CHECK(code_of(manifest::decode(manifest::encode(bad))) == ErrorCode::kCorruption);
  }
}

TEST_CASE("manifest: the largest image the design allows fits", "[storage][manifest]") {
  Manifest large{.number = 1, .next_seq = 100'000, .next_file_number = 2};
  for (CollectionId id = 1; id <= 1'000; ++id) {
    manifest::CollectionEntry collection{.id = id, .name = std::string(255, 'n')};
    for (SegmentSeq seq = 0; seq < 64; ++seq) {
      collection.segments.push_back({.epoch = 1,
                                     .seq = id * 64 + seq,
                                     .seg = {},
                                     .dead = manifest::VersionedFile{1, {}},
                                     .index = manifest::VersionedFile{1, {}},
                                     .fields = manifest::VersionedFile{1, {}}});
    }
    large.collections.push_back(std::move(collection));
  }
  const Bytes bytes = manifest::encode(large);
  const auto back = manifest::decode(bytes);
  REQUIRE(back);
  CHECK(*back == large);
}

TEST_CASE("manifest: load gives the image that CURRENT names", "[storage][manifest]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/data"));
  CHECK(code_of(manifest::load(env, "/data")) == ErrorCode::kNotFound);

  REQUIRE(manifest::publish(env, "/data", example(17)));
  REQUIRE(manifest::publish(env, "/data", example(18)));

  CHECK(manifest::load(env, "/data") == example(18));
  CHECK(manifest::load_image(env, "/data", 17) == example(17));
  CHECK(code_of(manifest::load_image(env, "/data", 19)) == ErrorCode::kNotFound);
}

TEST_CASE("manifest: damage to CURRENT or to its image is corruption, never another image",
          "[storage][manifest]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/data"));
  REQUIRE(manifest::publish(env, "/data", example(17)));
  REQUIRE(manifest::publish(env, "/data", example(18)));
  const auto current = read_file(env, "/data/CURRENT", 64);
  REQUIRE(current);

  SECTION("a flipped bit of CURRENT") {
    for (std::size_t bit = 0; bit < current->size() * 8; ++bit) {
      CAPTURE(bit);
      REQUIRE(env.flip_bit("/data/CURRENT", bit / 8, bit % 8));
      REQUIRE(code_of(manifest::load(env, "/data")) == ErrorCode::kCorruption);
      REQUIRE(env.flip_bit("/data/CURRENT", bit / 8, bit % 8));
    }
    CHECK(manifest::load(env, "/data"));
  }
  SECTION("CURRENT cut short or grown") {
    for (std::size_t size = 0; size <= 200; ++size) {
      if (size == current->size()) continue;
      CAPTURE(size);
      Bytes bad = *current;
      bad.resize(size);
      REQUIRE(env.put_file("/data/CURRENT", bad));
      REQUIRE(code_of(manifest::load(env, "/data")) == ErrorCode::kCorruption);
    }
  }
  SECTION("the image is missing") {
    REQUIRE(env.remove("/data/MANIFEST-18"));
    const auto loaded = manifest::load(env, "/data");
    CHECK(code_of(loaded) == ErrorCode::kCorruption);
    CHECK(loaded.error().message.find("MANIFEST-18") != std::string::npos);
  }
  SECTION("an older image under its name") {
    REQUIRE(env.put_file("/data/MANIFEST-18", *read_file(env, "/data/MANIFEST-17", 1u << 20)));
    CHECK(code_of(manifest::load(env, "/data")) == ErrorCode::kCorruption);
  }
  SECTION("a damaged image is named with its path") {
    REQUIRE(env.flip_bit("/data/MANIFEST-18", 50, 3));
    const auto loaded = manifest::load(env, "/data");
    CHECK(code_of(loaded) == ErrorCode::kCorruption);
    CHECK(loaded.error().message.find("/data/MANIFEST-18") != std::string::npos);
  }
}

TEST_CASE("manifest: only exact names are names of images", "[storage][manifest]") {
  CHECK(manifest::file_name(17) == "MANIFEST-17");
  CHECK(manifest::parse_file_name("MANIFEST-17") == 17u);
  CHECK(manifest::parse_file_name("MANIFEST-18446744073709551615") == ~std::uint64_t{0});
  for (const char* name :
       {"", "MANIFEST", "MANIFEST-", "MANIFEST-017", "MANIFEST-1x", "MANIFEST-+1", "MANIFEST--1",
        "manifest-1", "MANIFEST-1.tmp", "MANIFEST-18446744073709551616", " MANIFEST-1"}) {
    CAPTURE(name);
    CHECK_FALSE(manifest::parse_file_name(name));
  }
}

TEST_CASE(
    "manifest: whatever call fails and whatever the power cut takes, the old image or the "
    "new one is in force",
    "[storage][manifest][fault]") {
  constexpr std::uint64_t kCalls = 10;  // Two atomic publishes of five calls each.
  constexpr std::uint64_t kSeeds = 100;
  int kept_old = 0;
  int kept_new = 0;
  for (std::uint64_t call = 0; call <= kCalls; ++call) {
    FaultEnv env;
    REQUIRE(env.make_directory("/data"));
    REQUIRE(manifest::publish(env, "/data", example(17)));
    env.fail_from(call, {.short_write = ShortWrite::kHalf});

    const auto published = manifest::publish(env, "/data", example(18));

    CHECK(published.has_value() == (call == kCalls));
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      CAPTURE(call, seed);
      const auto image = env.crash_image(seed);
      const auto loaded = manifest::load(*image, "/data");
      REQUIRE(loaded);
      REQUIRE((*loaded == example(17) || *loaded == example(18)));
      if (published) REQUIRE(loaded->number == 18);
      (loaded->number == 17 ? kept_old : kept_new) += 1;
    }
    env.lose_power_worst();
    CHECK(manifest::load(env, "/data")->number == (published ? 18 : 17));
  }
  CHECK(kept_old > 0);
  CHECK(kept_new > static_cast<int>(kSeeds));  // More than after the publish that went through.
}
