#include "tools/bench/live_insert.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"
#include "tools/bench/ingest.h"
#include "tools/bench/load_loop.h"
#include "tools/drive/collection_api.h"

namespace vz::bench {
namespace {

using drive::HttpClient;

constexpr long kTimeoutMs = 60'000;
constexpr unsigned kSeed = 2;
constexpr std::uint64_t kWaveBytes = 512u << 20;  ///< of requests that are ready to be sent
constexpr std::uint64_t kValueBytes = 12;         ///< of a float32 in JSON, roughly
constexpr double kMega = 1e6;

/// The collection to write into: made if it is not there, and dropped at the end if it was made.
class Target {
 public:
  Target(HttpClient& http, const LiveInsertOptions& options) : http_(http), options_(options) {}
  ~Target() {
    if (drop_at_end_) static_cast<void>(drive::drop_collection(http_, options_.collection));
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  Status prepare() {
    const auto shape = drive::collection_shape(http_, options_.collection);
    if (shape) return check_existing(*shape);
    if (shape.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(shape.error());
    VZ_TRY(drive::create_collection(http_, options_.collection, options_.dimension,
                                    options_.distance));
    made_ = true;
    drop_at_end_ = options_.afterwards == Afterwards::kDropped;
    return {};
  }

  /// Of a collection that was made here: whether every point is there.
  Status check_count() {
    if (!made_) return {};
    VZ_TRY_ASSIGN(const auto shape, drive::collection_shape(http_, options_.collection));
    if (shape.points == options_.points) return {};
    return fail(ErrorCode::kCorruption, "collection '" + options_.collection + "' has " +
                                            std::to_string(shape.points) + " points, expected " +
                                            std::to_string(options_.points) +
                                            ", all of them acknowledged");
  }

  /// Errors: those of the call; the collection is still there then.
  Status finish() {
    if (!std::exchange(drop_at_end_, false)) return {};
    return drive::drop_collection(http_, options_.collection);
  }

  [[nodiscard]] bool stays() const { return !made_ || options_.afterwards == Afterwards::kKept; }

 private:
  HttpClient& http_;
  const LiveInsertOptions& options_;
  bool made_ = false;
  bool drop_at_end_ = false;

  [[nodiscard]] Status check_existing(const drive::CollectionShape& shape) const {
    const std::string name = "collection '" + options_.collection + "'";
    if (options_.existing == Existing::kRefused) {
      return fail(ErrorCode::kAlreadyExists,
                  name + " exists, with " + std::to_string(shape.points) +
                      " points; --yes writes points 0 to " + std::to_string(options_.points - 1) +
                      " into it, over those with the same ids");
    }
    if (shape.dimension == options_.dimension && shape.distance == options_.distance) return {};
    return fail(ErrorCode::kInvalidArgument, name + " is of " + std::to_string(shape.dimension) +
                                                 " dimensions and " + shape.distance + ", not " +
                                                 std::to_string(options_.dimension) + " and " +
                                                 options_.distance);
  }
};

/// Rows of one wave: whole batches, as many as kWaveBytes hold, and at least one.
std::uint32_t wave_rows(const LiveInsertOptions& options) {
  const std::uint64_t row_bytes = kValueBytes * options.dimension;
  const std::uint64_t batches =
      std::max<std::uint64_t>(1, kWaveBytes / (row_bytes * options.batch));
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(batches * options.batch, options.points));
}

Status check_body(const Upserts& upserts, const LiveInsertOptions& options) {
  if (upserts.requests.front().size() <= limits::kBodyBytesMax) return {};
  return fail(ErrorCode::kInvalidArgument,
              "--batch " + std::to_string(options.batch) + ": a request would have " +
                  std::to_string(upserts.requests.front().size()) + " bytes, and a node takes " +
                  std::to_string(limits::kBodyBytesMax) + "; give fewer points per batch");
}

/// What the waves add up to.
struct Sum {
  double seconds = 0;
  std::uint64_t body_bytes = 0;
  std::vector<double> micros;
};

Result<Sum> send_waves(const LiveInsertOptions& options, const Talk& talk) {
  ClusteredVectors vectors(options.dimension, kSeed);
  const UpsertTarget target{
      .endpoint = options.endpoint, .collection = options.collection, .batch = options.batch};
  Sum sum;
  const std::uint32_t step = wave_rows(options);
  for (std::uint32_t first = 0, rows = 0; first < options.points; first += rows) {
    rows = std::min(step, options.points - first);
    talk("making points " + std::to_string(first) + " to " + std::to_string(first + rows - 1));
    const Upserts upserts = make_upserts(vectors.draw(rows), rows, first, target);
    VZ_TRY(check_body(upserts, options));
    talk("writing them");
    VZ_TRY_ASSIGN(const Sent sent,
                  send_each(options.endpoint, options.connections, upserts.requests));
    sum.seconds += sent.seconds;
    sum.body_bytes += upserts.body_bytes;
    sum.micros.insert(sum.micros.end(), sent.micros.begin(), sent.micros.end());
  }
  return sum;
}

}  // namespace

Result<LiveInsert> measure_live_insert(const LiveInsertOptions& options, const Talk& talk) {
  HttpClient http(options.endpoint, kTimeoutMs);
  Target target(http, options);
  VZ_TRY(target.prepare());
  VZ_TRY_ASSIGN(Sum sum, send_waves(options, talk));
  VZ_TRY(target.check_count());
  VZ_TRY(target.finish());
  return LiveInsert{
      .kept = target.stays(),
      .seconds = sum.seconds,
      .points_per_second = options.points / sum.seconds,
      .megabytes_per_second = static_cast<double>(sum.body_bytes) / sum.seconds / kMega,
      .latency = latency_of(sum.micros)};
}

}  // namespace vz::bench
