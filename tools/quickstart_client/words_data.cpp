#include "tools/quickstart_client/words_data.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace vz::quickstart {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::int32_t kRowsMax = 10'000'000;
constexpr std::int32_t kColumnsMax = 65'536;

Result<std::string> read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return fail(ErrorCode::kNotFound, path + ": " + std::strerror(errno));
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return fail(ErrorCode::kIoError, path + ": could not be read");
  return bytes;
}

/// int32 rows, int32 columns, then the values.
template <typename T>
Result<Matrix<T>> read_matrix(const std::string& path) {
  static_assert(sizeof(T) == 4);
  VZ_TRY_ASSIGN(const std::string bytes, read_file(path));
  std::int32_t shape[2] = {0, 0};
  if (bytes.size() >= sizeof shape) std::memcpy(shape, bytes.data(), sizeof shape);
  const auto [rows, columns] = shape;
  if (rows < 1 || rows > kRowsMax || columns < 1 || columns > kColumnsMax) {
    return fail(ErrorCode::kCorruption, path + ": a shape of " + std::to_string(rows) + " x " +
                                            std::to_string(columns) + " at offset 0");
  }
  Matrix<T> matrix{.rows = static_cast<std::size_t>(rows),
                   .columns = static_cast<std::size_t>(columns),
                   .values = {}};
  const std::size_t expected = sizeof shape + matrix.rows * matrix.columns * sizeof(T);
  if (bytes.size() != expected) {
    return fail(ErrorCode::kCorruption, path + ": expected " + std::to_string(expected) +
                                            " bytes, found " + std::to_string(bytes.size()));
  }
  matrix.values.resize(matrix.rows * matrix.columns);
  std::memcpy(matrix.values.data(), bytes.data() + sizeof shape, expected - sizeof shape);
  return matrix;
}

Result<std::vector<std::string>> read_lines(const std::string& path, std::size_t expected) {
  std::ifstream stream(path);
  if (!stream) return fail(ErrorCode::kNotFound, path + ": " + std::strerror(errno));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  if (lines.size() != expected) {
    return fail(ErrorCode::kCorruption, path + ": expected " + std::to_string(expected) +
                                            " lines, found " + std::to_string(lines.size()));
  }
  return lines;
}

struct SetName {
  const char* name;
  const char* file;
  const char* filter;
};

constexpr SetName kSets[] = {
    {"plain", "all", ""},
    {"length == 5", "length_5", R"({"must":[{"key":"length","match":{"value":5}}]})"},
    {"initial == \"q\"", "initial_q", R"({"must":[{"key":"initial","match":{"value":"q"}}]})"},
    {"rank < 10000", "rank_lt_10000", R"({"must":[{"key":"rank","range":{"lt":10000}}]})"},
    {"letters has \"z\"", "letters_z", R"({"must":[{"key":"letters","match":{"value":"z"}}]})"},
};

}  // namespace

Result<WordsData> read_words(const std::string& dir) {
  WordsData data;
  VZ_TRY_ASSIGN(data.vectors, read_matrix<float>(dir + "/words.fbin"));
  VZ_TRY_ASSIGN(data.payloads, read_lines(dir + "/words.jsonl", data.vectors.rows));
  VZ_TRY_ASSIGN(data.queries, read_matrix<float>(dir + "/queries.fbin"));
  if (data.queries.columns != data.vectors.columns) {
    return fail(ErrorCode::kCorruption, dir + ": queries and vectors differ in dimension");
  }
  for (const auto& set : kSets) {
    const std::string path = dir + "/answers." + set.file + ".ibin";
    VZ_TRY_ASSIGN(auto answers, read_matrix<std::int32_t>(path));
    if (answers.rows != data.queries.rows) {
      return fail(ErrorCode::kCorruption, path + ": expected " + std::to_string(data.queries.rows) +
                                              " rows, found " + std::to_string(answers.rows));
    }
    data.sets.push_back({.name = set.name, .filter = set.filter, .answers = std::move(answers)});
  }
  return data;
}

}  // namespace vz::quickstart
