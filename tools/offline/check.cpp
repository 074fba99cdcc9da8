#include "tools/offline/check.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "tools/offline/blocks.h"
#include "tools/offline/check_run.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/layout.h"
#include "tools/offline/log_check.h"
#include "tools/offline/segment_check.h"

namespace vz::offline {
namespace {

using Tasks = std::vector<std::function<void()>>;

/// The levels one after another, each on all threads; the log beside the blocks.
class Check {
 public:
  Check(const Run& run, Layout& layout) : run_(run), layout_(layout) {}

  void run() {
    const CheckLevel level = run_.options.level;
    if (level >= CheckLevel::kSizes) {
      check_ends_of_files();
    }
    if (level >= CheckLevel::kBlocks) {
      announce();
      check_bytes();
      check_segments();
    }
    if (level >= CheckLevel::kContents) check_collections();
  }

  [[nodiscard]] const LogFacts& log() const { return log_; }

 private:
  void check_ends_of_files() {
    Tasks tasks;
    for (NamedFile& file : layout_.files)
      if (file.present) tasks.emplace_back([this, &file] { check_ends(run_, file); });
    run_tasks(tasks, run_.options.threads);
  }

  /// Says how many bytes will be read.
  void announce() {
    const bool contents = run_.options.level >= CheckLevel::kContents;
    for (const NamedFile& file : layout_.files) {
      if (!file.present) continue;
      const bool twice = contents && file.kind == segment::FileKind::kSegment;
      run_.pace.add_total(file.info.size_bytes * (twice ? 2 : 1));
    }
    run_.pace.add_total(size_of_log(run_.env, run_.paths).bytes);
  }

  void check_bytes() {
    Tasks tasks;
    tasks.emplace_back([this] { log_ = check_log(run_, layout_); });
    for (NamedFile& file : layout_.files) {
      if (!file.present) continue;
      if (run_.options.level >= CheckLevel::kContents) {
        tasks.emplace_back([this, &file] { check_whole(run_, file); });
        continue;
      }
      for (std::uint64_t task = 0; task < block_tasks(file); ++task)
        tasks.emplace_back([this, &file, task] { check_blocks(run_, file, task); });
    }
    run_tasks(tasks, run_.options.threads);
  }

  void check_segments() {
    Tasks tasks;
    for (std::size_t i = 0; i < layout_.collections.size(); ++i) {
      const NamedCollection& collection = layout_.collections[i];
      live_.emplace_back(collection.segments.size());
      for (std::size_t j = 0; j < collection.segments.size(); ++j) {
        tasks.emplace_back([this, &collection, i, j] {
          live_[i][j] = check_segment(run_, collection, collection.segments[j]);
        });
      }
    }
    run_tasks(tasks, run_.options.threads);
  }

  void check_collections() {
    for (std::size_t i = 0; i < layout_.collections.size(); ++i) {
      LiveRows sum{.known = true};
      for (const LiveRows& one : live_[i]) {
        sum.known = sum.known && one.known;
        sum.points += one.points;
        sum.digest += one.digest;
      }
      check_totals(run_, layout_.collections[i], sum);
    }
  }

  const Run& run_;
  Layout& layout_;
  LogFacts log_;
  std::vector<std::vector<LiveRows>> live_;  ///< by collection, then segment
};

CheckReport report_of(const Run& run, const Layout& layout, const LogFacts& log) {
  CheckReport report;
  const LogSize log_size = size_of_log(run.env, run.paths);
  report.files = layout.files.size() + log_size.files;
  report.bytes = log_size.bytes;
  for (const NamedFile& file : layout.files) report.bytes += file.info.size_bytes;
  for (const NamedCollection& collection : layout.collections) {
    report.segments += collection.segments.size();
    for (const NamedSegment& segment : collection.segments) report.rows += segment.entry->rows;
  }
  report.log_records = log.records;
  report.lsn = log.last_lsn;
  if (layout.image != nullptr) {
    report.lsn = std::max({report.lsn, layout.image->catalog_lsn, layout.image->clean_lsn});
  }
  report.findings = run.findings.take();
  return report;
}

}  // namespace

bool CheckReport::damaged() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity != Severity::kNote; });
}

Result<CheckReport> check(Env& env, const std::string& directory, const CheckOptions& options) {
  VZ_ASSERT(options.threads >= 1 && options.threads <= kCheckThreadsMax);
  return check_layout(env, directory, options,
                      [](const Run& run, Layout& layout) -> Result<CheckReport> {
                        Check steps(run, layout);
                        steps.run();
                        return report_of(run, layout, steps.log());
                      });
}

}  // namespace vz::offline
