// What keeps a check from judging a file. It is an error of the operation, never damage: nothing
// may be derived from a file that nobody has read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/env/forwarding_env.h"

namespace vz::check {

/// Hands every call on and remembers the first hindrance. So no reader in between has to tell it
/// from damage: who asks at the end knows whether what was found counts. Thread-safe; files that it
/// opened may outlive it.
class WatchedEnv final : public ForwardingEnv {
 public:
  explicit WatchedEnv(Env& behind);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                             const std::string& relative) override;
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                         const std::string& owner) override;

  /// A hindrance that was met elsewhere, such as no memory for an index; others are left out.
  void note(const Error& error);
  /// The first one: kPermissionDenied, or kExhausted (no memory, no descriptor).
  [[nodiscard]] std::optional<Error> hindrance() const;

  struct First;  ///< for the handles

 private:
  std::shared_ptr<First> first_;
};

}  // namespace vz::check
