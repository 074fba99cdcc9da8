#include "storage/env/fault_env.h"

#include <numeric>

#include "storage/env/fault_env_state.h"

namespace vz {

using fault::CrashChoice;
using fault::NodePtr;

namespace {

class FaultMappedFile final : public MappedFile {
 public:
  explicit FaultMappedFile(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] ByteSpan bytes() const override { return *bytes_; }
  [[nodiscard]] bool failed() const override { return false; }
  void read_ahead(std::uint64_t, std::uint64_t) const override {}
  void forget(std::uint64_t, std::uint64_t) const override {}

 private:
  std::shared_ptr<const Bytes> bytes_;
};

}  // namespace

FaultEnv::FaultEnv() : state_(std::make_shared<State>()) {}
FaultEnv::~FaultEnv() = default;

void FaultEnv::fail_at(std::uint64_t call, FaultOptions options) {
  MutexLock lock(state_->mutex);
  state_->plan = State::Plan{call, State::Repeat::kOnce, options};
  state_->fault_hit = false;
}

void FaultEnv::fail_from(std::uint64_t call, FaultOptions options) {
  MutexLock lock(state_->mutex);
  state_->plan = State::Plan{call, State::Repeat::kForEver, options};
  state_->fault_hit = false;
}

void FaultEnv::heal() {
  MutexLock lock(state_->mutex);
  state_->plan.reset();
}

bool FaultEnv::fault_hit() const {
  MutexLock lock(state_->mutex);
  return state_->fault_hit;
}

std::uint64_t FaultEnv::calls() const {
  MutexLock lock(state_->mutex);
  return std::accumulate(state_->counts.begin(), state_->counts.end(), std::uint64_t{0});
}

std::uint64_t FaultEnv::calls(FaultCall kind) const {
  MutexLock lock(state_->mutex);
  return state_->counts[static_cast<std::size_t>(kind)];
}

void FaultEnv::lose_power(std::uint64_t seed) {
  MutexLock lock(state_->mutex);
  state_->restart(state_->disk.after_crash(CrashChoice::random(seed)));
}

void FaultEnv::lose_power_worst() {
  MutexLock lock(state_->mutex);
  state_->restart(state_->disk.after_crash(CrashChoice::worst()));
}

void FaultEnv::lose_power_names_kept() {
  MutexLock lock(state_->mutex);
  state_->restart(state_->disk.after_crash(CrashChoice::names_only()));
}

void FaultEnv::kill_process() {
  MutexLock lock(state_->mutex);
  state_->disk.drop_locks();
  state_->generation += 1;
}

std::unique_ptr<FaultEnv> FaultEnv::crash_image(std::uint64_t seed) const {
  auto image = std::make_unique<FaultEnv>();
  MutexLock lock(state_->mutex);
  MutexLock image_lock(image->state_->mutex);
  image->state_->disk = state_->disk.after_crash(CrashChoice::random(seed));
  return image;
}

void FaultEnv::ignore_file_syncs(bool ignore) {
  MutexLock lock(state_->mutex);
  state_->ignores_file_syncs = ignore;
}

void FaultEnv::ignore_directory_syncs(bool ignore) {
  MutexLock lock(state_->mutex);
  state_->ignores_directory_syncs = ignore;
}

void FaultEnv::refuse_links(bool refuse) {
  MutexLock lock(state_->mutex);
  state_->refuses_links = refuse;
}

void FaultEnv::set_disk_space(DiskSpace space) {
  MutexLock lock(state_->mutex);
  state_->space = space;
}

Result<std::unique_ptr<File>> FaultEnv::open(const std::string& path, OpenMode mode) {
  MutexLock lock(state_->mutex);
  NodePtr node;
  if (mode == OpenMode::kCreateNew) {
    VZ_TRY_ASSIGN(node, state_->create(path));
  } else {
    VZ_TRY_ASSIGN(node, state_->existing(path, FileType::kRegular));
  }
  return std::unique_ptr<File>(
      std::make_unique<FaultFile>(state_, std::move(node), path, mode, state_->generation));
}

Result<std::unique_ptr<File>> FaultEnv::open_beneath(const std::string& directory,
                                                     const std::string& relative) {
  return open(directory + "/" + relative, OpenMode::kRead);  // There are no links to follow here.
}

Result<std::unique_ptr<MappedFile>> FaultEnv::map(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kRegular));
  return std::unique_ptr<MappedFile>(std::make_unique<FaultMappedFile>(node->file.snapshot()));
}

