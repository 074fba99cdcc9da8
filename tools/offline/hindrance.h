// What keeps a tool from judging a data directory. It is an error of the operation, never damage:
// nothing may be derived from a file that nobody has read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/env/forwarding_env.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Errors: kIoError: a link, pipe, socket, device or directory stands where a file of ours belongs,
/// or a file where a directory does. Names it and the fix. Looks at FORMAT, CURRENT, the manifests,
/// the log's files and those of segments, whether an image names them or not. What cannot be listed
/// is left to the caller.
Status require_plain_files(Env& env, const store::Paths& paths);

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
  /// Errors: kPermissionDenied; kExhausted (no memory, no descriptor). Names the file and the fix.
  [[nodiscard]] Status unhindered() const;

  struct First;  ///< for the handles

 private:
  std::shared_ptr<First> first_;
};

}  // namespace vz::offline
