// FaultEnv's paths, plan of failures, locks, and the helpers of tests.
#include "storage/env/fault_env_state.h"

namespace vz {

using fault::NodePtr;

Status FaultEnv::State::step(FaultCall call, const std::string& path) {
  counts[static_cast<std::size_t>(call)] += 1;
  if (!plan || (plan->options.only && *plan->options.only != call)) return {};
  if (plan->calls_left > 0) {
    plan->calls_left -= 1;
    return {};
  }
  if (fault_hit && plan->repeat == Repeat::kOnce) return {};
  fault_hit = true;
  return fail(plan->options.code, path + ": injected fault");
}

std::uint64_t FaultEnv::State::done_before_failure(std::uint64_t size) const {
  return plan && plan->options.short_write == ShortWrite::kHalf ? size / 2 : 0;
}

Result<FaultEnv::State::Place> FaultEnv::State::find(const std::string& path) {
  Place place{.directory = nullptr, .name = "", .node = disk.root()};
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") return fail(ErrorCode::kInvalidArgument, path + ": \"..\" is not modelled");
    if (place.node == nullptr) return fail(ErrorCode::kNotFound, path + ": no such directory");
    if (place.node->type != FileType::kDirectory) {
      return fail(ErrorCode::kIoError, path + ": a file stands where a directory should");
    }
    const auto found = place.node->names.find(name);
    const NodePtr child = found == place.node->names.end() ? nullptr : found->second;
    place = {.directory = place.node, .name = name, .node = child};
  }
  return place;
}

Result<NodePtr> FaultEnv::State::existing(const std::string& path, FileType type) {
  VZ_TRY_ASSIGN(Place place, find(path));
  if (place.node == nullptr) return fail(ErrorCode::kNotFound, path + ": no such file");
  if (place.node->type != type) {
    return fail(
        ErrorCode::kIoError,
        path + (type == FileType::kDirectory ? ": not a directory" : ": not a regular file"));
  }
  return place.node;
}

Result<NodePtr> FaultEnv::State::create(const std::string& path) {
  VZ_TRY_ASSIGN(Place place, find(path));
  if (place.node != nullptr) {
    return fail(ErrorCode::kAlreadyExists, "creating " + path + ": it exists");
  }
  VZ_TRY(step(FaultCall::kCreate, path));
  NodePtr node = std::make_shared<fault::Node>();
  mark_changed(*node);
  disk.change_names({{place.directory, place.name, node}});
  return node;
}

void FaultEnv::State::restart(fault::Disk next) {
  disk = std::move(next);
  generation += 1;
}

namespace {

std::string first_line(ByteSpan bytes) {
  const std::string_view text = as_text(bytes);
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

/// Held while it exists; a lock of before the last power cut or kill holds nothing.
class FaultLock final : public FileLock {
 public:
  FaultLock(std::shared_ptr<FaultEnv::State> state, NodePtr node, LockMode mode,
            std::uint64_t generation)
      : state_(std::move(state)), node_(std::move(node)), mode_(mode), generation_(generation) {}

  ~FaultLock() override {
    MutexLock lock(state_->mutex);
    if (state_->generation != generation_) return;
    if (mode_ == LockMode::kShared) {
      node_->shared_locks -= 1;
      return;
    }
    node_->exclusive_lock = false;
    node_->file.truncate(0);
  }

 private:
  std::shared_ptr<FaultEnv::State> state_;
  NodePtr node_;
  LockMode mode_;
  std::uint64_t generation_;
};

Result<std::unique_ptr<FileLock>> FaultEnv::lock(const std::string& path, LockMode mode,
                                                 const std::string& owner) {
  MutexLock guard(state_->mutex);
  VZ_TRY_ASSIGN(const State::Place place, state_->find(path));
  NodePtr node = place.node;
  if (node == nullptr && mode == LockMode::kExclusive) {
    VZ_TRY_ASSIGN(node, state_->create(path));
  } else {
    VZ_TRY(state_->existing(path, FileType::kRegular));
  }
  if (node->exclusive_lock) {
    return fail(ErrorCode::kLocked, path + " is locked by " + first_line(node->file.bytes()));
  }
  if (node->shared_locks > 0 && mode == LockMode::kExclusive) {
    return fail(ErrorCode::kLocked, path + " is locked for reading by another process");
  }
  if (mode == LockMode::kExclusive) {
    const Status step = state_->step(FaultCall::kWrite, path);
    if (!step && step.error().code != ErrorCode::kNoSpace) {
      return tl::unexpected<Error>(step.error());
    }
    node->file.truncate(0);  // As on a real disk: without space the lock counts, not the name.
    if (step) node->file.write(0, as_bytes(owner + "\n"));
    node->exclusive_lock = true;
  } else {
    node->shared_locks += 1;
  }
  return std::unique_ptr<FileLock>(
      std::make_unique<FaultLock>(state_, std::move(node), mode, state_->generation));
}

Status FaultEnv::make_directory(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    MutexLock lock(state_->mutex);
    VZ_TRY_ASSIGN(const State::Place place, state_->find(part));
    if (place.node == nullptr) {
      auto node = std::make_shared<fault::Node>();
      node->type = FileType::kDirectory;
      state_->disk.change_names({{place.directory, place.name, std::move(node)}});
    } else if (place.node->type != FileType::kDirectory) {
      return fail(ErrorCode::kAlreadyExists, part + " is a file");
    }
    if (place.directory != nullptr) state_->disk.sync_names(place.directory);
    if (at == std::string::npos) return {};
  }
}

Status FaultEnv::put_file(const std::string& path, ByteSpan bytes) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const State::Place place, state_->find(path));
  if (place.directory == nullptr || (place.node && place.node->type != FileType::kRegular)) {
    return fail(ErrorCode::kIoError, path + ": not a regular file");
  }
  auto node = std::make_shared<fault::Node>();
  node->file = fault::FileContent(Bytes(bytes.begin(), bytes.end()));
  state_->mark_changed(*node);
  state_->disk.change_names({{place.directory, place.name, std::move(node)}});
  state_->disk.sync_names(place.directory);
  return {};
}

Status FaultEnv::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kRegular));
  if (offset >= node->file.size() || bit > 7) {
    return fail(ErrorCode::kOutOfRange, path + ": no bit " + std::to_string(bit) + " at offset " +
                                            std::to_string(offset) + ", the file ends at " +
                                            std::to_string(node->file.size()));
  }
  node->file.flip_bit(offset, bit);
  return {};
}

Status FaultEnv::truncate_file(const std::string& path, std::uint64_t size) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kRegular));
  if (size > fault::kFileBytesMax) return fail(ErrorCode::kIoError, path + ": size out of range");
  node->file.truncate(size);
  node->file.sync();
  state_->mark_changed(*node);
  return {};
}

}  // namespace vz
