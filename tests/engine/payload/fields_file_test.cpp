// .fields: which columns there are, and that no damage passes or crashes.
#include "engine/payload/fields_file.h"

#include <fstream>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "engine/payload/fields_format.h"
#include "storage/env/env.h"
#include "tests/engine/payload/payload_support.h"

using namespace vz;
using namespace vz::payload;
using namespace vz::payload::test;

namespace {

Result<std::unique_ptr<FieldsFile>> build_and_open(Env& env, const std::string& path,
                                                   const MemoryRows& rows,
                                                   std::span<const DeclaredField> declared = {}) {
  const auto built = build_fields(env, path, rows.row_count(), rows.reader(), declared);
  REQUIRE(built.has_value());
  return FieldsFile::open(env, path, rows.row_count());
}

/// Rows that fill every list of a column, in both forms of a row set.
MemoryRows varied_rows(std::uint32_t count) {
  std::vector<std::string> payloads;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    std::string json = "{\"s\":[\"t" + std::to_string(i % 7) + "\",\"u" + n + "\"],\"i\":" + n +
                       ",\"f\":" + n + ".5,\"b\":" + (i % 2 == 0 ? "true" : "false") +
                       ",\"u\":1844674407370955" + std::to_string(1000 + i % 600) +
                       ",\"t\":\"2024-05-0" + std::to_string(1 + i % 9) + "\"";
    if (i % 50 == 0) json += ",\"x\":null";
    if (i % 60 == 0) json += ",\"x\":[[],7,null]";
    payloads.push_back(json + "}");
  }
  return MemoryRows(std::move(payloads));
}

/// Filters that together read every part of every column of varied_rows().
const std::vector<std::string>& every_question() {
  static const std::vector<std::string> kQuestions = {
      R"({"must":{"key":"s","match":{"any":["t1","u5"]}}})",
      R"({"must":{"key":"s","match":{"except":["t1","u5"]}}})",
      R"({"must":{"key":"i","range":{"gte":3,"lt":40.5}}})",
      R"({"must":{"key":"f","range":{"gt":3.5}}})",
      R"({"must":{"key":"u","match":{"value":18446744073709551100}}})",
      R"({"must":{"key":"b","match":{"value":true}}})",
      R"({"must":{"key":"t","range":{"gt":"2024-05-03"}}})",
      R"({"must":{"key":"x","is_null":true}})",
      R"({"must":{"key":"x","is_empty":false}})",
      R"({"must":{"key":"x","match":{"except":[7]}}})",
  };
  return kQuestions;
}

/// The answers on `fields`, or the first error.
Result<std::vector<std::vector<std::uint32_t>>> ask_everything(const MemoryRows& rows,
                                                               const FieldsFile* fields) {
  std::vector<std::vector<std::uint32_t>> answers;
  for (const std::string& question : every_question()) {
    const auto filter = parse_filter(question);
    REQUIRE(filter.has_value());
    EvaluateStats stats;
    VZ_TRY_ASSIGN(const auto set, evaluate(*filter, rows, fields, stats));
    answers.push_back(rows_of(set));
  }
  return answers;
}

std::string read_raw(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_raw(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Publishes `content` with right checksums.
void write_checked(Env& env, const std::string& path, ByteSpan content) {
  auto writer = segment::CheckedFileWriter::create(env, path, segment::FileKind::kFields,
                                                   format::kFieldsVersion);
  REQUIRE(writer.has_value());
  REQUIRE((*writer)->append(content).has_value());
  REQUIRE((*writer)->finish().has_value());
}

}  // namespace

TEST_CASE("the first scalar paths get columns, declared paths always", "[payload][fields]") {
  std::string wide = "{";
  for (int i = 0; i < 100; ++i) wide += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  wide += R"("last":1,"list":[{"m":1}]})";
  const MemoryRows rows({R"({"obj":{"in":1,"deep":{"er":"x"}},"only":{"objects":{}},"n":null})",
                         R"({"late":[],"n":5,"quo.ted":{"a]b":true}})", R"({"late":["v"]})", wide});
  const std::vector<DeclaredField> declared = {{"last", FieldType::kInteger, ""},
                                               {"list[].m", FieldType::kInteger, ""},
                                               {"nowhere", FieldType::kKeyword, ""}};
  const auto env = make_posix_env();
  const TempDirectory directory;

  const auto fields = build_and_open(*env, directory.file("f"), rows, declared);

  REQUIRE(fields.has_value());
  const FieldsFile& file = **fields;
  CHECK(file.rows_with("obj.in") == 1);
  CHECK(file.rows_with("obj.deep.er") == 1);
  CHECK(file.rows_with("n") == 1);
  CHECK(file.rows_with("late") == 1);
  CHECK(file.rows_with("\"quo.ted\".\"a]b\"") == 1);
  CHECK(file.rows_with("last") == 1);
  CHECK(file.rows_with("list[].m") == 1);
  CHECK(file.rows_with("nowhere") == 0);
  CHECK_FALSE(file.has_column("only.objects"));
  CHECK_FALSE(file.has_column("obj"));
  CHECK_FALSE(file.has_column("not a..path"));
  CHECK(file.has_column("k50"));
  CHECK_FALSE(file.has_column("k99"));
  CHECK(file.row_count() == 4);
}

