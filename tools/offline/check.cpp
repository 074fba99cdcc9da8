#include "tools/offline/check.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include "engine/check/blocks.h"
#include "engine/check/segment_check.h"
#include "tools/offline/check_pieces.h"
#include "tools/offline/check_run.h"
#include "tools/offline/check_state.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/layout.h"
#include "tools/offline/log_check.h"

namespace vz::offline {
namespace {

using Tasks = std::vector<std::function<void()>>;

/// Runs every task once, on `threads` threads of its own, and waits for them.
void run_tasks(const Tasks& tasks, unsigned threads) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) tasks[i]();
  };
  std::vector<std::jthread> others;
  const std::size_t wanted = std::min<std::size_t>(std::max(1u, threads), tasks.size());
  for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(work);
  work();
}

/// The levels one after another, each on all threads; the log beside the blocks.
class Check {
 public:
  Check(const Run& run, Layout& layout)
      : run_(run),
        layout_(layout),
        choice_(run.options.sample),
        state_(run.options.state != nullptr ? *run.options.state : unused_) {}

  void run() {
    const check::Level level = run_.options.level;
    if (level >= check::Level::kSizes) check_ends_of_files();
    if (level < check::Level::kBlocks) return;
    pieces_ = pieces_of(run_, layout_, choice_);
    take_up_findings();
    announce();
    Tasks log;
    log.emplace_back([this] { log_ = check_log(run_, layout_); });
    check_pieces(pieces_.reads, std::move(log));
    if (done_ == pieces_.reads.size()) check_pieces(pieces_.segments, {});
    if (level >= check::Level::kContents && done_ == total()) check_collections();
  }

  [[nodiscard]] const LogFacts& log() const { return log_; }
  [[nodiscard]] std::uint64_t total() const {
    return pieces_.reads.size() + pieces_.segments.size();
  }
  [[nodiscard]] std::uint64_t done() const { return done_; }

  /// What the next run takes up, of all that was found.
  void keep_findings(const std::vector<check::Finding>& findings) {
    const auto names = names_of_files();
    state_.findings.clear();
    std::copy_if(
        findings.begin(), findings.end(), std::back_inserter(state_.findings),
        [&](const check::Finding& one) { return of_pieces(one.id) && names.contains(one.file); });
  }

 private:
  /// Found in pieces, not by what every run does anew.
  static bool of_pieces(check::FindingId id) { return id >= check::FindingId::kSegmentBlocks; }

  [[nodiscard]] std::map<std::string, check::NamedFile*> names_of_files() {
    std::map<std::string, check::NamedFile*> names;
    for (check::NamedFile& file : layout_.files) names.emplace(run_.name_of(file.path), &file);
    return names;
  }

  void check_ends_of_files() {
    Tasks tasks;
    for (check::NamedFile& file : layout_.files)
      if (file.present) tasks.emplace_back([this, &file] { check_ends(run_, file); });
    run_tasks(tasks, run_.options.threads);
  }

  /// Findings of earlier runs about files that are still named.
  void take_up_findings() {
    const auto names = names_of_files();
    for (const check::Finding& finding : state_.findings) {
      const auto file = names.find(finding.file);
      if (file == names.end()) continue;
      file->second->damaged = true;
      run_.findings.add(finding);
    }
  }

  [[nodiscard]] bool is_done(const Piece& piece) const {
    return !state_.done.empty() && state_.done.contains(key_of(run_, layout_, piece));
  }

  /// Says how many bytes will be read.
  void announce() {
    for (const auto* pieces : {&pieces_.reads, &pieces_.segments})
      for (const Piece& piece : *pieces)
        if (!is_done(piece)) run_.pace.add_total(piece.bytes);
    run_.pace.add_total(check::size_of_log(run_.env, run_.paths).bytes);
  }

  /// One piece is always done, so that even the shortest runs come to an end.
  [[nodiscard]] bool time_is_up() const {
    const auto limit = run_.options.duration_max;
    return limit.count() > 0 && done_now_ > 0 && std::chrono::steady_clock::now() - began_ >= limit;
  }

  void check_pieces(const std::vector<Piece>& pieces, Tasks tasks) {
    for (const Piece& piece : pieces) {
      if (is_done(piece)) {
        ++done_;
        continue;
      }
      tasks.emplace_back([this, &piece] {
        if (time_is_up()) return;
        check_piece(piece);
        ++done_;
        ++done_now_;
      });
    }
    run_tasks(tasks, run_.options.threads);
  }

  void check_piece(const Piece& piece) {
    check::LiveRows rows;
    switch (piece.kind) {
      case Piece::Kind::kBlocks:
        check_blocks(run_, *piece.file, piece.task,
                     [this, name = run_.name_of(piece.file->path)](std::uint64_t at) {
                       return choice_.takes(name, at);
                     });
        break;
      case Piece::Kind::kWhole:
        check_whole(run_, *piece.file);
        break;
      case Piece::Kind::kSegment: {
        const check::NamedCollection& collection = layout_.collections[piece.collection];
        rows = check_segment(run_, collection, collection.segments[piece.segment]);
        break;
      }
    }
    const bool counted =
        piece.kind == Piece::Kind::kSegment && run_.options.level >= check::Level::kContents;
    if (run_.options.state == nullptr && !counted) return;
    std::string key = key_of(run_, layout_, piece);
    MutexLock lock(mutex_);
    if (counted) state_.segments[key] = rows;
    state_.done.insert(std::move(key));
  }

  void check_collections() {
    std::vector<check::LiveRows> sums(layout_.collections.size(),
                                      check::LiveRows{.known = pieces_.all});
    for (const Piece& piece : pieces_.segments) {
      const check::LiveRows& one = state_.segments[key_of(run_, layout_, piece)];
      check::LiveRows& sum = sums[piece.collection];
      sum.known = sum.known && one.known;
      sum.points += one.points;
      sum.digest += one.digest;
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      check_totals(run_, layout_.collections[i], sums[i]);
  }

  const Run& run_;
  Layout& layout_;
  Choice choice_;
  CheckState unused_;
  CheckState& state_;
  Pieces pieces_;
  LogFacts log_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> done_{0};      ///< pieces, in all runs
  std::atomic<std::uint64_t> done_now_{0};  ///< in this one
  Mutex mutex_;                             ///< over state_ while pieces are checked
};

CheckReport report_of(const Run& run, const Layout& layout, const LogFacts& log) {
  CheckReport report;
  const check::LogSize log_size = check::size_of_log(run.env, run.paths);
  report.files = layout.files.size() + log_size.files;
  report.bytes = log_size.bytes;
  for (const check::NamedFile& file : layout.files) report.bytes += file.info.size_bytes;
  for (const check::NamedCollection& collection : layout.collections) {
    report.segments += collection.segments.size();
    for (const check::NamedSegment& segment : collection.segments)
      report.rows += segment.entry->rows;
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
  return std::any_of(findings.begin(), findings.end(), [](const check::Finding& finding) {
    return finding.severity != check::Severity::kNote;
  });
}

Result<CheckReport> check(Env& env, const std::string& directory, const CheckOptions& options) {
  VZ_ASSERT(options.threads >= 1 && options.threads <= kCheckThreadsMax);
  return check_layout(env, directory, options,
                      [](const Run& run, Layout& layout) -> Result<CheckReport> {
                        Check steps(run, layout);
                        steps.run();
                        CheckReport report = report_of(run, layout, steps.log());
                        report.pieces = steps.total();
                        report.pieces_done = steps.done();
                        steps.keep_findings(report.findings);
                        return report;
                      });
}

}  // namespace vz::offline
