// LogWriter: groups, rotation, reuse.
#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include <unistd.h>

#include "storage/base/mutex.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_start.h"

namespace vz::wal {
namespace {

/// A larger buffer is given back: the largest record must not stay allocated for good.
constexpr std::size_t kGroupCapacityKept = 16u << 20;

std::uint64_t random_salt() {
  std::uint64_t salt = 0;
  VZ_ASSERT(getentropy(&salt, sizeof salt) == 0);  // Fails only for more than 256 bytes.
  return salt;
}

/// A place for a closed file that waits to be used again.
enum class Spare : std::uint8_t {
  kAbsent,
  kReady,
  kBusy,  ///< somebody moves a file to or from this name, or failed to: hands off
};

}  // namespace

/// Thread rule: the part without annotations belongs to the writer's thread.
struct LogWriter::State {
  Env& env;
  const std::string directory;
  const Epoch epoch;
  const LogOptions options;

  std::unique_ptr<File> file{};
  std::string path{};
  std::uint64_t size_bytes = 0;  ///< of the file, ahead of the records
  std::uint64_t offset = format::kWalFileHeaderSize;
  std::uint32_t seed = 0;
  Lsn file_first_lsn = 0;

  /// Size of the next file that is made new. It begins small, because filling a file with zeros is
  /// what a start waits for, and grows as the log shows that it is used.
  std::uint64_t fresh_size_bytes = 1u << 20;

  Lsn next_lsn = 0;
  Lsn group_lsn = 0;
  bool no_room = false;  ///< the last error was that of a new file, and has changed nothing
  Bytes group{};         ///< records, not signed yet
  std::vector<std::size_t> record_begins{};  ///< in `group`

  mutable Mutex mutex{};
  Status broken VZ_GUARDED_BY(mutex){};  ///< the first error of commit, kept for good
  std::deque<ClosedFile> closed VZ_GUARDED_BY(mutex){};
  Lsn present_first_lsn VZ_GUARDED_BY(mutex) = 0;  ///< where the last closed file's records end
  std::uint64_t kept_bytes VZ_GUARDED_BY(mutex) = 0;
  std::array<Spare, kSparesMax> spares VZ_GUARDED_BY(mutex){};

  [[nodiscard]] std::string spare_path(std::size_t index) const {
    return directory + "/" + spare_name(index);
  }