TEST_CASE("a column that starts late knows the rows before it", "[payload][fields]") {
  const MemoryRows rows({R"({"a":null})", R"({"a":[]})", R"({"a":{"b":1}})", "{}", R"({"a":1})"});
  const auto env = make_posix_env();
  const TempDirectory directory;
  const auto fields = build_and_open(*env, directory.file("f"), rows);
  REQUIRE(fields.has_value());
  const auto ask = [&](const std::string& json) {
    EvaluateStats stats;
    const auto set = evaluate(*parse_filter(json), rows, fields->get(), stats);
    REQUIRE(set.has_value());
    CHECK(stats.rows_decoded == 0);
    return rows_of(*set);
  };

  CHECK(ask(R"({"must":{"key":"a","is_null":true}})") == std::vector<std::uint32_t>{0});
  CHECK(ask(R"({"must":{"key":"a","is_empty":true}})") == std::vector<std::uint32_t>{0, 1, 3});
  CHECK(ask(R"({"must":{"key":"a","match":{"except":[1]}}})") == std::vector<std::uint32_t>{2});
}

TEST_CASE("no rows, and rows without payload", "[payload][fields]") {
  const auto env = make_posix_env();
  const TempDirectory directory;
  for (const std::vector<std::string>& payloads :
       {std::vector<std::string>{}, std::vector<std::string>{"", "{}", ""}}) {
    const MemoryRows rows(payloads);
    const auto fields = build_and_open(*env, directory.file("f"), rows,
                                       std::vector<DeclaredField>{{"a", FieldType::kBool, ""}});
    REQUIRE(fields.has_value());
    EvaluateStats stats;
    const auto set = evaluate(*parse_filter(R"({"must_not":{"key":"a","match":{"value":1}}})"),
                              rows, fields->get(), stats);
    REQUIRE(set.has_value());
    CHECK(set->count() == payloads.size());
  }
}

TEST_CASE("a payload that is damaged is corruption, not an answer", "[payload][fields]") {
  const MemoryRows rows({"{}", R"({"a":)"});
  const auto env = make_posix_env();
  const TempDirectory directory;
  EvaluateStats stats;

  const auto built = build_fields(*env, directory.file("f"), 2, rows.reader(), {});
  const auto set =
      evaluate(*parse_filter(R"({"must":{"key":"a","match":{"value":1}}})"), rows, nullptr, stats);

  REQUIRE_FALSE(built.has_value());
  CHECK(built.error().code == ErrorCode::kCorruption);
  CHECK_FALSE(env->exists(directory.file("f")));
  REQUIRE_FALSE(set.has_value());
  CHECK(set.error().code == ErrorCode::kCorruption);
  CHECK_THAT(set.error().message, Catch::Contains("row 1"));
}

TEST_CASE("an error of the payload reader ends the build, nothing is published",
          "[payload][fields]") {
  const auto env = make_posix_env();
  const TempDirectory directory;
  const PayloadOfRow broken = [](std::uint32_t row) -> Result<std::string_view> {
    if (row == 3) return fail(ErrorCode::kIoError, "row 3 is gone");
    return std::string_view("{}");
  };

  const auto built = build_fields(*env, directory.file("f"), 5, broken, {});

  REQUIRE_FALSE(built.has_value());
  CHECK(built.error().code == ErrorCode::kIoError);
  CHECK_FALSE(env->exists(directory.file("f")));
}

