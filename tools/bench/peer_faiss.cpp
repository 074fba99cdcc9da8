#include "tools/bench/peer_faiss.h"

#ifdef VZ_FAISS
#include <chrono>
#include <exception>

#include <faiss/IndexHNSW.h>
#include <omp.h>

namespace vz::bench {
namespace {

class Faiss final : public Subject {
 public:
  Faiss(const DataSet& data, const PeerOptions& options)
      : index_(static_cast<int>(data.base.dimension), faiss::ScalarQuantizer::QT_8bit,
               static_cast<int>(options.m),
               data.distance == vector::Distance::kEuclid ? faiss::METRIC_L2
                                                          : faiss::METRIC_INNER_PRODUCT) {
    index_.hnsw.efConstruction = static_cast<int>(options.ef_construct);
    omp_set_num_threads(static_cast<int>(options.threads));
    const auto begin = std::chrono::steady_clock::now();
    index_.train(data.base.rows, data.base.values.data());
    index_.add(data.base.rows, data.base.values.data());
    build_seconds_ =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    omp_set_num_threads(1);
  }

  [[nodiscard]] std::string name() const override { return "faiss sq8"; }
  [[nodiscard]] double build_seconds() const override { return build_seconds_; }
  [[nodiscard]] std::uint64_t bytes() const override {
    const faiss::HNSW& graph = index_.hnsw;
    return static_cast<std::uint64_t>(index_.ntotal) * index_.storage->sa_code_size() +
           graph.neighbors.size() * sizeof(graph.neighbors[0]) +
           graph.offsets.size() * sizeof(graph.offsets[0]) +
           graph.levels.size() * sizeof(graph.levels[0]);
  }
  void search(std::span<const float> query, std::size_t k, std::size_t ef,
              std::vector<std::uint32_t>& out) override {
    index_.hnsw.efSearch = static_cast<int>(ef);
    similarities_.resize(k);
    labels_.resize(k);
    index_.search(1, query.data(), static_cast<faiss::Index::idx_t>(k), similarities_.data(),
                  labels_.data());
    out.clear();
    for (const faiss::Index::idx_t label : labels_) {
      if (label >= 0) out.push_back(static_cast<std::uint32_t>(label));
    }
  }
  std::uint64_t count_evaluations(std::span<const float> query, std::size_t k,
                                  std::size_t ef) override {
    faiss::hnsw_stats.reset();
    std::vector<std::uint32_t> ignored;
    search(query, k, ef, ignored);
    return faiss::hnsw_stats.n3;  // On the lowest level, which is nearly all.
  }

 private:
  faiss::IndexHNSWSQ index_;
  std::vector<float> similarities_;
  std::vector<faiss::Index::idx_t> labels_;
  double build_seconds_ = 0;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_faiss(const DataSet& data, const PeerOptions& options) {
  if (data.distance == vector::Distance::kManhattan) {
    return fail(ErrorCode::kUnsupported, "Faiss's HNSW is measured without Manhattan");
  }
  try {
    return std::make_unique<Faiss>(data, options);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, std::string("faiss: ") + error.what());
  }
}

}  // namespace vz::bench
#else
namespace vz::bench {

Result<std::unique_ptr<Subject>> make_faiss(const DataSet& /*data*/,
                                            const PeerOptions& /*options*/) {
  return fail(ErrorCode::kUnsupported,
              "this vz_bench was built without Faiss: install libfaiss-dev, then configure again");
}

}  // namespace vz::bench
#endif
