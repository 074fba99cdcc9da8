// What is measured: something that answers nearest-neighbour queries.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vz::bench {

class Subject {
 public:
  virtual ~Subject() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual double build_seconds() const = 0;
  /// Resident bytes of codes or vectors and graph.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  /// The `k` nearest rows, in any order.
  virtual void search(std::span<const float> query, std::size_t k, std::size_t ef,
                      std::vector<std::uint32_t>& out) = 0;
  /// Distances computed by one such search; may be slower than search().
  virtual std::uint64_t count_evaluations(std::span<const float> query, std::size_t k,
                                          std::size_t ef) = 0;
};

}  // namespace vz::bench
