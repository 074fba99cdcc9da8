// An Env in which one file cannot be had.
#pragma once

#include <memory>
#include <string>

#include "storage/env/forwarding_env.h"

namespace vz::test {

/// Refuses to open one file, or to read it.
class RefusingEnv final : public ForwardingEnv {
 public:
  enum class At { kOpen, kRead };

  RefusingEnv(Env& behind, std::string path, ErrorCode code, At at = At::kOpen)
      : ForwardingEnv(behind), path_(std::move(path)), code_(code), at_(at) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (path != path_) return ForwardingEnv::open(path, mode);
    if (at_ == At::kOpen) return refusal();
    VZ_TRY_ASSIGN(auto file, ForwardingEnv::open(path, mode));
    return std::unique_ptr<File>(std::make_unique<RefusingFile>(std::move(file), *this));
  }
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    if (path == path_ && at_ == At::kOpen) return refusal();
    return ForwardingEnv::map(path);
  }

 private:
  class RefusingFile final : public File {
   public:
    RefusingFile(std::unique_ptr<File> behind, const RefusingEnv& env)
        : behind_(std::move(behind)), env_(env) {}
    Status write_at(std::uint64_t, ByteSpan) override { return env_.refusal(); }
    Status read_at(std::uint64_t, std::span<std::byte>) const override { return env_.refusal(); }
    Status sync() override { return env_.refusal(); }
    Result<std::uint64_t> size() const override { return behind_->size(); }
    Status truncate(std::uint64_t) override { return env_.refusal(); }
    Status fill_zero(std::uint64_t) override { return env_.refusal(); }

   private:
    std::unique_ptr<File> behind_;
    const RefusingEnv& env_;
  };

  [[nodiscard]] tl::unexpected<Error> refusal() const { return fail(code_, "opening " + path_); }

  const std::string path_;
  const ErrorCode code_;
  const At at_;
};

}  // namespace vz::test
