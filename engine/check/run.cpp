#include "engine/check/run.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "storage/format/checked_file_format.h"
#include "storage/segment/checksum_errors.h"

namespace vz::check {
namespace {

bool covers_blocks(FindingId id) {
  return id == FindingId::kSegmentBlocks || id == FindingId::kDerivedBlocks;
}

bool continues(const Finding& before, const Finding& next) {
  return covers_blocks(next.id) && before.id == next.id && before.file == next.file &&
         before.offset + before.length == next.offset;
}

}  // namespace

Findings::Findings(store::Paths paths) : paths_(std::move(paths)) {}

void Findings::add(FindingId id, const std::string& path, Extent extent,
                   std::string_view collection, std::string message) {
  const FindingKind& kind = kind_of(id);
  if (message.empty()) message = kind.title;
  // Messages of the layers below name files by their whole path.
  const std::string prefix = paths_.root + "/";
  for (std::size_t at = 0; (at = message.find(prefix, at)) != std::string::npos;)
    message.erase(at, prefix.size());
  Finding finding{.id = id,
                  .severity = kind.severity,
                  .damage = kind.damage,
                  .file = relative_name(paths_, path),
                  .offset = extent.offset,
                  .length = extent.length,
                  .collection = std::string(collection),
                  .message = std::move(message)};
  add(std::move(finding));
}

void Findings::add(Finding finding) {
  MutexLock lock(mutex_);
  findings_.push_back(std::move(finding));
}

std::vector<Finding> Findings::take() {
  std::vector<Finding> all;
  {
    MutexLock lock(mutex_);
    all.swap(findings_);
  }
  std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.id, a.offset, a.message) <
           std::tie(b.file, b.id, b.offset, b.message);
  });
  std::vector<Finding> out;
  for (Finding& finding : all) {
    if (!out.empty() && continues(out.back(), finding)) {
      out.back().length += finding.length;
    } else {
      out.push_back(std::move(finding));
    }
  }
  for (Finding& finding : out) {
    if (!covers_blocks(finding.id)) continue;
    const std::uint64_t blocks =
        (finding.length + format::kCheckedBlockSize - 1) / format::kCheckedBlockSize;
    finding.message = blocks == 1 ? "1 block fails its checksum"
                                  : fmt::format("{} blocks fail their checksums", blocks);
  }
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.offset) < std::tie(b.file, b.offset);
  });
  return out;
}

std::string relative_name(const store::Paths& paths, std::string_view path) {
  if (path == paths.root) return "";
  const std::string prefix = paths.root + "/";
  return std::string(path.starts_with(prefix) ? path.substr(prefix.size()) : path);
}

std::string Run::name_of(std::string_view path) const {
  return relative_name(paths, path);
}

void Run::report(NamedFile& file, FindingId id, Extent extent, std::string message) const {
  file.damaged = true;
  if (is_of_bytes(id)) segment::count_checksum_error();
  findings.add(id, file.path, extent, file.collection, std::move(message));
}

void Run::report_incompatible(const Error& error) const {
  MutexLock lock(mutex);
  if (!first_incompatible) first_incompatible = error;
}

std::optional<Error> Run::incompatible() const {
  MutexLock lock(mutex);
  return first_incompatible;
}

}  // namespace vz::check
