#include "tests/fault/kill_loop/compare.h"

#include <algorithm>
#include <cstring>

namespace vz::kill_loop {
namespace {

constexpr int kDifferencesShown = 8;

/// Collects the first few lines and counts the rest.
class Report {
 public:
  void add(const std::string& line) {
    if (count_++ < kDifferencesShown) text_ += "    " + line + "\n";
  }
  [[nodiscard]] std::string text() const {
    if (count_ <= kDifferencesShown) return text_;
    return text_ + "    ... and " + std::to_string(count_ - kDifferencesShown) + " more\n";
  }

 private:
  int count_ = 0;
  std::string text_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

bool version_fits(const PointState& expected, const PointState& found, Lsn last_lsn,
                  std::optional<Lsn>& unknown) {
  if (expected.version != kLsnUnknown) return found.version == expected.version;
  if (!unknown) unknown = found.version;
  return found.version == *unknown && found.version > last_lsn;
}

void compare_points(const std::string& name, const Points& expected, const Points& observed,
                    Lsn last_lsn, std::optional<Lsn>& unknown, Report& report) {
  for (const auto& [id, point] : expected) {
    const std::string where = name + " point " + id + ": ";
    const auto found = observed.find(id);
    if (found == observed.end()) {
      report.add(where + "lost (expected version " + std::to_string(point.version) + ")");
      continue;
    }
    if (!version_fits(point, found->second, last_lsn, unknown)) {
      report.add(where + "expected version " + std::to_string(point.version) + ", found " +
                 std::to_string(found->second.version));
    }
    if (!same_bits(point.vector, found->second.vector)) report.add(where + "another vector");
    if (point.payload != found->second.payload) {
      report.add(where + "expected payload " + point.payload + ", found " + found->second.payload);
    }
  }
  for (const auto& [id, point] : observed) {
    if (!expected.contains(id)) {
      report.add(name + " point " + id + ": deleted or never written, but found (version " +
                 std::to_string(point.version) + ")");
    }
  }
}

}  // namespace

std::string differences(const Collections& expected, const Collections& observed, Lsn last_lsn,
                        std::optional<Lsn>& unknown) {
  Report report;
  for (const auto& [name, points] : expected) {
    const auto found = observed.find(name);
    if (found == observed.end()) {
      report.add("collection " + name + ": lost");
      continue;
    }
    compare_points(name, points, found->second, last_lsn, unknown, report);
  }
  for (const auto& [name, points] : observed) {
    if (!expected.contains(name)) {
      report.add("collection " + name + ": dropped or never created, but found");
    }
  }
  return report.text();
}

Verdict compare(const ClientState& expected, const Collections& observed) {
  std::optional<Lsn> unknown;
  const std::string before =
      differences(expected.acknowledged, observed, expected.last_lsn, unknown);
  if (before.empty()) return {.outcome = Verdict::Outcome::kBefore, .lsn = 0, .difference = ""};
  if (!expected.in_flight) {
    return {.outcome = Verdict::Outcome::kDifferent, .lsn = 0, .difference = before};
  }

  Collections with_it = expected.acknowledged;
  apply(*expected.in_flight, kLsnUnknown, with_it);
  const std::string after = differences(with_it, observed, expected.last_lsn, unknown);
  if (after.empty()) {
    return {.outcome = Verdict::Outcome::kAfter, .lsn = unknown.value_or(0), .difference = ""};
  }
  return {.outcome = Verdict::Outcome::kDifferent,
          .lsn = 0,
          .difference = "  without the unanswered operation " + to_line(*expected.in_flight) +
                        ":\n" + before + "  with it:\n" + after};
}

void settle(const Verdict& verdict, ClientState& state) {
  if (verdict.outcome == Verdict::Outcome::kAfter) {
    apply(*state.in_flight, verdict.lsn, state.acknowledged);
    state.last_lsn = std::max(state.last_lsn, verdict.lsn);
  }
  state.in_flight.reset();
}

}  // namespace vz::kill_loop
