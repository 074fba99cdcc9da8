// The bundled data set: vectors, payloads, queries and their exact answers. Format: the README.md
// beside the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace vz::quickstart {

/// rows x columns, row-major.
template <typename T>
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<T> values;

  [[nodiscard]] std::span<const T> row(std::size_t index) const {
    return std::span(values).subspan(index * columns, columns);
  }
};

/// One way to search, and the ids of the exact answers, best first.
struct QuerySet {
  std::string name;
  std::string filter;  ///< JSON; "" for none
  Matrix<std::int32_t> answers;
};

struct WordsData {
  Matrix<float> vectors;              ///< row i is point i
  std::vector<std::string> payloads;  ///< JSON, one per row
  Matrix<float> queries;
  std::vector<QuerySet> sets;  ///< plain first, then the four filters
};

/// Errors: kNotFound, kIoError (a file cannot be read), kCorruption (sizes that do not fit
/// together; the message says file, expected and found).
Result<WordsData> read_words(const std::string& dir);

}  // namespace vz::quickstart
