// Where a definition wants its indexes kept, and what a patch makes of that.
#include "engine/collection/definition.h"

#include <catch2/catch.hpp>

using namespace vz;
using namespace vz::collection;

namespace {

constexpr auto kMapped = index::Placement::kMapped;
constexpr auto kResident = index::Placement::kResident;
using Placements = std::vector<index::Placement>;

CollectionDefinition two_vectors(std::map<std::string, std::string> options) {
  CollectionDefinition definition;
  for (const char* name : {"a", "b"}) {
    VectorDefinition& vector = definition.vectors.emplace_back();
    vector.name = name;
    vector.size = 4;
  }
  definition.options = std::move(options);
  return definition;
}

Placements placements(std::map<std::string, std::string> options) {
  return index_placements(two_vectors(std::move(options)));
}

}  // namespace

TEST_CASE("definition: indexes are resident unless on_disk says otherwise", "[collection]") {
  CHECK(placements({}) == Placements{kResident, kResident});
  CHECK(placements({{"hnsw_config", R"({"on_disk":false})"}}) == Placements{kResident, kResident});
  CHECK(placements({{"hnsw_config", R"({"on_disk":true})"}}) == Placements{kMapped, kMapped});
  CHECK(placements({{"vectors", R"({"b":{"on_disk":true}})"}}) == Placements{kResident, kMapped});
  CHECK(placements({{"vectors", R"({"a":{"hnsw_config":{"on_disk":true}}})"}}) ==
        Placements{kMapped, kResident});
  CHECK(placements({{"hnsw_config", R"({"on_disk":true})"},
                    {"vectors", R"({"a":{"hnsw_config":{"on_disk":false}}})"}}) ==
        Placements{kResident, kMapped});
}

TEST_CASE("definition: a patch of one vector leaves its other settings and the other vectors",
          "[collection]") {
  const auto base = two_vectors(
      {{"vectors", R"({"a":{"datatype":"float32","on_disk":true},"b":{"on_disk":true}})"}});
  DefinitionPatch patch;
  patch.options["vectors"] = R"({"a":{"on_disk":false}})";

  const auto next = patched(base, patch);

  CHECK(next.options.at("vectors") ==
        R"({"a":{"datatype":"float32","on_disk":false},"b":{"on_disk":true}})");
  CHECK(index_placements(next) == Placements{kResident, kMapped});
  const auto read = definition_from_json(to_json(next));
  REQUIRE(read);
  CHECK(*read == next);
}

TEST_CASE("definition: a patch of a vector that there is not is refused by name", "[collection]") {
  DefinitionPatch patch;
  CHECK(check_vectors_known(two_vectors({}), patch));
  patch.options["vectors"] = R"({"a":{"on_disk":true}})";
  CHECK(check_vectors_known(two_vectors({}), patch));
  patch.options["vectors"] = R"({"a":{},"c":{"on_disk":true}})";

  const Status refused = check_vectors_known(two_vectors({}), patch);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(refused.error().message == "Not existing vector name error: c");
}
