// One check of the files of a running node, by the same judges as `vectorizerctl data check`.
//
// Of a collection the files that the image in force names get second names first, so that it reads
// one moment of it while seals and merges go on. The log is judged up to what was durable when the
// reading began, and only by files that are still in it at the end: the others were let go of, and
// perhaps written over.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/check/segment_check.h"
#include "engine/node/integrity_report.h"
#include "engine/node/mending.h"

namespace vz::node {

/// Runs once, on one thread.
class IntegrityCheck {
 public:
  struct Access {
    store::Store& store;
    log::Writer& writer;
    Publisher& publisher;
    Housekeeper& housekeeper;
    const collection::Visibility& visibility;
    std::atomic<std::uint64_t>& damaged_indexes;
  };
  struct Watcher {
    std::function<Status()> may_go_on;  ///< asked before each step
    std::stop_token stop;
    std::function<void(double share)> on_progress;
    OnIntegrityReport on_report;
  };
  IntegrityCheck(const Access& access, const IntegrityRequest& request, const Watcher& watcher);

  /// Errors: kNotFound (a collection that was asked for), kPermissionDenied, kExhausted (no
  /// memory or descriptors), kIoError, kNoSpace, those of may_go_on: what was found before that
  /// has been reported and stands.
  Result<IntegrityReport> run();

 private:
  using Live = std::shared_ptr<collection::LiveCollection>;
  struct Files;  ///< of one collection, pinned

  Result<std::vector<Live>> choose() const;
  [[nodiscard]] std::uint64_t bytes_to_read(const manifest::CollectionEntry& entry) const;
  void announce(const std::vector<Live>& chosen);
  Status check_directory();
  Status check_log();
  void report_log(const check::Run& run, const wal::LogSurvey& survey, Lsn durable);
  Status check_collection(const Live& live);
  Status check_pinned(const Live& live, Files& files);
  void check_files(const check::Run& run, const check::NamedSegment& segment);
  void conclude(const Live& live, const check::NamedSegment& segment, const Files& files,
                std::vector<check::Finding> findings);
  void add(check::Finding finding, const Mended& mended);
  void tell();

  const Access access_;
  const IntegrityRequest& request_;
  const Watcher& watcher_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  check::Pace pace_;
  Mending mending_;
  IntegrityReport report_;
};

}  // namespace vz::node
