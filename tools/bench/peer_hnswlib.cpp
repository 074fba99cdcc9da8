// Compiled with -O3 -march=native and hnswlib's own SIMD code.
#include "tools/bench/peer_hnswlib.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

// engine/index compiles hnswlib's templates with other macros. Under one name the linker would keep
// one copy of each, and measure a mixture.
#define hnswlib hnswlib_peer
#include <hnswlib/hnswlib.h>

namespace vz::bench {
namespace {

constexpr std::size_t kSeed = 100;

/// The distance function in use while evaluations are counted, and how often it was called.
thread_local hnswlib::DISTFUNC<float> counted_function = nullptr;
thread_local std::uint64_t counted_calls = 0;

float counting(const void* a, const void* b, const void* parameter) {
  ++counted_calls;
  return counted_function(a, b, parameter);
}

class Hnswlib final : public Subject {
 public:
  Hnswlib(const DataSet& data, const PeerOptions& options) {
    const std::size_t dimension = data.base.dimension;
    if (data.distance == vector::Distance::kEuclid) {
      space_ = std::make_unique<hnswlib::L2Space>(dimension);
    } else {
      space_ = std::make_unique<hnswlib::InnerProductSpace>(dimension);
    }
    const auto begin = std::chrono::steady_clock::now();
    hnsw_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(
        space_.get(), data.base.rows, options.m, options.ef_construct, kSeed);
    hnsw_->addPoint(data.base.row(0).data(), 0);
    std::atomic<std::uint32_t> next{1};
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1u, options.threads); ++i) {
      threads.emplace_back([&] {
        for (std::uint32_t row = next++; row < data.base.rows; row = next++) {
          hnsw_->addPoint(data.base.row(row).data(), row);
        }
      });
    }
    threads.clear();
    build_seconds_ =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  [[nodiscard]] std::string name() const override { return "hnswlib f32"; }
  [[nodiscard]] double build_seconds() const override { return build_seconds_; }
  [[nodiscard]] std::uint64_t bytes() const override {
    std::uint64_t upper = 0;
    for (std::size_t i = 0; i < hnsw_->cur_element_count; ++i) {
      upper +=
          static_cast<std::uint64_t>(hnsw_->element_levels_[i]) * hnsw_->size_links_per_element_;
    }
    return hnsw_->cur_element_count * (hnsw_->size_data_per_element_ + sizeof(void*)) + upper;
  }
  void search(std::span<const float> query, std::size_t k, std::size_t ef,
              std::vector<std::uint32_t>& out) override {
    hnsw_->setEf(ef);
    auto found = hnsw_->searchKnn(query.data(), k);
    out.clear();
    for (; !found.empty(); found.pop())
      out.push_back(static_cast<std::uint32_t>(found.top().second));
  }
  std::uint64_t count_evaluations(std::span<const float> query, std::size_t k,
                                  std::size_t ef) override {
    counted_function = hnsw_->fstdistfunc_;
    counted_calls = 0;
    hnsw_->fstdistfunc_ = counting;
    std::vector<std::uint32_t> ignored;
    search(query, k, ef, ignored);
    hnsw_->fstdistfunc_ = counted_function;
    return counted_calls;
  }

 private:
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> hnsw_;
  double build_seconds_ = 0;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_hnswlib(const DataSet& data, const PeerOptions& options) {
  if (data.distance == vector::Distance::kManhattan) {
    return fail(ErrorCode::kUnsupported, "hnswlib has no Manhattan space");
  }
  try {
    return std::make_unique<Hnswlib>(data, options);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, std::string("hnswlib: ") + error.what());
  }
}

}  // namespace vz::bench
