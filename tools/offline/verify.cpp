#include "tools/offline/verify.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>

#include "engine/check/blocks.h"
#include "engine/check/segment_check.h"
#include "tools/offline/check_run.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/layout.h"
#include "tools/offline/log_check.h"

namespace vz::offline {
namespace {

/// Those about one of `files`, by their relative path.
std::vector<check::Finding> about(std::vector<check::Finding> findings,
                                  const std::set<std::string>& files) {
  std::erase_if(findings, [&](const check::Finding& one) { return !files.contains(one.file); });
  return findings;
}

bool is_selected(const std::vector<SelectedSegment>& selected, const check::NamedSegment& segment) {
  return std::any_of(selected.begin(), selected.end(),
                     [&](const SelectedSegment& one) { return one.entry == segment.entry; });
}

void count(const check::NamedSegment& segment, CheckReport& report) {
  for (const check::NamedFile* file : {segment.seg, segment.dead, segment.index, segment.fields})
    report.files += file != nullptr ? 1 : 0;
  ++report.segments;
  report.rows += segment.entry->rows;
  report.bytes += bytes_of(*segment.entry);
}

}  // namespace

Result<CheckReport> verify_segments(Env& env, const std::string& directory,
                                    const SegmentSelection& selection,
                                    const CheckProgress& progress) {
  const CheckOptions options{
      .level = check::Level::kContents, .collection = selection.collection, .progress = progress};
  return check_layout(
      env, directory, options, [&](const Run& run, Layout& layout) -> Result<CheckReport> {
        if (layout.image == nullptr) {
          return fail(
              ErrorCode::kCorruption,
              run.paths.root + ": no manifest can be read, so no segment is known: run check");
        }
        VZ_TRY_ASSIGN(const auto selected, select_segments(run.paths, *layout.image, selection));
        CheckReport report;
        std::set<std::string> names;
        for (const SelectedSegment& one : selected)
          run.pace.add_total(bytes_of(*one.entry) + one.entry->seg.size_bytes);  // Rows once more.
        for (const check::NamedCollection& collection : layout.collections) {
          for (const check::NamedSegment& segment : collection.segments) {
            if (!is_selected(selected, segment)) continue;
            count(segment, report);
            for (check::NamedFile* file :
                 {segment.seg, segment.dead, segment.index, segment.fields}) {
              if (file == nullptr) continue;
              names.insert(file->path.substr(run.paths.root.size() + 1));
              if (!file->present) continue;
              check_ends(run, *file);
              check_whole(run, *file);
            }
            (void)check_segment(run, collection, segment);
          }
        }
        report.findings = about(run.findings.take(), names);
        return report;
      });
}

Result<CheckReport> verify_log(Env& env, const std::string& directory,
                               const CheckProgress& progress) {
  const CheckOptions options{.level = check::Level::kContents, .progress = progress};
  return check_layout(
      env, directory, options, [](const Run& run, Layout& layout) -> Result<CheckReport> {
        (void)run.findings.take();  // Of the layout: the log alone is asked for.
        CheckReport report;
        const check::LogSize size = check::size_of_log(run.env, run.paths);
        report.files = size.files;
        report.bytes = size.bytes;
        run.pace.add_total(size.bytes);
        const LogFacts facts = check_log(run, layout);
        report.log_records = facts.records;
        report.lsn = facts.last_lsn;
        if (layout.image != nullptr)
          report.lsn = std::max({report.lsn, layout.image->catalog_lsn, layout.image->clean_lsn});
        report.findings = run.findings.take();
        return report;
      });
}

}  // namespace vz::offline
