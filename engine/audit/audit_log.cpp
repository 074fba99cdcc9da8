#include "engine/audit/audit_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/audit/audit_files.h"
#include "storage/base/log.h"

namespace vz::audit {
namespace {

std::string head_path(const std::string& directory) {
  return directory + "/" + std::string(kHeadName);
}

/// The last line of a file, and where it ends.
struct End {
  std::optional<Link> link;
  std::uint64_t bytes = 0;       ///< of whole lines
  std::uint64_t unfinished = 0;  ///< bytes behind them
};

End end_of(std::string_view text) {
  End end;
  const std::size_t last = text.rfind('\n');
  end.bytes = last == std::string_view::npos ? 0 : last + 1;
  end.unfinished = text.size() - end.bytes;
  if (end.bytes == 0) return end;
  const std::size_t before = last == 0 ? std::string_view::npos : text.rfind('\n', last - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  if (auto link = decode_link(text.substr(begin, last - begin))) end.link = *link;
  return end;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(Env& env, const std::string& directory, std::int64_t now_us,
                                       const Options& options) {
  VZ_TRY(env.create_directory(directory));
  VZ_TRY(env.sync_directory(parent_directory(directory)));
  std::unique_ptr<Log> log(new Log(env, directory, options));
  MutexLock lock(log->mutex_);
  VZ_TRY(log->resume(now_us));
  return log;
}

Status Log::resume(std::int64_t now_us) {
  VZ_TRY_ASSIGN(auto files, list_files(env_, directory_));
  VZ_TRY_ASSIGN(const auto written, read_head(env_, directory_));
  if (files.empty() && !written.there) return {};
  if (written.head) head_ = *written.head;
  End end;
  while (!files.empty()) {
    VZ_TRY_ASSIGN(const Bytes bytes, read_file(env_, files.back().path, kFileReadMax));
    end = end_of(as_text(bytes));
    if (end.bytes > 0) break;
    VZ_TRY(env_.remove(files.back().path));  // A kill came before its first line.
    files.pop_back();
  }
  if (files.empty() && written.head && written.head->seq == 0) return {};
  if (files.empty() && !written.there) return {};
  const Head& head = head_;
  const bool same = end.link && end.link->seq == head.seq && end.link->hash == head.hash;
  const bool one_behind = end.link && end.link->seq == head.seq + 1 && end.link->prev == head.hash;
  if (written.head && (same || one_behind)) {
    head_.seq = end.link->seq;
    head_.hash = end.link->hash;
    path_ = files.back().path;
    file_bytes_ = end.bytes;
    torn_ = end.unfinished > 0;  // Nobody was told that it is there.
    if (torn_) return rewrite_file();
    VZ_TRY_ASSIGN(file_, env_.open(path_, OpenMode::kReadWrite));
    return {};
  }
  // From the greater of the two, so that no number comes twice.
  if (end.link && (!written.head || end.link->seq > head_.seq)) {
    head_.seq = end.link->seq;
    head_.hash = end.link->hash;
  }
  if (!written.head && !files.empty()) head_.first_seq = files.front().first_seq;
  LogEvent(LogLevel::kError, "audit_gap")
      .with("directory", directory_)
      .with("reason", "the log does not end where audit.head says; it goes on in a new file")
      .with("seq", head_.seq);
  return append_locked({.time_us = now_us,
                        .actor = "node",
                        .ip = "",
                        .action = "audit gap",
                        .target = directory_,
                        .outcome = Outcome::kFailed,
                        .request_id = ""});
}

Status Log::append(const Event& event) {
  MutexLock lock(mutex_);
  return append_locked(event);
}

Status Log::append_locked(const Event& event) {
  if (head_behind_) VZ_TRY(publish_head());  // It may be one line behind, and no more.
  Head next;
  const std::string line = encode(event, head_, next) + "\n";
  if (torn_) VZ_TRY(rewrite_file());
  if (file_ != nullptr && file_bytes_ + line.size() > options_.file_bytes) file_.reset();
  if (file_ == nullptr) VZ_TRY(begin_file());
  Status written = file_->write_at(file_bytes_, as_bytes(line));
  if (written) written = file_->sync();
  if (!written) {
    torn_ = true;
    return written;
  }
  file_bytes_ += line.size();
  next.first_seq = head_.first_seq;
  head_ = next;
  head_behind_ = true;
  VZ_TRY(publish_head());
  remove_oldest();
  return {};
}

Status Log::publish_head() {
  VZ_TRY(publish_file(env_, head_path(directory_), as_bytes(encode_head(head_))));
  head_behind_ = false;
  return {};
}

Status Log::begin_file() {
  path_ = file_path(directory_, head_.seq + 1);
  file_bytes_ = 0;
  VZ_TRY(clear_the_way());
  VZ_TRY_ASSIGN(file_, env_.open(path_, OpenMode::kCreateNew));
  return env_.sync_directory(directory_);
}

/// What an append that failed has left goes; what holds a line is kept under another name.
Status Log::clear_the_way() {
  if (!env_.exists(path_)) return {};
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env_, path_, kFileReadMax));
  if (end_of(as_text(bytes)).bytes == 0) return env_.remove(path_);
  std::string aside = path_ + ".aside";
  for (int number = 2; env_.exists(aside); ++number)
    aside = path_ + ".aside-" + std::to_string(number);
  return env_.rename(path_, aside);
}

/// After a failed write or sync nobody knows what of the file is on the disk: its whole lines go to
/// a new one of the same name.
Status Log::rewrite_file() {
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env_, path_, kFileReadMax));
  const ByteSpan whole = ByteSpan(bytes).first(std::min<std::uint64_t>(bytes.size(), file_bytes_));
  file_.reset();
  VZ_TRY(publish_file(env_, path_, whole));
  torn_ = false;
  if (whole.empty()) return {};  // begin_file() replaces it.
  VZ_TRY_ASSIGN(file_, env_.open(path_, OpenMode::kReadWrite));
  return {};
}

void Log::remove_oldest() {
  if (file_bytes_ == 0) return;
  const auto files = list_files(env_, directory_);
  if (!files || files->size() <= options_.files) return;
  const auto& keep = (*files)[files->size() - options_.files];
  head_.first_seq = keep.first_seq;
  // The head first: what it does not name any more is a leftover, and never a loss.
  if (!publish_head()) return;
  for (const auto& file : *files)
    if (file.first_seq < head_.first_seq) (void)env_.remove(file.path);
}

bool Log::head_behind() const {
  MutexLock lock(mutex_);
  return head_behind_;
}

Head Log::head() const {
  MutexLock lock(mutex_);
  return head_;
}

}  // namespace vz::audit
