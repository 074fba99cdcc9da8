// What a running node does about damage of its own files.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "engine/check/finding.h"
#include "engine/node/housekeeper.h"

namespace vz::node {

struct Mended {
  bool mended = false;
  std::string done;  ///< in words
};

/// One segment after another; the first damage that takes a segment out of service is the reason
/// that its reads give. Not thread-safe.
class Mending {
 public:
  Mending(log::Writer& writer, Publisher& publisher, Housekeeper& housekeeper, std::stop_token stop)
      : writer_(writer), publisher_(publisher), housekeeper_(housekeeper), stop_(std::move(stop)) {}

  using Part = std::shared_ptr<collection::SealedPart>;

  /// Of the .seg. If what the node has open is still what was written, only the name or the file
  /// behind it was lost, and the segment is written anew from there. Else it is taken out of
  /// service: reads that need it are errors from now on, never wrong answers.
  Mended rows(collection::LiveCollection& collection, const Part& part,
              const check::Finding& finding);
  /// Of the .dead file: the deaths are in memory.
  Mended deaths(collection::LiveCollection& collection, const Part& part);
  /// Of .index or .fields: both are built again from the .seg. Until then searches do without what
  /// is wrong in the file that the node has open.
  Mended derived(collection::LiveCollection& collection, const Part& part);
  /// Of the log. Its records are in memory: they become segments, the log goes on in a new file,
  /// and the old ones go.
  Mended log(const collection::Visibility& visibility);
  /// Of CURRENT or the image that it names: a new one is published.
  Mended image();

 private:
  log::Writer& writer_;
  Publisher& publisher_;
  Housekeeper& housekeeper_;
  const std::stop_token stop_;
};

}  // namespace vz::node
