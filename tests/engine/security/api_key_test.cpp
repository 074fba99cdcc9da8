// Keys: how they look, how one is recognised, and what their scopes and patterns let through.
#include "engine/security/api_key.h"

#include <set>

#include <catch2/catch.hpp>

#include "engine/limits.h"

using namespace vz;
using namespace vz::security;

namespace {

ApiKey key_of(const FreshSecret& fresh) {
  ApiKey key;
  key.id = fresh.id;
  key.name = "n";
  key.secret_sha256 = fresh.sha256;
  key.scopes.add(Scope::kRead);
  return key;
}

}  // namespace

TEST_CASE("keys: a fresh one is recognised, and nothing near it", "[security]") {
  const FreshSecret fresh = make_secret();
  const ApiKey key = key_of(fresh);

  CHECK(is_key_id(fresh.id));
  CHECK(fresh.text.size() == 3 + 16 + 1 + 64);
  CHECK(id_of_key_text(fresh.text) == fresh.id);
  CHECK(is_text_of(key, fresh.text));
  for (std::size_t i = 0; i < fresh.text.size(); ++i) {
    CAPTURE(i);
    std::string other = fresh.text;
    other[i] = other[i] == 'g' ? 'h' : 'g';
    CHECK_FALSE((id_of_key_text(other) == fresh.id && is_text_of(key, other)));
    CHECK_FALSE(is_text_of(key, fresh.text.substr(0, i)));
  }
}

TEST_CASE("keys: no two are the same, and ids hold the letters g to z only", "[security]") {
  std::set<std::string> ids;
  std::set<char> letters;
  for (int i = 0; i < 500; ++i) {
    const FreshSecret fresh = make_secret();
    ids.insert(fresh.id);
    letters.insert(fresh.id.begin(), fresh.id.end());
  }
  CHECK(ids.size() == 500);
  CHECK(letters.size() == 20);
  CHECK(*letters.begin() == 'g');
  CHECK(*letters.rbegin() == 'z');
}

TEST_CASE("keys: text that looks like none has no id", "[security]") {
  const std::string good = make_secret().text;
  for (const std::string& text :
       {std::string(), std::string("vz_"), good + "0", good.substr(1), "VZ_" + good.substr(3),
        good.substr(0, 3) + "a" + good.substr(4), good.substr(0, good.size() - 1) + "x",
        std::string(good.size(), '_'), std::string(good.size(), '\0')}) {
    CAPTURE(text);
    CHECK_FALSE(id_of_key_text(text));
  }
}

TEST_CASE("scopes: admin implies all, write implies read, and nothing else implies anything",
          "[security]") {
  for (const Scope granted : key_scopes()) {
    ScopeSet scopes;
    scopes.add(granted);
    for (const Scope needed : key_scopes()) {
      CAPTURE(scope_name(granted), scope_name(needed));
      const bool expected = granted == needed || granted == Scope::kAdmin ||
                            (granted == Scope::kWrite && needed == Scope::kRead);
      CHECK(scopes.allow(needed) == expected);
    }
    CHECK(scopes.allow(Scope::kPublic));
  }
  CHECK_FALSE(parse_key_scope("public"));
  CHECK_FALSE(parse_key_scope("Admin"));
  CHECK_FALSE(parse_key_scope(""));
}

TEST_CASE("patterns: stars and question marks, and no more", "[security]") {
  struct Row {
    std::string pattern, name;
    bool matches;
  };
  for (const Row& row : std::vector<Row>{{"docs", "docs", true},
                                         {"docs", "docs2", false},
                                         {"docs*", "docs", true},
                                         {"docs*", "docs-2024", true},
                                         {"docs*", "mydocs", false},
                                         {"*docs", "mydocs", true},
                                         {"*", "", true},
                                         {"*", "anything", true},
                                         {"a?c", "abc", true},
                                         {"a?c", "ac", false},
                                         {"a*b*c", "a-b-b-c", true},
                                         {"a*b*c", "acb", false},
                                         {"**a", "ba", true},
                                         {"[a]", "a", false},
                                         {"Docs", "docs", false},
                                         {"", "", true},
                                         {"", "a", false}}) {
    CAPTURE(row.pattern, row.name);
    CHECK(glob_matches(row.pattern, row.name) == row.matches);
  }
  // A pattern made to be slow where each star tries all that the others have left.
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*a";
  CHECK_FALSE(glob_matches(stars + "*b", std::string(255, 'a')));
}

TEST_CASE("keys: each bound is kept and named", "[security]") {
  const ApiKey good = key_of(make_secret());
  REQUIRE(check(good));
  const auto refused = [&](const char* field, auto change) {
    ApiKey key = good;
    change(key);
    const Status status = check(key);
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find(field) == 0);
  };
  refused("key_id", [](ApiKey& key) { key.id = "abc"; });
  refused("name", [](ApiKey& key) { key.name = ""; });
  refused("name", [](ApiKey& key) { key.name = std::string(limits::kKeyNameBytesMax + 1, 'n'); });
  refused("name", [](ApiKey& key) { key.name = "a\nb"; });
  refused("name", [](ApiKey& key) { key.name = "a\x1b[2J"; });
  refused("scopes", [](ApiKey& key) { key.scopes = {}; });
  refused("cidrs", [](ApiKey& key) { key.cidrs.resize(limits::kKeyCidrsMax + 1); });
  refused("collections",
          [](ApiKey& key) { key.collections.resize(limits::kKeyGlobsMax + 1, "a"); });
  refused("collections", [](ApiKey& key) { key.collections = {""}; });
  refused("collections",
          [](ApiKey& key) { key.collections.resize(20, std::string(limits::kNameBytesMax, 'a')); });
  for (const Scope scope : {Scope::kAdmin, Scope::kSnapshot, Scope::kReplicate}) {
    refused("collections", [scope](ApiKey& key) {
      key.scopes.add(scope);
      key.collections = {"docs"};
    });
  }
}
