// What the writer counts of its own work.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/runtime/histogram.h"

namespace vz::log {

/// Thread-safe. Of the life of one node; never reset.
struct WriterNumbers {
  runtime::Histogram sync;    ///< fdatasync of each group
  runtime::Histogram insert;  ///< from submit to durable and visible, of writes that upsert points
  std::atomic<std::uint64_t> inserts_failed{0};  ///< of these writes, those refused
};

}  // namespace vz::log
