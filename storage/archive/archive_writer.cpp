#include "storage/archive/archive_writer.h"

#include <algorithm>
#include <string>
#include <thread>

#include <archive.h>
#include <archive_entry.h>

#include "storage/archive/limits.h"

namespace vz::archive {
namespace {

constexpr mode_t kMemberMode = 0600;

struct FreeArchive {
  void operator()(struct ::archive* handle) const { ::archive_write_free(handle); }
};
struct FreeEntry {
  void operator()(struct ::archive_entry* entry) const { ::archive_entry_free(entry); }
};

}  // namespace

struct ArchiveWriter::State {
  explicit State(ByteSink& to, std::int64_t time) : sink(to), time_s(time) {}
  ~State() {
    abandoned = true;  // Else freeing it would write an end that looks sound.
    handle.reset();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// libarchive never hears of a failure: it frees what a filter holds only while it closes, and
  /// does not close after one. result() tells the caller.
  static la_ssize_t give_to_sink(struct ::archive*, void* client, const void* bytes,
                                 std::size_t size) {
    auto& state = *static_cast<State*>(client);
    if (state.sunk && !state.abandoned)
      state.sunk = state.sink.write({static_cast<const std::byte*>(bytes), size});
    return static_cast<la_ssize_t>(size);
  }

  /// What the sink said, else what libarchive says.
  Status result(int code, const std::string& doing) const {
    if (!sunk) return sunk;
    if (code >= ARCHIVE_WARN) return {};
    const char* reason = ::archive_error_string(handle.get());
    return fail(ErrorCode::kIoError,
                doing + ": " + (reason == nullptr ? "libarchive gives no reason" : reason));
  }

  ByteSink& sink;
  const std::int64_t time_s;
  std::unique_ptr<struct ::archive, FreeArchive> handle{::archive_write_new()};
  Status sunk;  ///< the first failure of the sink; nothing is written after it
  std::uint64_t missing = 0;
  bool abandoned = false;  ///< what still comes is dropped
};

namespace {

int set_filter(struct ::archive* handle, ArchiveFormat format) {
  if (format == ArchiveFormat::kTarGzip) {
    const int added = ::archive_write_add_filter_gzip(handle);
    if (added < ARCHIVE_WARN) return added;
    return ::archive_write_set_options(handle, "gzip:compression-level=1,gzip:!timestamp");
  }
  const int added = ::archive_write_add_filter_zstd(handle);
  if (added < ARCHIVE_WARN) return added;
  // With one thread or more zstd cuts its input alike, so their number does not show in the bytes.
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  return ::archive_write_set_filter_option(handle, "zstd", "threads",
                                           std::to_string(threads).c_str());
}

}  // namespace

std::optional<ArchiveFormat> format_of_name(std::string_view name) {
  if (name.ends_with(".tar.gz") || name.ends_with(".tgz")) return ArchiveFormat::kTarGzip;
  if (name.ends_with(".tar.zst") || name.ends_with(".tzst")) return ArchiveFormat::kTarZstd;
  return std::nullopt;
}

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

ArchiveWriter::~ArchiveWriter() = default;

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(ByteSink& sink, ArchiveFormat format,
                                                             std::int64_t time_s) {
  auto state = std::make_unique<State>(sink, time_s);
  struct ::archive* handle = state->handle.get();
  if (handle == nullptr) return fail(ErrorCode::kInternal, "libarchive gives no writer");
  VZ_TRY(state->result(::archive_write_set_format_pax_restricted(handle), "preparing the archive"));
  VZ_TRY(state->result(set_filter(handle, format), "preparing the archive"));
  ::archive_write_set_bytes_per_block(handle, static_cast<int>(kArchiveBlockBytes));
  ::archive_write_set_bytes_in_last_block(handle, 1);  // No zero bytes behind the stream.
  VZ_TRY(state->result(
      ::archive_write_open(handle, state.get(), nullptr, &State::give_to_sink, nullptr),
      "beginning the archive"));
  return std::unique_ptr<ArchiveWriter>(new ArchiveWriter(std::move(state)));
}

Status ArchiveWriter::begin(const std::string& path, std::uint64_t size_bytes) {
  if (state_->missing != 0) return fail(ErrorCode::kInternal, "the member before is incomplete");
  const std::unique_ptr<struct ::archive_entry, FreeEntry> entry(::archive_entry_new());
  ::archive_entry_set_pathname(entry.get(), path.c_str());
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size_bytes));
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), kMemberMode);
  ::archive_entry_set_uid(entry.get(), 0);
  ::archive_entry_set_gid(entry.get(), 0);
  ::archive_entry_set_mtime(entry.get(), static_cast<time_t>(state_->time_s), 0);
  state_->missing = size_bytes;
  return state_->result(::archive_write_header(state_->handle.get(), entry.get()),
                        "writing the header of " + path);
}

Status ArchiveWriter::write(ByteSpan bytes) {
  if (bytes.size() > state_->missing) {
    return fail(ErrorCode::kInternal, "more bytes than the member was begun with");
  }
  while (!bytes.empty()) {
    const la_ssize_t written =
        ::archive_write_data(state_->handle.get(), bytes.data(), bytes.size());
    VZ_TRY(state_->result(written < 0 ? static_cast<int>(written) : ARCHIVE_OK,
                          "writing the archive"));
    if (written == 0) return fail(ErrorCode::kInternal, "libarchive took no bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    state_->missing -= static_cast<std::uint64_t>(written);
  }
  return {};
}

Status ArchiveWriter::finish() {
  if (state_->missing != 0) return fail(ErrorCode::kInternal, "the last member is incomplete");
  return state_->result(::archive_write_close(state_->handle.get()), "ending the archive");
}

}  // namespace vz::archive
