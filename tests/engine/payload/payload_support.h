// Rows in memory and directories that vanish, for the tests of this folder.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/payload/fields_file.h"
#include "engine/payload/filter.h"
#include "engine/payload/payload.h"

namespace vz::payload::test {

class TempDirectory {
 public:
  TempDirectory() {
    // In memory where there is such a place: hundreds of files are synced.
    const std::filesystem::path memory = "/dev/shm";
    const auto base =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "vz-payload-XXXXXX").string();
    path_ = mkdtemp(name.data()) != nullptr ? name : "";
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Row i has id 10 + i, and a vector "image" if i is odd; all have "".
class MemoryRows final : public FilterRows {
 public:
  explicit MemoryRows(std::vector<std::string> payloads) : payloads_(std::move(payloads)) {}

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(payloads_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(10 + row); }
  [[nodiscard]] std::optional<std::uint32_t> find(PointId id) const override {
    if (!id.is_number() || id.low < 10 || id.low >= 10 + payloads_.size()) return std::nullopt;
    return static_cast<std::uint32_t>(id.low - 10);
  }
  [[nodiscard]] bool has_vector(std::string_view name, std::uint32_t row) const override {
    return name.empty() || (name == "image" && row % 2 == 1);
  }
  Result<std::string> payload(std::uint32_t row) const override { return payloads_[row]; }

  [[nodiscard]] PayloadOfRow reader() const {
    return [this](std::uint32_t row) -> Result<std::string_view> { return payloads_[row]; };
  }
  [[nodiscard]] bool matches_row(const Filter& filter, std::uint32_t row) const {
    std::string flat;
    flatten(payloads_[row], flat);
    std::vector<std::string> vectors = {""};
    if (row % 2 == 1) vectors.push_back("image");
    return matches(filter, {id(row), flat, &vectors});
  }

 private:
  std::vector<std::string> payloads_;
};

inline std::vector<std::uint32_t> rows_of(const index::RowSet& set) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t row = 0; row < set.rows(); ++row) {
    if (set.contains(row)) out.push_back(row);
  }
  return out;
}

}  // namespace vz::payload::test
