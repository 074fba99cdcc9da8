// SHA-256 over bytes that arrive in pieces (OpenSSL).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/bytes.h"

namespace vz {

using Sha256Digest = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteSpan bytes);
  /// The digest of all bytes so far; the object may not be used afterwards.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of all of `bytes`.
Sha256Digest sha256_of(ByteSpan bytes);

/// 64 lower-case hex digits.
std::string to_hex(const Sha256Digest& digest);

}  // namespace vz
