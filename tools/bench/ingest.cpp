#include "tools/bench/ingest.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "tools/bench/load_client.h"
#include "tools/bench/load_loop.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/node_api.h"

namespace vz::bench {
namespace {

constexpr std::uint64_t kTags = 10;
constexpr long kTimeoutMs = 60'000;
constexpr double kMega = 1e6;
constexpr auto kIndexPoll = std::chrono::milliseconds(50);
constexpr auto kIndexDeadline = std::chrono::minutes(60);

std::string payload_of(std::uint64_t id) {
  return R"({"n":)" + std::to_string(id) + R"(,"tag":"t)" + std::to_string(id % kTags) + "\"}";
}

Status expect_points(const drive::CollectionNumbers& numbers, std::uint64_t points) {
  if (numbers.vectors == points) return {};
  return fail(ErrorCode::kInternal, "/stats says " + std::to_string(numbers.vectors) +
                                        " vectors, expected " + std::to_string(points) +
                                        ", all of them acknowledged");
}

/// Errors: kInternal if an exact search for the row's vector does not find it first, or, since
/// vectors may be equal, another point with the same vector.
Status expect_found(drive::HttpClient& http, const Upserts& upserts, const Matrix& base,
                    std::uint32_t row) {
  const auto vector = base.row(row);
  const std::string body = drive::search_body(vector, "", 1, drive::Accuracy::kExact);
  VZ_TRY_ASSIGN(
      const auto answer,
      http.request("POST", std::string("/collections/") + kCollection + "/points/query", body));
  VZ_TRY_ASSIGN(const auto ids, drive::ids_of_answer(answer));
  const std::uint64_t id = upserts.first_id + row;
  const auto found = ids.empty() ? std::int64_t{-1} : ids.front();
  if (found == static_cast<std::int64_t>(id)) return {};
  if (found >= 0 && std::equal(vector.begin(), vector.end(),
                               base.row(static_cast<std::uint32_t>(found) % base.rows).begin())) {
    return {};
  }
  return fail(ErrorCode::kInternal, "point " + std::to_string(id) +
                                        " was acknowledged, but an exact search for its vector "
                                        "found " +
                                        std::to_string(found) + " first");
}

}  // namespace

Upserts make_upserts(const Matrix& base, std::uint32_t rows, std::uint64_t first_id,
                     const UpsertTarget& target) {
  const std::uint32_t batch = target.batch;
  const std::string path = drive::collection_path(target.collection) + "/points?wait=true";
  Upserts out{.endpoint = target.endpoint,
              .batch = batch,
              .rows = rows,
              .first_id = first_id,
              .requests = {}};
  std::vector<std::string> payloads;
  for (std::uint32_t row = 0; row < rows; row += batch) {
    const std::uint32_t count = std::min(batch, rows - row);
    payloads.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      payloads.push_back(payload_of(first_id + row + i));
      out.payload_bytes += payloads.back().size();
    }
    const auto values =
        std::span(base.values)
            .subspan(std::size_t{row} * base.dimension, std::size_t{count} * base.dimension);
    const std::string body = drive::upsert_body(values, base.dimension, payloads, first_id + row);
    out.body_bytes += body.size();
    out.requests.push_back(http_request("PUT", path, target.endpoint, body));
  }
  out.payload_bytes /= rows;
  return out;
}

Result<Ingest> ingest(const Upserts& upserts, const Matrix& base, unsigned connections) {
  VZ_TRY_ASSIGN(const Sent sent, send_each(upserts.endpoint, connections, upserts.requests));
  drive::HttpClient http(upserts.endpoint, kTimeoutMs);
  for (const std::size_t request : sent.last) {
    const auto first = static_cast<std::uint32_t>(request) * upserts.batch;
    VZ_TRY(expect_found(http, upserts, base, first));
    VZ_TRY(expect_found(http, upserts, base, std::min(first + upserts.batch, upserts.rows) - 1));
  }
  return Ingest{
      .seconds = sent.seconds,
      .points_per_second = upserts.rows / sent.seconds,
      .megabytes_per_second = static_cast<double>(upserts.body_bytes) / sent.seconds / kMega};
}

Status expect_points(drive::HttpClient& http, std::uint64_t points) {
  VZ_TRY_ASSIGN(const auto numbers, drive::collection_numbers(http, kCollection));
  return expect_points(numbers, points);
}

Result<double> await_indexed(drive::HttpClient& http, std::uint64_t points) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  while (Clock::now() - begin < kIndexDeadline) {
    VZ_TRY_ASSIGN(const auto numbers, drive::collection_numbers(http, kCollection));
    VZ_TRY(expect_points(numbers, points));
    if (numbers.indexed_vectors == points) {
      return std::chrono::duration<double>(Clock::now() - begin).count();
    }
    std::this_thread::sleep_for(kIndexPoll);
  }
  return fail(ErrorCode::kDeadline, "not all points were indexed within an hour");
}

}  // namespace vz::bench
