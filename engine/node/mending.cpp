#include "engine/node/mending.h"

namespace vz::node {
namespace {

using collection::LiveCollection;

Mended outcome(const Result<bool>& done, std::string_view what) {
  if (!done) return {.done = "not mended: " + done.error().message};
  if (*done) return {.mended = true, .done = std::string(what)};
  return {.done = "it was merged into another segment meanwhile"};
}

Mended outcome(const Status& done, std::string_view what) {
  if (!done) return {.done = "not mended: " + done.error().message};
  return {.mended = true, .done = std::string(what)};
}

bool is_of_the_file(check::FindingId id) {
  return check::is_of_bytes(id) || id == check::FindingId::kSegmentMissing;
}

}  // namespace

Mended Mending::rows(LiveCollection& collection, const Part& part, const check::Finding& finding) {
  const segment::Segment& segment = part->segment();
  if (segment.file().verify_again() && is_of_the_file(finding.id))
    return outcome(housekeeper_.rewrite(collection, part, stop_),
                   "written anew from what the node has open");
  segment.take_out_of_service(
      {ErrorCode::kCorruption,
       finding.file + " at offset " + std::to_string(finding.offset) + ": " + finding.message});
  collection.part_changed();
  return {.done =
              "out of service: reads that need it fail; vectorizerctl data repair brings back what "
              "is left of it, a snapshot all of it"};
}

Mended Mending::deaths(LiveCollection& collection, const Part& part) {
  return outcome(housekeeper_.rewrite_deaths(collection, part), "written anew");
}

Mended Mending::derived(LiveCollection& collection, const Part& part) {
  if (part->segment().failed()) return {.done = "not mended: its segment is out of service"};
  const auto open = part->derived();
  // What fails here is not used any more, wherever it has gone wrong.
  if (open->index != nullptr) (void)open->index->file().verify_again();
  if (open->fields != nullptr) (void)open->fields->file().verify_again();
  return outcome(housekeeper_.rebuild_derived(collection, part, stop_), "rebuilt");
}

Mended Mending::log(const collection::Visibility& visibility) {
  const auto seal_all = [&]() -> Status {
    VZ_TRY(writer_.begin_next_log_file());
    // Now, so that what is not in it has all its records in the new file.
    const auto catalog = catalog_of(visibility);
    for (const auto& [name, live] : catalog->collections) VZ_TRY(housekeeper_.seal_memory(*live));
    return publisher_.publish_again();
  };
  return outcome(seal_all(), "its records were written to segments");
}

Mended Mending::image() {
  return outcome(publisher_.publish_again(), "published anew");
}

}  // namespace vz::node
