// Reads and writes of FaultEnv's files.
#include <algorithm>

#include "storage/env/fault_env_state.h"

namespace vz {

FaultFile::FaultFile(std::shared_ptr<FaultEnv::State> state, fault::NodePtr node, std::string path,
                     OpenMode mode, std::uint64_t generation)
    : state_(std::move(state)),
      node_(std::move(node)),
      path_(std::move(path)),
      mode_(mode),
      generation_(generation) {}

Status FaultFile::check_usable() const {
  if (state_->generation == generation_) return {};
  return fail(ErrorCode::kIoError, path_ + ": this handle was lost with the process");
}

Status FaultFile::check_writable(std::uint64_t offset, std::uint64_t size) const {
  VZ_TRY(check_usable());
  if (mode_ == OpenMode::kRead) {
    return fail(ErrorCode::kIoError, "writing " + path_ + ": opened for reading");
  }
  if (offset <= fault::kFileBytesMax && size <= fault::kFileBytesMax - offset) return {};
  return fail(ErrorCode::kIoError, "writing " + path_ + ": offset " + std::to_string(offset) +
                                       " + " + std::to_string(size) +
                                       " bytes is more than a file in memory may have");
}

Status FaultFile::write_at(std::uint64_t offset, ByteSpan bytes) {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_writable(offset, bytes.size()));
  const Status step = state_->step(FaultCall::kWrite, path_);
  state_->mark_changed(*node_);
  node_->file.write(offset, step ? bytes : bytes.first(state_->done_before_failure(bytes.size())));
  return step;
}

Status FaultFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_usable());
  const ByteSpan content = node_->file.bytes();
  if (offset > content.size() || out.size() > content.size() - offset) {
    return fail(ErrorCode::kIoError, "reading " + path_ + ": " + std::to_string(out.size()) +
                                         " bytes at offset " + std::to_string(offset) +
                                         ", the file ends at " + std::to_string(content.size()));
  }
  std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return {};
}

Status FaultFile::sync() {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_usable());
  const Status step = state_->step(FaultCall::kSync, path_);
  if (!step) {
    node_->file.sync_failed();
    return step;
  }
  if (!state_->ignores_file_syncs) node_->file.sync();
  return {};
}

Result<std::uint64_t> FaultFile::size() const {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_usable());
  return node_->file.size();
}

Status FaultFile::truncate(std::uint64_t size) {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_writable(0, size));
  VZ_TRY(state_->step(FaultCall::kTruncate, path_));
  state_->mark_changed(*node_);
  node_->file.truncate(size);
  return {};
}

Status FaultFile::fill_zero(std::uint64_t size) {
  MutexLock lock(state_->mutex);
  VZ_TRY(check_writable(0, size));
  const Status step = state_->step(FaultCall::kFill, path_);
  state_->mark_changed(*node_);
  const std::uint64_t from = node_->file.size();
  if (size <= from) return step;
  const std::uint64_t wanted = size - from;
  const std::uint64_t done = step ? wanted : state_->done_before_failure(wanted);
  node_->file.write(from, Bytes(done));
  return step;
}

}  // namespace vz
