#include "tools/bench/data_set.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

namespace vz::bench {
namespace {

constexpr unsigned kModelSeed = 1;
constexpr unsigned kRowSeed = 2;
constexpr unsigned kQuerySeed = 3;
constexpr std::uint32_t kLatent = 32;
constexpr std::uint32_t kCentres = 1'000;
constexpr float kSpread = 0.5f;
constexpr float kNoise = 0.1f;
constexpr std::int64_t kValuesMax = std::int64_t{1} << 33;

struct Header {
  std::int32_t rows = 0;
  std::int32_t columns = 0;
};

Result<Header> read_header(std::ifstream& in, const std::string& path) {
  Header header;
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in) return fail(ErrorCode::kIoError, path + ": cannot read its header");
  if (header.rows <= 0 || header.columns <= 0 ||
      std::int64_t{header.rows} * header.columns > kValuesMax) {
    return fail(ErrorCode::kCorruption, path + ": expected positive sizes, found " +
                                            std::to_string(header.rows) + " x " +
                                            std::to_string(header.columns));
  }
  return header;
}

void parallel(std::uint32_t count, unsigned threads,
              const std::function<void(std::uint32_t)>& work) {
  std::atomic<std::uint32_t> next{0};
  std::vector<std::jthread> helpers;
  for (unsigned i = 0; i < std::max(1u, threads); ++i) {
    helpers.emplace_back([&] {
      for (std::uint32_t at = next++; at < count; at = next++) work(at);
    });
  }
}

Matrix normal_matrix(std::mt19937& random, std::uint32_t rows, std::uint32_t dimension) {
  std::normal_distribution<float> normal;
  Matrix out{rows, dimension, std::vector<float>(std::size_t{rows} * dimension)};
  for (float& value : out.values) value = normal(random);
  return out;
}

}  // namespace

Result<Matrix> read_fbin(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::kNotFound, path + ": cannot be opened");
  VZ_TRY_ASSIGN(const Header header, read_header(in, path));
  // Before memory is taken for it: the header of some other file may claim anything.
  std::error_code error;
  const auto values = std::uint64_t(header.rows) * std::uint64_t(header.columns);
  if (std::filesystem::file_size(path, error) < sizeof header + values * sizeof(float)) {
    return fail(ErrorCode::kCorruption, path + ": ends before the last of its " +
                                            std::to_string(header.rows) + " x " +
                                            std::to_string(header.columns) + " values");
  }
  Matrix out{
      static_cast<std::uint32_t>(header.rows), static_cast<std::uint32_t>(header.columns), {}};
  out.values.resize(std::size_t{out.rows} * out.dimension);
  in.read(reinterpret_cast<char*>(out.values.data()),
          static_cast<std::streamsize>(out.values.size() * sizeof(float)));
  if (!in) return fail(ErrorCode::kIoError, path + ": cannot be read");
  return out;
}

Result<std::vector<std::vector<std::uint32_t>>> read_ibin(const std::string& path,
                                                          std::uint32_t rows) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::kNotFound, path + ": cannot be opened");
  VZ_TRY_ASSIGN(const Header header, read_header(in, path));
  std::vector<std::vector<std::uint32_t>> out(static_cast<std::size_t>(header.rows));
  for (auto& answer : out) {
    answer.resize(static_cast<std::size_t>(header.columns));
    in.read(reinterpret_cast<char*>(answer.data()),
            static_cast<std::streamsize>(answer.size() * sizeof(std::uint32_t)));
    if (!in) return fail(ErrorCode::kCorruption, path + ": ends before its last row");
    if (std::any_of(answer.begin(), answer.end(), [&](std::uint32_t id) { return id >= rows; })) {
      return fail(ErrorCode::kCorruption,
                  path + ": names a row beyond the " + std::to_string(rows) + " that there are");
    }
  }
  return out;
}

ClusteredVectors::ClusteredVectors(std::uint32_t dimension, unsigned seed) : random_(seed) {
  std::mt19937 model(kModelSeed);
  projection_ = normal_matrix(model, dimension, kLatent);
  centres_ = normal_matrix(model, kCentres, kLatent);
}

Matrix ClusteredVectors::draw(std::uint32_t rows) {
  const std::uint32_t dimension = projection_.rows;
  Matrix out{rows, dimension, std::vector<float>(std::size_t{rows} * dimension)};
  std::vector<float> latent(kLatent);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const auto centre = centres_.row(static_cast<std::uint32_t>(random_() % kCentres));
    for (std::uint32_t i = 0; i < kLatent; ++i) latent[i] = centre[i] + kSpread * normal_(random_);
    const auto values = out.row(row);
    for (std::uint32_t i = 0; i < dimension; ++i) {
      values[i] = vector::similarity(vector::Distance::kDot, projection_.row(i).data(),
                                     latent.data(), kLatent) +
                  kNoise * normal_(random_);
    }
  }
  return out;
}

DataSet generate(std::uint32_t rows, std::uint32_t dimension, std::uint32_t queries) {
  DataSet data;
  data.name = "generated " + std::to_string(rows) + "x" + std::to_string(dimension);
  data.base = ClusteredVectors(dimension, kRowSeed).draw(rows);
  data.queries = ClusteredVectors(dimension, kQuerySeed).draw(queries);
  return data;
}

void prepare(DataSet& data) {
  if (data.distance != vector::Distance::kCosine) return;
  for (std::uint32_t i = 0; i < data.base.rows; ++i) vector::normalize(data.base.row(i));
  for (std::uint32_t i = 0; i < data.queries.rows; ++i) vector::normalize(data.queries.row(i));
}

std::vector<std::vector<std::uint32_t>> exact_answers(const DataSet& data, std::uint32_t queries,
                                                      std::size_t k, unsigned threads,
                                                      std::span<const index::RowSet> filters) {
  std::vector<std::vector<std::uint32_t>> answers(queries);
  parallel(queries, threads, [&](std::uint32_t query) {
    std::vector<std::pair<float, std::uint32_t>> all;
    all.reserve(data.base.rows);
    for (std::uint32_t row = 0; row < data.base.rows; ++row) {
      if (!filters.empty() && !filters[query].contains(row)) continue;
      all.emplace_back(-vector::similarity(data.distance, data.queries.row(query).data(),
                                           data.base.row(row).data(), data.base.dimension),
                       row);
    }
    const std::size_t count = std::min(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
    for (std::size_t i = 0; i < count; ++i) answers[query].push_back(all[i].second);
  });
  return answers;
}

double recall_of(std::span<const std::uint32_t> found, std::span<const std::uint32_t> answer,
                 std::size_t k) {
  const auto expected = answer.first(std::min(k, answer.size()));
  if (expected.empty()) return 1.0;
  std::size_t hits = 0;
  for (const std::uint32_t row : expected) {
    hits += std::find(found.begin(), found.end(), row) != found.end() ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(expected.size());
}

}  // namespace vz::bench
