#include "storage/archive/archive_reader.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <archive.h>
#include <archive_entry.h>

#include "storage/archive/decompressor.h"

namespace vz::archive {
namespace {

struct FreeArchive {
  void operator()(struct ::archive* handle) const { ::archive_read_free(handle); }
};

std::string_view type_name(struct ::archive_entry* entry) {
  if (::archive_entry_hardlink(entry) != nullptr) return "a hard link";
  switch (::archive_entry_filetype(entry)) {
    case AE_IFLNK:
      return "a symbolic link";
    case AE_IFCHR:
    case AE_IFBLK:
      return "a device";
    case AE_IFIFO:
      return "a pipe";
    case AE_IFSOCK:
      return "a socket";
    default:
      return "no regular file";
  }
}

bool all_zero(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

struct ArchiveReader::State {
  explicit State(const ArchiveLimits& bounds) : limits(bounds) {}

  static la_ssize_t give_block(struct ::archive* handle, void* client, const void** bytes) {
    auto& state = *static_cast<State*>(client);
    auto got = state.plain->read(state.block);
    if (!got) {
      state.stream_error = got.error();
      ::archive_set_error(handle, EIO, "%s", got.error().message.c_str());
      return -1;
    }
    state.given += *got;
    state.block_size = *got;
    *bytes = state.block.data();
    return static_cast<la_ssize_t>(*got);
  }

  tl::unexpected<Error> damaged(std::string_view doing) const {
    if (stream_error) return tl::unexpected<Error>(*stream_error);
    const char* reason = ::archive_error_string(handle.get());
    return fail(ErrorCode::kCorruption,
                std::string(doing) + ": " + (reason == nullptr ? "damaged" : reason));
  }

  /// Behind the last member: zero bytes only, and not too many of them.
  Status check_end() {
    const auto used = static_cast<std::uint64_t>(
        std::max<la_int64_t>(0, ::archive_filter_bytes(handle.get(), 0)));
    const std::uint64_t unread = std::min<std::uint64_t>(given - std::min(given, used), block_size);
    ByteSpan bytes = ByteSpan(block).first(block_size).last(unread);
    std::uint64_t padding = 0;
    for (;;) {
      padding += bytes.size();
      if (!all_zero(bytes)) {
        return fail(ErrorCode::kCorruption, "there is content behind the end of the archive");
      }
      if (padding > limits.padding_bytes) {
        return fail(ErrorCode::kTooLarge, "there are more than " +
                                              std::to_string(limits.padding_bytes) +
                                              " zero bytes behind the end of the archive");
      }
      VZ_TRY_ASSIGN(const std::size_t got, plain->read(block));
      if (got == 0) return {};
      bytes = ByteSpan(block).first(got);
    }
  }

  Result<std::optional<Member>> next() {
    for (;;) {
      struct ::archive_entry* entry = nullptr;
      const int code = ::archive_read_next_header(handle.get(), &entry);
      if (code == ARCHIVE_EOF) {
        VZ_TRY(check_end());
        return std::optional<Member>();
      }
      // A warning is about a name or an attribute that cannot be represented: none of ours.
      if (code != ARCHIVE_OK) return damaged("reading the header of a member");
      VZ_TRY_ASSIGN(auto member, accept(entry));
      if (member) return member;
    }
  }

  /// Nothing for a directory.
  Result<std::optional<Member>> accept(struct ::archive_entry* entry) {
    if (++entries > limits.entries) {
      return fail(ErrorCode::kTooLarge,
                  "the archive has more than " + std::to_string(limits.entries) + " members");
    }
    const char* name = ::archive_entry_pathname(entry);
    std::string path = name == nullptr ? "" : name;
    const bool of_collection = path.starts_with(kCollectionPrefix);
    if (of_collection) path.erase(0, kCollectionPrefix.size());
    const bool prefix_alone = of_collection && path.empty();
    VZ_TRY_ASSIGN(const MemberKind kind, prefix_alone ? MemberKind::kDirectory : member_kind(path));
    const bool link =
        ::archive_entry_hardlink(entry) != nullptr || ::archive_entry_symlink(entry) != nullptr;
    const auto type = ::archive_entry_filetype(entry);
    if (!link && kind == MemberKind::kDirectory && type == AE_IFDIR) return std::optional<Member>();
    if (link || kind == MemberKind::kDirectory || type != AE_IFREG) {
      return fail(ErrorCode::kCorruption, "member \"" + printable_name(path) +
                                              "\" is refused: it is " +
                                              std::string(type_name(entry)));
    }
    if (!seen.insert(path).second) {
      return fail(ErrorCode::kCorruption, "member \"" + path + "\" is there twice");
    }
    const la_int64_t size = ::archive_entry_size(entry);
    if (::archive_entry_size_is_set(entry) == 0 || size < 0) {
      return fail(ErrorCode::kCorruption, "member \"" + path + "\" does not say its size");
    }
    left = static_cast<std::uint64_t>(size);
    return std::optional<Member>(Member{std::move(path), of_collection, kind, left});
  }

  Result<std::size_t> read(std::span<std::byte> out) {
    const la_ssize_t got = ::archive_read_data(handle.get(), out.data(), out.size());
    if (got < 0) return damaged("reading a member");
    const auto size = static_cast<std::uint64_t>(got);
    if (size > left || (size == 0 && left != 0)) {
      return fail(ErrorCode::kCorruption, "a member is shorter or longer than it says");
    }
    left -= size;
    return static_cast<std::size_t>(size);
  }

  const ArchiveLimits limits;
  std::unique_ptr<Decompressor> plain;
  Bytes block = Bytes(kArchiveBlockBytes);
  std::size_t block_size = 0;  ///< of the last block given to libarchive
  std::uint64_t given = 0;     ///< bytes given to libarchive
  std::uint64_t entries = 0;
  std::uint64_t left = 0;  ///< of the present member
  std::set<std::string> seen;
  std::optional<Error> stream_error;
  std::optional<Error> failed;
  std::unique_ptr<struct ::archive, FreeArchive> handle{::archive_read_new()};
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveReader::~ArchiveReader() = default;

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(ByteSource& source,
                                                           const ArchiveLimits& limits) {
  auto state = std::make_unique<State>(limits);
  VZ_TRY_ASSIGN(state->plain, Decompressor::open(source, limits));
  struct ::archive* handle = state->handle.get();
  const bool opened =
      handle != nullptr && ::archive_read_support_format_tar(handle) == ARCHIVE_OK &&
      ::archive_read_open(handle, state.get(), nullptr, &State::give_block, nullptr) == ARCHIVE_OK;
  if (!opened) return state->damaged("opening the archive");
  return std::unique_ptr<ArchiveReader>(new ArchiveReader(std::move(state)));
}

Result<std::optional<Member>> ArchiveReader::next() {
  if (state_->failed) return tl::unexpected<Error>(*state_->failed);
  auto member = state_->next();
  if (!member) state_->failed = member.error();
  return member;
}

Result<std::size_t> ArchiveReader::read(std::span<std::byte> out) {
  if (state_->failed) return tl::unexpected<Error>(*state_->failed);
  auto got = state_->read(out);
  if (!got) state_->failed = got.error();
  return got;
}

}  // namespace vz::archive