  /// The next file, ready to take its place in the log.
  struct NextFile {
    PreparedLogFile prepared{};
    std::uint64_t size_bytes = 0;
    std::optional<std::size_t> spare{};
  };
  Result<NextFile> prepare_file(Lsn first_lsn, std::uint64_t group_size);
  Status begin_file(const NextFile& next);
  Status ensure_room(std::uint64_t group_size);
  Status write_group();
  Status judged(Status outcome) VZ_EXCLUDES(mutex);
  std::optional<std::size_t> take_spare(Spare from, Spare to) VZ_EXCLUDES(mutex);
  void set_spare(std::size_t index, Spare state) VZ_EXCLUDES(mutex);
  Status retire(const ClosedFile& closed_file);
};

std::optional<std::size_t> LogWriter::State::take_spare(Spare from, Spare to) {
  MutexLock lock(mutex);
  for (std::size_t i = 0; i < spares.size(); ++i) {
    if (spares[i] != from) continue;
    spares[i] = to;
    return i;
  }
  return std::nullopt;
}

void LogWriter::State::set_spare(std::size_t index, Spare state) {
  MutexLock lock(mutex);
  spares[index] = state;
}

/// A new file for records from `first_lsn` on: a spare if one fits, else as large as the log's use
/// asks for, else, on a full disk, just large enough.
Result<LogWriter::State::NextFile> LogWriter::State::prepare_file(Lsn first_lsn,
                                                                  std::uint64_t group_size) {
  const std::uint64_t needed = format::kWalFileHeaderSize + group_size;
  const format::WalFileHeader header{
      .epoch = epoch,
      .first_lsn = first_lsn,
      .salt = options.make_salt ? options.make_salt() : random_salt(),
  };
  NextFile out;
  if (needed <= options.file_size_bytes) out.spare = take_spare(Spare::kReady, Spare::kBusy);
  out.size_bytes = out.spare
                       ? options.file_size_bytes
                       : std::max(std::min(fresh_size_bytes, options.file_size_bytes), needed);
  const std::string spare = out.spare ? spare_path(*out.spare) : std::string();
  auto prepared = prepare_log_file(env, directory, header, out.size_bytes, spare);
  if (!prepared && prepared.error().code == ErrorCode::kNoSpace && !out.spare &&
      out.size_bytes > needed) {
    out.size_bytes = needed;
    prepared = prepare_log_file(env, directory, header, needed, spare);
  }
  if (!prepared) {
    if (out.spare) set_spare(*out.spare, Spare::kReady);
    return tl::unexpected<Error>(std::move(prepared).error());
  }
  out.prepared = *std::move(prepared);
  return out;
}

/// Replaces `file` by it.
Status LogWriter::State::begin_file(const NextFile& next) {
  VZ_TRY_ASSIGN(file, name_log_file(env, directory, next.prepared));
  if (next.spare) set_spare(*next.spare, Spare::kAbsent);
  if (!next.spare) fresh_size_bytes = std::min(fresh_size_bytes * 4, options.file_size_bytes);
  path = directory + "/" + log_file_name(epoch, next.prepared.header.first_lsn);
  size_bytes = next.size_bytes;
  offset = format::kWalFileHeaderSize;
  seed = format::wal_crc_seed(next.prepared.header.salt);
  file_first_lsn = next.prepared.header.first_lsn;
  return {};
}

/// Goes on in a new file, if the one in use has no room for a group of `group_size`.
Status LogWriter::State::ensure_room(std::uint64_t group_size) {
  if (group_size <= size_bytes - offset) return {};
  ClosedFile full{path, file_first_lsn, offset - format::kWalFileHeaderSize, size_bytes};
  const auto next = prepare_file(group_lsn, group_size);
  if (!next) {
    // Nor is a full table of descriptors an error of the disk: it passes.
    no_room =
        next.error().code == ErrorCode::kNoSpace || next.error().code == ErrorCode::kExhausted;
    return tl::unexpected<Error>(next.error());
  }
  VZ_TRY(begin_file(*next));
  MutexLock lock(mutex);
  // A file without a record was replaced by one of the same name.
  if (full.record_bytes > 0) closed.push_back(std::move(full));
  present_first_lsn = file_first_lsn;
  return {};
}

/// Keeps the error of `outcome` for good, unless all it says is that there is no room.
Status LogWriter::State::judged(Status outcome) {
  if (outcome) return outcome;
  outcome = while_doing(std::move(outcome.error()), "appending to the log");
  if (std::exchange(no_room, false)) return outcome;
  MutexLock lock(mutex);
  broken = outcome;
  return outcome;
}

Status LogWriter::State::write_group() {
  VZ_TRY(ensure_room(group.size()));
  for (std::size_t i = 0; i < record_begins.size(); ++i) {
    const std::size_t end = i + 1 < record_begins.size() ? record_begins[i + 1] : group.size();
    format::sign_wal_record(std::span(group).subspan(record_begins[i], end - record_begins[i]),
                            seed);
  }
  VZ_TRY(file->write_at(offset, group));
  const auto begin = std::chrono::steady_clock::now();
  VZ_TRY(file->sync());
  if (options.on_synced) options.on_synced(std::chrono::steady_clock::now() - begin);
  offset += group.size();
  MutexLock lock(mutex);
  kept_bytes += group.size();
  return {};
}

/// Removes the file or makes a spare of it. The name is durably gone on return: were it not, and
/// the spare written over, a power cut would bring back the name with another file's content.
Status LogWriter::State::retire(const ClosedFile& closed_file) {
  const auto spare = closed_file.size_bytes == options.file_size_bytes
                         ? take_spare(Spare::kAbsent, Spare::kBusy)
                         : std::nullopt;
  const Status gone =
      spare ? env.rename(closed_file.path, spare_path(*spare)) : env.remove(closed_file.path);
  if (!gone && gone.error().code == ErrorCode::kNotFound) {
    // Somebody took it away. Its records were not needed any more, and nor is it.
    if (spare) set_spare(*spare, Spare::kAbsent);
    return {};
  }
  VZ_TRY(gone);
  VZ_TRY(env.sync_directory(directory));
  if (spare) set_spare(*spare, Spare::kReady);
  return {};
}

LogWriter::LogWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogWriter::~LogWriter() = default;

Result<std::unique_ptr<LogWriter>> LogWriter::start(Env& env, std::string directory, Epoch epoch,
                                                    Lsn next_lsn, LogOptions options) {
  if (epoch == 0 || next_lsn == 0) {
    return fail(ErrorCode::kInvalidArgument, "starting the log in " + directory +
                                                 ": expected an epoch and an lsn of at least 1");
  }
  auto closed = settle_log(env, directory, epoch, next_lsn, options.file_size_bytes);
  if (!closed) return while_doing(std::move(closed.error()), "starting the log in " + directory);
  auto state =
      std::unique_ptr<State>(new State{env, std::move(directory), epoch, std::move(options)});
  state->next_lsn = state->group_lsn = next_lsn;
  {
    MutexLock lock(state->mutex);
    state->present_first_lsn = next_lsn;
    for (const auto& file : *closed) state->kept_bytes += file.record_bytes;
    state->closed.assign(closed->begin(), closed->end());
    for (std::size_t i = 0; i < kSparesMax; ++i)
      if (env.exists(state->spare_path(i))) state->spares[i] = Spare::kReady;
  }
  auto next = state->prepare_file(next_lsn, 0);
  Status begun = next ? state->begin_file(*next) : tl::unexpected<Error>(next.error());
  if (!begun)
    return while_doing(std::move(begun.error()), "starting the log in " + state->directory);
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(state)));
}