Status FaultEnv::rename(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const State::Place source, state_->find(from));
  VZ_TRY_ASSIGN(const State::Place target, state_->find(to));
  const std::string doing = "renaming " + from + " to " + to;
  if (source.node == nullptr) return fail(ErrorCode::kNotFound, doing + ": no such file");
  if (target.node != nullptr && target.node->type != source.node->type) {
    return fail(ErrorCode::kIoError, doing + ": one is a directory");
  }
  if (target.node != nullptr && !target.node->names.empty()) {
    return fail(ErrorCode::kIoError, doing + ": directory not empty");
  }
  if (to.starts_with(from + "/")) return fail(ErrorCode::kIoError, doing + ": into itself");
  VZ_TRY(state_->step(FaultCall::kRename, from));
  if (source.node == target.node) return {};
  state_->mark_changed(*source.node);
  state_->disk.change_names(
      {{source.directory, source.name, nullptr}, {target.directory, target.name, source.node}});
  return {};
}

Status FaultEnv::link(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(from, FileType::kRegular));
  VZ_TRY_ASSIGN(const State::Place target, state_->find(to));
  const std::string doing = "linking " + from + " as " + to;
  if (target.node != nullptr) return fail(ErrorCode::kAlreadyExists, doing + ": it exists");
  if (state_->refuses_links) return fail(ErrorCode::kUnsupported, doing + ": no links here");
  VZ_TRY(state_->step(FaultCall::kLink, from));
  state_->mark_changed(*node);
  state_->disk.change_names({{target.directory, target.name, node}});
  return {};
}

Status FaultEnv::remove(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY(state_->existing(path, FileType::kRegular));
  VZ_TRY_ASSIGN(const State::Place place, state_->find(path));
  VZ_TRY(state_->step(FaultCall::kRemove, path));
  state_->disk.change_names({{place.directory, place.name, nullptr}});
  return {};
}

Status FaultEnv::create_directory(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const State::Place place, state_->find(path));
  if (place.node != nullptr && place.node->type == FileType::kDirectory) return {};
  if (place.node != nullptr) {
    return fail(ErrorCode::kAlreadyExists, "creating directory " + path + ": it is a file");
  }
  VZ_TRY(state_->step(FaultCall::kCreateDirectory, path));
  auto node = std::make_shared<fault::Node>();
  node->type = FileType::kDirectory;
  state_->disk.change_names({{place.directory, place.name, std::move(node)}});
  return {};
}

Status FaultEnv::remove_directory(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kDirectory));
  if (!node->names.empty() || node == state_->disk.root()) {
    return fail(ErrorCode::kIoError, "removing directory " + path + ": not empty");
  }
  VZ_TRY_ASSIGN(const State::Place place, state_->find(path));
  VZ_TRY(state_->step(FaultCall::kRemoveDirectory, path));
  state_->disk.change_names({{place.directory, place.name, nullptr}});
  return {};
}

Status FaultEnv::sync_directory(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kDirectory));
  VZ_TRY(state_->step(FaultCall::kSyncDirectory, path));
  if (!state_->ignores_directory_syncs) state_->disk.sync_names(node);
  return {};
}

Result<std::vector<DirectoryEntry>> FaultEnv::list(const std::string& path) {
  MutexLock lock(state_->mutex);
  VZ_TRY_ASSIGN(const NodePtr node, state_->existing(path, FileType::kDirectory));
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->names) {
    entries.push_back({name, child->type, child->file.size(), child->changed_ns});
  }
  return entries;
}

bool FaultEnv::exists(const std::string& path) {
  MutexLock lock(state_->mutex);
  const auto place = state_->find(path);
  return place && place->node != nullptr;
}

Result<DiskSpace> FaultEnv::disk_space(const std::string& path) {
  if (!exists(path)) return fail(ErrorCode::kNotFound, "reading the free space of " + path);
  MutexLock lock(state_->mutex);
  return state_->space;
}

}  // namespace vz
