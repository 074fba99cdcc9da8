// Archives that our own writer would never make: tar.gz by libarchive, with any kind of member.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/bytes.h"

namespace vz::test {

/// A call that libarchive refuses fails the test.
class TarMaker {
 public:
  enum class Special : std::uint8_t { kDirectory, kCharacterDevice, kBlockDevice, kPipe };

  TarMaker();
  ~TarMaker();
  TarMaker(const TarMaker&) = delete;
  TarMaker& operator=(const TarMaker&) = delete;

  void file(const std::string& path, ByteSpan content);
  void file(const std::string& path, const std::string& content) { file(path, as_bytes(content)); }
  void symlink(const std::string& path, const std::string& to);
  void hardlink(const std::string& path, const std::string& to);
  void special(const std::string& path, Special type);

  /// Once.
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vz::test
