#include "engine/node/cut.h"

#include <atomic>

#include "storage/store/second_names.h"

namespace vz::node {
namespace {

constexpr std::string_view kPrefix = "snapshot-";

}  // namespace

manifest::CollectionEntry entry_of_new(const collection::LiveCollection& live) {
  manifest::CollectionEntry entry;
  entry.id = entry.flushed_lsn = live.id();
  entry.name = live.name();
  entry.created_at_us = entry.updated_at_us = live.created_at_us();
  return entry;
}

// ---- Files ---------------------------------------------------------------------------------

Result<std::unique_ptr<CutFiles>> CutFiles::make(Env& env, const store::Paths& paths) {
  const std::string tmp = paths.root + "/tmp";
  VZ_TRY(env.create_directory(tmp));
  // A check and a cut may begin at once: no number is given out twice.
  static std::atomic<std::uint64_t> last_number{0};
  std::string root;
  do {
    root = tmp + "/" + std::string(kPrefix) + std::to_string(++last_number);
  } while (env.exists(root));
  VZ_TRY(env.create_directory(root));
  return std::unique_ptr<CutFiles>(new CutFiles(env, paths, root));
}

CutFiles::~CutFiles() {
  remove_tree(env_, root_);
}

Status CutFiles::add(const manifest::CollectionEntry& entry) {
  manifest::Manifest image;
  image.collections.push_back(entry);
  Status given = store::give_second_names(env_, paths_, root_, store::files_named_by(image),
                                          store::NamesLast::kInProcess);
  // Not a thing that the caller has named: the data has lost a file.
  if (!given && given.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kCorruption, given.error().message + ": a file of the data is lost");
  return given;
}

Result<std::set<std::string>> CutFiles::add_present(const manifest::CollectionEntry& entry) {
  manifest::Manifest image;
  image.collections.push_back(entry);
  std::set<std::string> missing;
  for (const auto& file : store::files_named_by(image)) {
    const Status given =
        store::give_second_names(env_, paths_, root_, {file}, store::NamesLast::kInProcess);
    if (given) continue;
    if (given.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(given.error());
    missing.insert(file.path);
  }
  return missing;
}

void CutFiles::remove_leftovers(Env& env, const store::Paths& paths) {
  const std::string tmp = paths.root + "/tmp";
  const auto entries = env.list(tmp);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (entry.type == FileType::kDirectory && entry.name.starts_with(kPrefix))
      remove_tree(env, tmp + "/" + entry.name);
  }
}

// ---- Collector -----------------------------------------------------------------------------

void CutCollector::capture(const log::NodeState& state, Lsn lsn, std::int64_t time_us) {
  MutexLock lock(mutex_);
  lsn_ = lsn;
  time_us_ = time_us;
  catalog_ = state.catalog;
  for (const auto& [id, live] : state.collections) {
    if (live->name().empty()) continue;  // It arrives, or what a kill has left of that.
    live->freeze(lsn);
    const auto parts = live->view().parts;
    collections_.push_back(live);
    awaited_[id] = {.empty = entry_of_new(*live),
                    .flushed_lsn = parts->frozen.empty() ? 0 : parts->frozen.back().flushed_lsn,
                    .name = live->name(),
                    .definition_json = to_json(*live->definition())};
  }
}

void CutCollector::take(manifest::CollectionEntry entry, const Captured& as_of) {
  entry.name = as_of.name;  // An older image knows it as one that arrives.
  entry.definition_json = as_of.definition_json;
  if (status_) status_ = files_.add(entry);
  caught_[entry.id] = std::move(entry);
}

void CutCollector::look(const manifest::Manifest& image) {
  MutexLock lock(mutex_);
  std::map<CollectionId, const manifest::CollectionEntry*> in_force;
  for (const auto& entry : image.collections) in_force[entry.id] = &entry;
  for (auto at = awaited_.begin(); at != awaited_.end();) {
    const auto& [id, wanted] = *at;
    const auto found = in_force.find(id);
    const bool there = found != in_force.end();
    const bool unchanged = wanted.flushed_lsn == 0;
    if (unchanged) {
      take(there ? *found->second : wanted.empty, wanted);
    } else if (there && found->second->flushed_lsn == wanted.flushed_lsn) {
      take(*found->second, wanted);
    } else {
      ++at;
      continue;
    }
    at = awaited_.erase(at);
  }
}

manifest::Manifest CutCollector::image(const manifest::Manifest& in_force) const {
  MutexLock lock(mutex_);
  manifest::Manifest out;
  out.number = in_force.number;
  out.catalog_lsn = lsn_;
  out.log_lsn = lsn_ + 1;
  out.time_us = time_us_;
  out.epochs = in_force.epochs;
  for (const auto& [id, entry] : caught_) out.collections.push_back(entry);
  for (const auto& [name, target] : catalog_->aliases) out.aliases.push_back({name, target});
  return out;
}

bool CutCollector::awaits(CollectionId id) const {
  MutexLock lock(mutex_);
  return awaited_.contains(id);
}

Status CutCollector::status() const {
  MutexLock lock(mutex_);
  return status_;
}

bool CutCollector::complete() const {
  MutexLock lock(mutex_);
  return awaited_.empty();
}

}  // namespace vz::node
