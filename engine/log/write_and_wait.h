// A write for a thread that may wait.
#pragma once

#include <future>
#include <utility>

#include "engine/log/writer.h"

namespace vz::log {

/// Until it is durable and visible, or refused: as its callback would be told. Not on the writer
/// thread.
inline Result<WriteOutcome> write_and_wait(Writer& writer, WriteRequest request) {
  std::promise<Result<WriteOutcome>> answered;
  writer.submit(std::move(request),
                [&](Result<WriteOutcome> outcome) { answered.set_value(std::move(outcome)); });
  return answered.get_future().get();
}

}  // namespace vz::log
