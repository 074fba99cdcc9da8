#include "tools/quickstart_client/load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>
#include <vector>

#include "tools/drive/collection_api.h"
#include "tools/drive/node_api.h"
#include "tools/quickstart_client/progress.h"

namespace vz::quickstart {
namespace {

constexpr std::size_t kBatchRows = 500;
constexpr long kTimeoutMs = 60'000;
constexpr auto kPoll = std::chrono::milliseconds(100);
constexpr auto kIndexDeadline = std::chrono::minutes(2);

/// Shared by the connections: each takes the next batch until none is left or one failed.
struct Work {
  std::atomic<std::size_t> next_row = 0;
  std::atomic<std::size_t> rows_done = 0;
  std::atomic<bool> stop = false;
};

Status load_batches(const LoadOptions& options, const WordsData& data, Work& work) {
  drive::HttpClient http(options.url, kTimeoutMs);
  const std::size_t dimension = data.vectors.columns;
  while (!work.stop.load()) {
    const std::size_t first = work.next_row.fetch_add(kBatchRows);
    if (first >= data.vectors.rows) break;
    const std::size_t count = std::min(kBatchRows, data.vectors.rows - first);
    const auto values =
        std::span(data.vectors.values).subspan(first * dimension, count * dimension);
    const auto payloads = std::span(data.payloads).subspan(first, count);
    const Status done = drive::upsert(http, options.collection,
                                      drive::upsert_body(values, dimension, payloads, first));
    if (!done) {
      work.stop.store(true);
      return done;
    }
    work.rows_done.fetch_add(count);
  }
  return {};
}

}  // namespace

Status load(const LoadOptions& options, const WordsData& data) {
  drive::HttpClient http(options.url, kTimeoutMs);
  VZ_TRY_ASSIGN(const auto before, drive::collection_numbers(http, options.collection));
  if (before.exists && before.vectors == data.vectors.rows) {
    std::printf("loading: collection '%s' has its %zu points already\n", options.collection.c_str(),
                data.vectors.rows);
    return {};
  }
  if (!before.exists)
    VZ_TRY(drive::create_collection(http, options.collection, data.vectors.columns, "Cosine"));

  Work work;
  std::vector<std::future<Status>> connections;
  for (int index = 0; index < options.connections; ++index) {
    connections.push_back(
        std::async(std::launch::async, [&] { return load_batches(options, data, work); }));
  }
  Progress progress("loading", "points", data.vectors.rows);
  while (work.rows_done.load() < data.vectors.rows && !work.stop.load()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    progress.update(work.rows_done.load());
  }
  Status outcome;
  for (auto& connection : connections) {
    const Status done = connection.get();
    if (!done) outcome = done;
  }
  if (outcome) progress.finish();
  return outcome;
}

Status wait_until_indexed(const LoadOptions& options, std::size_t rows) {
  const auto deadline = std::chrono::steady_clock::now() + kIndexDeadline;
  drive::HttpClient http(options.url, kTimeoutMs);
  Progress progress("indexing", "points", rows);
  for (;;) {
    VZ_TRY_ASSIGN(const auto numbers, drive::collection_numbers(http, options.collection));
    if (numbers.vectors == rows && numbers.indexed_vectors == rows) break;
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorCode::kDeadline, "/stats says vectors " + std::to_string(numbers.vectors) +
                                            ", indexed_vectors " +
                                            std::to_string(numbers.indexed_vectors) +
                                            ", expected " + std::to_string(rows) + " of both");
    }
    progress.update(std::min(static_cast<std::size_t>(numbers.indexed_vectors), rows));
    std::this_thread::sleep_for(kPoll);
  }
  progress.finish();
  return {};
}

}  // namespace vz::quickstart
