// Reading a log: its verdict, and the lines that somebody asks for.
#include <algorithm>
#include <deque>

#include <nlohmann/json.hpp>

#include "engine/audit/audit_files.h"
#include "engine/audit/audit_log.h"
#include "storage/base/utc.h"

namespace vz::audit {
namespace {

/// Calls see(line, its number) with each whole line; returns how many bytes stand behind them.
template <typename See>
std::size_t each_line(std::string_view text, const See& see) {
  std::uint64_t number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    see(text.substr(0, end), ++number);
    text.remove_prefix(end + 1);
  }
  return text.size();
}

/// Follows the chain through the files.
class Judge {
 public:
  explicit Judge(const WrittenHead& written) {
    if (written.head) out_.head = *written.head;
    headed_ = written.head.has_value();
    expected_seq_ = out_.head.first_seq;
    known_ = expected_seq_ == 1;  // Before the first one ever there is none, and its hash is zeros.
    if (written.there && !headed_) problem(std::string(kHeadName), 0, "it is damaged");
  }

  void file(const LogFile& file, std::string_view text) {
    ++out_.files;
    if (text.empty()) problem(file.path, 0, "it is empty");
    bool first = true;
    const std::size_t rest = each_line(text, [&](std::string_view line, std::uint64_t number) {
      const auto link = decode_link(line);
      if (first && link && link->seq != file.first_seq)
        problem(file.path, number, "its name says another first line");
      first = false;
      follow(file.path, number, link);
    });
    if (rest > 0) problem(file.path, 0, std::to_string(rest) + " bytes of an unfinished line");
  }

  Verdict finish(bool any_file) {
    if (!headed_) {
      if (any_file && out_.problems.empty())
        problem(std::string(kHeadName), 0, "it is missing, and there are lines");
    } else if (!ends_at_head()) {
      problem(std::string(kHeadName), 0,
              "it says that the last line is " + std::to_string(out_.head.seq) +
                  "; the last one found is " + std::to_string(last_.seq) +
                  (last_.seq == out_.head.seq ? ", with another hash" : ""));
    }
    return std::move(out_);
  }

 private:
  void problem(const std::string& file, std::uint64_t line, const std::string& what) {
    if (out_.problems.size() < limits::kAuditProblemsMax)
      out_.problems.push_back({file, line, what});
  }

  void follow(const std::string& file, std::uint64_t number, const Result<Link>& link) {
    ++expected_seq_;
    if (!link) {
      problem(file, number, link.error().message);
      known_ = false;
      return;
    }
    ++out_.lines;
    if (link->seq != expected_seq_ - 1) {
      problem(file, number,
              "it is number " + std::to_string(link->seq) + ", expected " +
                  std::to_string(expected_seq_ - 1));
    } else if (known_ && link->prev != last_.hash) {
      problem(file, number, "it does not follow the line before it");
    }
    known_ = true;
    last_ = *link;
    expected_seq_ = link->seq + 1;
  }

  [[nodiscard]] bool ends_at_head() const {
    if (last_.seq == out_.head.seq) return last_.hash == out_.head.hash;
    return known_ && last_.seq == out_.head.seq + 1 && last_.prev == out_.head.hash;
  }

  Verdict out_;
  bool headed_ = false;
  bool known_ = false;  ///< whether last_ is the line before
  Link last_;
  std::uint64_t expected_seq_ = 1;
};

/// "" for what is no text: somebody has changed the line.
std::string text_of(const nlohmann::json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

bool holds(const nlohmann::json& line, const char* key, const std::string& wanted) {
  return wanted.empty() || text_of(line, key) == wanted;
}

bool matches(const nlohmann::json& line, const Query& query) {
  if (!line.is_object()) return false;
  const std::string time = text_of(line, "time");
  if (query.since_us > 0 && time < rfc3339(query.since_us)) return false;
  if (query.until_us > 0 && time >= rfc3339(query.until_us)) return false;
  return holds(line, "actor", query.actor) && holds(line, "result", query.result) &&
         text_of(line, "action").find(query.action) != std::string::npos;
}

Result<std::vector<LogFile>> kept_files(Env& env, const std::string& directory,
                                        const WrittenHead& written) {
  VZ_TRY_ASSIGN(auto files, list_files(env, directory));
  // Those before the head's first line are on their way out.
  if (written.head)
    std::erase_if(files,
                  [&](const LogFile& file) { return file.first_seq < written.head->first_seq; });
  return files;
}

}  // namespace

Result<Verdict> verify(Env& env, const std::string& directory) {
  // The head first: lines that come meanwhile lie behind it.
  VZ_TRY_ASSIGN(const WrittenHead written, read_head(env, directory));
  VZ_TRY_ASSIGN(const auto files, kept_files(env, directory, written));
  Judge judge(written);
  for (const LogFile& file : files) {
    VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, file.path, kFileReadMax));
    judge.file(file, as_text(bytes));
  }
  return judge.finish(!files.empty());
}

Result<std::vector<std::string>> read(Env& env, const std::string& directory, const Query& query) {
  VZ_TRY_ASSIGN(const WrittenHead written, read_head(env, directory));
  VZ_TRY_ASSIGN(const auto files, kept_files(env, directory, written));
  std::deque<std::string> newest;
  const std::size_t limit = std::min(query.limit, limits::kAuditPageMax);
  for (const LogFile& file : files) {
    VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, file.path, kFileReadMax));
    each_line(as_text(bytes), [&](std::string_view line, std::uint64_t /*number*/) {
      if (!matches(nlohmann::json::parse(line, nullptr, false), query)) return;
      newest.emplace_back(line);
      if (newest.size() > limit) newest.pop_front();
    });
  }
  return std::vector<std::string>(newest.begin(), newest.end());
}

}  // namespace vz::audit
