#include "tests/support/tar_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <catch2/catch.hpp>

namespace vz::test {
namespace {

la_ssize_t collect(struct ::archive* /*handle*/, void* to, const void* bytes, std::size_t size) {
  const auto* begin = static_cast<const std::byte*>(bytes);
  auto& out = *static_cast<Bytes*>(to);
  out.insert(out.end(), begin, begin + size);
  return static_cast<la_ssize_t>(size);
}

unsigned type_of(TarMaker::Special type) {
  switch (type) {
    case TarMaker::Special::kDirectory:
      return AE_IFDIR;
    case TarMaker::Special::kCharacterDevice:
      return AE_IFCHR;
    case TarMaker::Special::kBlockDevice:
      return AE_IFBLK;
    case TarMaker::Special::kPipe:
      return AE_IFIFO;
  }
  return AE_IFREG;
}

struct ::archive_entry* begin_entry(const std::string& path, unsigned type) {
  auto* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, path.c_str());
  ::archive_entry_set_filetype(entry, type);
  ::archive_entry_set_perm(entry, 0644);
  ::archive_entry_set_size(entry, 0);
  return entry;
}

}  // namespace

struct TarMaker::State {
  Bytes bytes;
  struct ::archive* handle = ::archive_write_new();

  void end_entry(struct ::archive_entry* entry) const {
    REQUIRE(::archive_write_header(handle, entry) == ARCHIVE_OK);
    ::archive_entry_free(entry);
  }
};

TarMaker::TarMaker() : state_(std::make_unique<State>()) {
  REQUIRE(::archive_write_set_format_pax_restricted(state_->handle) == ARCHIVE_OK);
  REQUIRE(::archive_write_add_filter_gzip(state_->handle) == ARCHIVE_OK);
  ::archive_write_set_bytes_in_last_block(state_->handle, 1);
  REQUIRE(::archive_write_open(state_->handle, &state_->bytes, nullptr, &collect, nullptr) ==
          ARCHIVE_OK);
}

TarMaker::~TarMaker() {
  ::archive_write_free(state_->handle);
}

void TarMaker::file(const std::string& path, ByteSpan content) {
  auto* entry = begin_entry(path, AE_IFREG);
  ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  state_->end_entry(entry);
  REQUIRE(::archive_write_data(state_->handle, content.data(), content.size()) ==
          static_cast<la_ssize_t>(content.size()));
}

void TarMaker::symlink(const std::string& path, const std::string& to) {
  auto* entry = begin_entry(path, AE_IFLNK);
  ::archive_entry_set_symlink(entry, to.c_str());
  state_->end_entry(entry);
}

void TarMaker::hardlink(const std::string& path, const std::string& to) {
  auto* entry = begin_entry(path, AE_IFREG);
  ::archive_entry_set_hardlink(entry, to.c_str());
  state_->end_entry(entry);
}

void TarMaker::special(const std::string& path, Special type) {
  state_->end_entry(begin_entry(path, type_of(type)));
}

Bytes TarMaker::finish() {
  REQUIRE(::archive_write_close(state_->handle) == ARCHIVE_OK);
  return std::move(state_->bytes);
}

}  // namespace vz::test