Lsn LogWriter::add(format::WalRecordKind kind, CollectionId collection, std::int64_t time_us,
                   ByteSpan payload) {
  State& state = *state_;
  state.record_begins.push_back(state.group.size());
  format::append_unsigned_wal_record({.lsn = state.next_lsn,
                                      .group_lsn = state.group_lsn,
                                      .time_us = time_us,
                                      .epoch = state.epoch,
                                      .collection = collection,
                                      .kind = kind,
                                      .payload = payload},
                                     state.group);
  return state.next_lsn++;
}

std::uint64_t LogWriter::group_bytes() const {
  return state_->group.size();
}
Lsn LogWriter::next_lsn() const {
  return state_->next_lsn;
}

bool LogWriter::broken() const {
  MutexLock lock(state_->mutex);
  return !state_->broken.has_value();
}

Status LogWriter::make_room(std::uint64_t bytes) {
  State& state = *state_;
  {
    MutexLock lock(state.mutex);
    VZ_TRY(state.broken);
  }
  VZ_ASSERT(state.group.empty());
  return state.judged(state.ensure_room(bytes));
}

Status LogWriter::begin_next_file() {
  const State& state = *state_;
  if (state.offset == format::kWalFileHeaderSize) return {};
  return make_room(state.size_bytes - state.offset + 1);
}

Status LogWriter::commit() {
  State& state = *state_;
  {
    MutexLock lock(state.mutex);
    VZ_TRY(state.broken);
  }
  if (state.group.empty()) return {};
  VZ_TRY(state.judged(state.write_group()));
  state.group.clear();
  if (state.group.capacity() > kGroupCapacityKept) state.group.shrink_to_fit();
  state.record_begins.clear();
  state.group_lsn = state.next_lsn;
  return {};
}

Status LogWriter::remove_below(Lsn lsn) {
  State& state = *state_;
  for (;;) {
    ClosedFile oldest;
    {
      MutexLock lock(state.mutex);
      VZ_TRY(state.broken);
      if (state.closed.empty()) return {};
      const Lsn end = state.closed.size() > 1 ? state.closed[1].first_lsn : state.present_first_lsn;
      if (end > lsn) return {};
      oldest = std::move(state.closed.front());
      state.closed.pop_front();
      state.kept_bytes -= oldest.record_bytes;
    }
    VZ_TRY(state.retire(oldest));
  }
}

std::uint64_t LogWriter::kept_bytes() const {
  MutexLock lock(state_->mutex);
  return state_->kept_bytes;
}

}  // namespace vz::wal
