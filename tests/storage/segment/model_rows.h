// Rows in plain vectors: what a segment is written from and compared with.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "storage/segment/segment.h"

namespace vz::test {

struct ModelVector {
  std::vector<float> values;
  std::vector<std::uint32_t> indices;
};

struct ModelRow {
  PointId id;
  Lsn version = 0;
  std::uint64_t hash = 0;
  std::vector<std::optional<ModelVector>> vectors;
  std::string payload;
};

class ModelRows final : public segment::RowSource {
 public:
  std::vector<ModelRow> rows;

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(rows.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return rows[row].id; }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return rows[row].version; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return rows[row].hash; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    const auto& vector = rows[row].vectors[column];
    if (!vector) return std::nullopt;
    return segment::VectorRef{vector->values, vector->indices};
  }
  Result<std::string_view> payload(std::uint32_t row) const override {
    borrowed_ = rows[row].payload;  // Valid until the next call and no longer.
    return std::string_view(borrowed_);
  }

 private:
  mutable std::string borrowed_;
};

/// What a segment gives back for a payload.
inline std::string stored_payload(const std::string& payload) {
  return payload.empty() ? "{}" : payload;
}

struct ModelOptions {
  std::uint32_t rows = 1000;
  std::uint32_t uuid_percent = 50;
  std::uint32_t absent_percent = 30;   ///< of the vectors of a column, but for the first column
  std::uint32_t payload_percent = 80;  ///< of the rows that have one
  std::size_t payload_size_max = 400;
};

inline std::optional<ModelVector> random_vector(const segment::VectorColumn& column,
                                                std::mt19937& random) {
  std::normal_distribution<float> normal;
  ModelVector vector;
  std::size_t count = column.dimension;
  if (column.kind == segment::VectorKind::kMulti) count *= random() % 4;
  if (column.kind == segment::VectorKind::kSparse) {
    count = random() % 12;
    std::uint32_t index = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vector.indices.push_back(index += 1 + random() % 1000);
    }
  }
  for (std::size_t i = 0; i < count; ++i) vector.values.push_back(normal(random));
  return vector;
}

inline ModelRows random_rows(const std::vector<segment::VectorColumn>& columns,
                             const ModelOptions& options, std::mt19937& random) {
  std::vector<PointId> ids;
  const auto wide = [&] { return std::uint64_t{random()} << 32 | random(); };
  for (std::uint32_t i = 0; i < options.rows; ++i) {
    ids.push_back(random() % 100 < options.uuid_percent ? PointId::uuid(wide(), wide())
                                                        : PointId::number(wide()));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  ModelRows model;
  for (const PointId& id : ids) {
    ModelRow row{
        .id = id, .version = random() % 100000 + 1, .hash = wide(), .vectors = {}, .payload = {}};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool absent = i != 0 && random() % 100 < options.absent_percent;
      row.vectors.push_back(absent ? std::nullopt : random_vector(columns[i], random));
    }
    if (random() % 100 < options.payload_percent) {
      row.payload = R"({"text":")";
      row.payload.append(random() % options.payload_size_max,
                         static_cast<char>('a' + random() % 26));
      row.payload += "\"}";
    }
    model.rows.push_back(std::move(row));
  }
  return model;
}

/// Requires every accessor to give what the model holds.
inline void require_equal(const segment::Segment& segment, const ModelRows& model) {
  REQUIRE(segment.row_count() == model.row_count());
  std::size_t wrong = 0;
  for (std::uint32_t row = 0; row < model.row_count(); ++row) {
    const ModelRow& expected = model.rows[row];
    wrong += segment.id(row) == expected.id ? 0 : 1;
    wrong += segment.version(row) == expected.version ? 0 : 1;
    wrong += segment.row_hash(row) == expected.hash ? 0 : 1;
    wrong += segment.find(expected.id) == row ? 0 : 1;
    const auto payload = segment.payload(row);
    wrong += payload && *payload == stored_payload(expected.payload) ? 0 : 1;
    for (std::size_t column = 0; column < expected.vectors.size(); ++column) {
      const auto& vector = expected.vectors[column];
      wrong += segment.has_vector(column, row) == vector.has_value() ? 0 : 1;
      const auto found = segment.vector(column, row);
      REQUIRE(found);
      REQUIRE(found->has_value() == vector.has_value());
      const bool dense = segment.footer().columns[column].kind == segment::VectorKind::kDense;
      const float* fast = dense ? segment.dense(column, row) : nullptr;
      if (!vector) {
        wrong += fast == nullptr ? 0 : 1;
        continue;
      }
      const segment::VectorRef& ref = **found;
      wrong += std::equal(ref.values.begin(), ref.values.end(), vector->values.begin(),
                          vector->values.end())
                   ? 0
                   : 1;
      wrong += std::equal(ref.indices.begin(), ref.indices.end(), vector->indices.begin(),
                          vector->indices.end())
                   ? 0
                   : 1;
      if (dense) wrong += fast == ref.values.data() ? 0 : 1;
    }
    if (wrong != 0) FAIL("row " << row << " differs");
  }
  CHECK_FALSE(segment.failed());
  CHECK_FALSE(segment.damage().has_value());
}

}  // namespace vz::test