TEST_CASE("a file of another segment is refused", "[payload][fields]") {
  const auto env = make_posix_env();
  const TempDirectory directory;
  const MemoryRows rows = varied_rows(10);
  REQUIRE(build_and_open(*env, directory.file("f"), rows).has_value());

  const auto other = FieldsFile::open(*env, directory.file("f"), 11);

  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == ErrorCode::kCorruption);
  CHECK_THAT(other.error().message, Catch::Contains("expected 11 rows, found 10"));
  CHECK(FieldsFile::open(*env, directory.file("none"), 10).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a flipped bit is never part of an answer", "[payload][fields]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto env = make_posix_env();
  const TempDirectory directory;
  const std::string path = directory.file("f");
  const MemoryRows rows = varied_rows(3'000);  // more than one block of 64 KiB
  const auto good = build_and_open(*env, path, rows);
  REQUIRE(good.has_value());
  const auto answers = ask_everything(rows, good->get());
  REQUIRE(answers.has_value());
  REQUIRE(*answers == ask_everything(rows, nullptr).value());
  const std::string bytes = read_raw(path);
  REQUIRE(bytes.size() > 3 * 65'536);

  int refused = 0;
  constexpr int kRounds = 150;
  for (int round = 0; round < kRounds; ++round) {
    std::string bad = bytes;
    const std::size_t at = random() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
    write_raw(path, bad);
    CAPTURE(at);

    const auto opened = FieldsFile::open(*env, path, rows.row_count());
    if (!opened.has_value()) {
      ++refused;
      continue;
    }
    const auto found = ask_everything(rows, opened->get());
    if (!found.has_value()) {
      CHECK(found.error().code == ErrorCode::kCorruption);
      ++refused;
    } else {
      REQUIRE(*found == *answers);
    }
  }
  CHECK(refused > kRounds * 9 / 10);  // the rest hit padding that nobody reads
}

TEST_CASE("hostile bytes behind right checksums never crash", "[payload][fields]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto env = make_posix_env();
  const TempDirectory directory;
  const std::string path = directory.file("f");
  const MemoryRows rows = varied_rows(130);
  REQUIRE(build_and_open(*env, path, rows).has_value());
  Bytes content;
  {
    const auto file =
        segment::CheckedFile::open(*env, path, segment::FileKind::kFields, format::kFieldsVersion);
    REQUIRE(file.has_value());
    const auto bytes = (*file)->bytes(0, (*file)->content_size());
    REQUIRE(bytes.has_value());
    content.assign(bytes->begin(), bytes->end());
  }
  // The directory is a small part of the file and the most dangerous: half of the hits go there.
  const auto directory_at =
      load_number<std::uint64_t>(content.data() + content.size() - format::kFieldsFooterSize + 8);
  REQUIRE(directory_at < content.size());
  static constexpr std::uint64_t kNasty[] = {0,          1,          7,          8,
                                             0x7FFFFFFF, 0xFFFFFFFF, ~0ull,      ~0ull - 7,
                                             1ull << 63, 1ull << 32, 0x1FFFFull, 130};

  int answered = 0;
  int refused = 0;
  for (int round = 0; round < 1'500; ++round) {
    Bytes bad = content;
    for (auto hits = 1 + random() % 3; hits > 0; --hits) {
      const std::size_t from = random() % 2 == 0 ? directory_at : 0;
      const std::size_t at = from + random() % (bad.size() - from);
      const std::uint64_t value =
          random() % 2 == 0 ? kNasty[random() % std::size(kNasty)] : random() % (bad.size() + 16);
      const std::size_t size =
          std::min<std::size_t>(random() % 2 == 0 ? 8 : 1 + random() % 4, bad.size() - at);
      std::memcpy(bad.data() + at, &value, size);
    }
    if (random() % 20 == 0) bad.resize(random() % bad.size());
    write_checked(*env, path, bad);

    const auto opened = FieldsFile::open(*env, path, rows.row_count());
    if (!opened.has_value()) {
      CHECK(opened.error().code == ErrorCode::kCorruption);
      ++refused;
      continue;
    }
    const auto found = ask_everything(rows, opened->get());
    ++(found.has_value() ? answered : refused);
  }
  CAPTURE(answered, refused);
  CHECK(refused > 300);
}

TEST_CASE("many threads may be the first to use a column", "[payload][fields]") {
  const auto env = make_posix_env();
  const TempDirectory directory;
  const MemoryRows rows = varied_rows(500);
  const auto expected = ask_everything(rows, nullptr);
  for (int round = 0; round < 10; ++round) {
    const auto fields = build_and_open(*env, directory.file("f"), rows);
    REQUIRE(fields.has_value());
    std::vector<std::vector<std::vector<std::uint32_t>>> found(4);
    std::vector<std::thread> threads;
    for (auto& answer : found) {
      threads.emplace_back([&] {
        for (const std::string& question : every_question()) {
          EvaluateStats stats;
          const auto set = evaluate(*parse_filter(question), rows, fields->get(), stats);
          if (set.has_value()) answer.push_back(rows_of(*set));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& answer : found) CHECK(answer == *expected);
  }
}

TEST_CASE("names of field types", "[payload][fields]") {
  for (int i = 1; i <= 8; ++i) {
    const auto type = static_cast<FieldType>(i);
    CHECK(parse_field_type(field_type_name(type)) == type);
  }
  CHECK(field_type_name(FieldType::kDatetime) == "datetime");
  CHECK_FALSE(parse_field_type("Keyword").has_value());
}
