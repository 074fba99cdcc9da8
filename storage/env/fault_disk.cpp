#include "storage/env/fault_disk.h"

#include <algorithm>
#include <set>

namespace vz::fault {
namespace {

std::uint64_t sectors_of(std::uint64_t size) {
  return (size + kSectorBytes - 1) / kSectorBytes;
}

/// Copies `old` over the part of sector `sector` that `bytes` has.
void put_sector(Bytes& bytes, std::uint64_t sector,
                const std::array<std::byte, kSectorBytes>& old) {
  const std::uint64_t begin = sector * kSectorBytes;
  if (begin >= bytes.size()) return;
  const std::uint64_t size = std::min<std::uint64_t>(kSectorBytes, bytes.size() - begin);
  std::copy_n(old.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(begin));
}

/// Which unsynced sectors of one file a power cut keeps: few patterns, each of them seen on disks.
class SectorPattern {
 public:
  SectorPattern(CrashChoice& choice, std::uint64_t sectors)
      : choice_(choice),
        kind_(static_cast<Kind>(choice.pick(4))),
        edge_(kind_ == Kind::kPrefix || kind_ == Kind::kSuffix ? choice.pick(sectors) : 0) {}

  bool keeps(std::uint64_t sector) {
    switch (kind_) {
      case Kind::kNone:
        return false;
      case Kind::kPrefix:
        return sector < edge_;
      case Kind::kSuffix:
        return sector >= edge_;
      case Kind::kHalf:
        return choice_.keep(0.5);
      case Kind::kAll:
        return true;
    }
    return false;
  }

 private:
  enum class Kind : std::uint8_t { kNone, kPrefix, kSuffix, kHalf, kAll };

  CrashChoice& choice_;
  Kind kind_;
  std::uint64_t edge_;
};

std::uint64_t size_after_crash(CrashChoice& choice, std::uint64_t durable, std::uint64_t present) {
  if (present <= durable) return choice.keep(0.5) ? present : durable;
  return durable + choice.pick(present - durable);
}

}  // namespace

std::uint64_t CrashChoice::pick(std::uint64_t max) {
  if (kind_ != Kind::kRandom || max == 0) return 0;
  const std::uint64_t die = generator_() % 4;
  if (die == 0) return 0;
  if (die == 1) return max;
  return std::uniform_int_distribution<std::uint64_t>(0, max)(generator_);
}

std::uint64_t CrashChoice::pick_names(std::uint64_t max) {
  return kind_ == Kind::kNamesOnly ? max : pick(max);
}

bool CrashChoice::keep(double probability) {
  return kind_ == Kind::kRandom && std::bernoulli_distribution(probability)(generator_);
}

std::shared_ptr<const Bytes> FileContent::snapshot() {
  shared_ = true;
  return bytes_;
}

Bytes& FileContent::writable() {
  if (shared_) bytes_ = std::make_shared<Bytes>(*bytes_);
  shared_ = false;
  return *bytes_;
}

/// Remembers the sector's durable content before its first change. Null beyond the durable size.
FileContent::OldSector* FileContent::touch(std::uint64_t sector) {
  const std::uint64_t begin = sector * kSectorBytes;
  if (begin >= durable_size_) {
    old_.erase(sector);  // No longer stranded.
    return nullptr;
  }
  const auto [found, inserted] = old_.try_emplace(sector);
  found->second.stranded = false;
  if (inserted && begin < bytes_->size()) {
    const std::uint64_t size = std::min<std::uint64_t>(kSectorBytes, bytes_->size() - begin);
    std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(begin), size,
                found->second.bytes.begin());
  }
  return &found->second;
}

void FileContent::write(std::uint64_t offset, ByteSpan bytes) {
  if (bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  for (std::uint64_t sector = offset / kSectorBytes; sector < sectors_of(end); ++sector) {
    touch(sector);
  }
  Bytes& content = writable();
  if (content.size() < end) content.resize(end);
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

void FileContent::truncate(std::uint64_t size) {
  const std::uint64_t cut_end = size < bytes_->size() ? sectors_of(bytes_->size()) : 0;
  for (std::uint64_t sector = size / kSectorBytes; sector < cut_end; ++sector) {
    if (OldSector* old = touch(sector); old != nullptr) old->may_be_zero = true;
  }
  writable().resize(size);
}

void FileContent::sync() {
  std::erase_if(old_, [](const auto& entry) { return !entry.second.stranded; });
  durable_size_ = bytes_->size();
}

void FileContent::sync_failed() {
  for (auto& [sector, old] : old_) old.stranded = true;
  for (std::uint64_t sector = sectors_of(durable_size_); sector < sectors_of(bytes_->size());
       ++sector) {
    old_.try_emplace(sector).first->second.stranded = true;
  }
}

void FileContent::flip_bit(std::uint64_t offset, unsigned bit) {
  VZ_ASSERT(offset < bytes_->size() && bit < 8);
  writable()[offset] ^= std::byte(1u << bit);
}

Bytes FileContent::after_crash(CrashChoice& choice) const {
  Bytes bytes = *bytes_;
  const std::uint64_t present = bytes.size();
  bytes.resize(size_after_crash(choice, durable_size_, present));
  SectorPattern pattern(choice, sectors_of(std::max(present, durable_size_)));

  // In the order of sectors, so that a seed means the same on every machine.
  const std::map<std::uint64_t, OldSector> ordered(old_.begin(), old_.end());
  for (const auto& [sector, old] : ordered) {
    const bool cut_was_lost = sector * kSectorBytes >= present;  // The size is the old one again.
    if (!cut_was_lost && pattern.keeps(sector)) continue;
    const bool zero = old.may_be_zero && !cut_was_lost && choice.keep(0.3);
    put_sector(bytes, sector, zero ? OldSector{}.bytes : old.bytes);
  }
  for (std::uint64_t sector = sectors_of(durable_size_); sector < sectors_of(bytes.size());
       ++sector) {
    if (!ordered.contains(sector) && !pattern.keeps(sector)) put_sector(bytes, sector, {});
  }
  return bytes;
}

Disk::Disk() : root_(std::make_shared<Node>()) {
  root_->type = FileType::kDirectory;
}

void Disk::change_names(std::vector<NameChange> changes) {
  for (const auto& change : changes) {
    if (change.node == nullptr) {
      change.directory->names.erase(change.name);
    } else {
      change.directory->names[change.name] = change.node;
    }
  }
  pending_.push_back(std::move(changes));
}

/// The chosen transactions and all that came before one of them in one of its directories.
std::vector<bool> Disk::with_predecessors(std::vector<bool> chosen) const {
  std::set<const Node*> directories;
  for (std::size_t index = pending_.size(); index-- > 0;) {
    const Transaction& transaction = pending_[index];
    const bool needed =
        chosen[index] || std::any_of(transaction.begin(), transaction.end(), [&](const auto& c) {
          return directories.contains(c.directory.get());
        });
    if (!needed) continue;
    chosen[index] = true;
    for (const auto& change : transaction) directories.insert(change.directory.get());
  }
  return chosen;
}

void Disk::sync_names(const NodePtr& directory) {
  std::vector<bool> chosen(pending_.size());
  for (std::size_t index = 0; index < pending_.size(); ++index) {
    chosen[index] = std::any_of(pending_[index].begin(), pending_[index].end(),
                                [&](const auto& change) { return change.directory == directory; });
  }
  chosen = with_predecessors(std::move(chosen));
  std::vector<Transaction> still_pending;
  for (std::size_t index = 0; index < pending_.size(); ++index) {
    if (!chosen[index]) {
      still_pending.push_back(std::move(pending_[index]));
      continue;
    }
    for (auto& change : pending_[index]) {
      Names& durable = change.directory->durable_names;
      durable.erase(change.name);
      if (change.node != nullptr) durable.emplace(change.name, std::move(change.node));
    }
  }
  pending_ = std::move(still_pending);
}

/// For each directory a prefix of its pending transactions, and what those need.
std::vector<bool> Disk::choose_survivors(CrashChoice& choice) const {
  // Directories in the order of their first change: addresses differ from run to run.
  std::vector<std::pair<const Node*, std::vector<std::size_t>>> by_directory;
  for (std::size_t index = 0; index < pending_.size(); ++index) {
    for (const auto& change : pending_[index]) {
      const Node* directory = change.directory.get();
      auto found = std::find_if(by_directory.begin(), by_directory.end(),
                                [&](const auto& entry) { return entry.first == directory; });
      if (found == by_directory.end()) found = by_directory.insert(found, {directory, {}});
      if (found->second.empty() || found->second.back() != index) found->second.push_back(index);
    }
  }
  std::vector<bool> chosen(pending_.size());
  for (const auto& [directory, indices] : by_directory) {
    const std::uint64_t kept = choice.pick_names(indices.size());
    if (kept > 0) chosen[indices[kept - 1]] = true;
  }
  return with_predecessors(std::move(chosen));
}

Disk Disk::after_crash(CrashChoice choice) const {
  const std::vector<bool> survives = choose_survivors(choice);
  std::map<const Node*, Names> names;  // Where they differ from durable_names.
  for (std::size_t index = 0; index < pending_.size(); ++index) {
    if (!survives[index]) continue;
    for (const auto& change : pending_[index]) {
      Names& after =
          names.try_emplace(change.directory.get(), change.directory->durable_names).first->second;
      after.erase(change.name);
      if (change.node != nullptr) after.emplace(change.name, change.node);
    }
  }

  Disk disk;
  std::map<const Node*, NodePtr> copies;
  const auto copy = [&](const auto& self, const Node& node, Node& to) -> void {
    const auto changed = names.find(&node);
    const Names& kept = changed == names.end() ? node.durable_names : changed->second;
    for (const auto& [name, child] : kept) {
      NodePtr& made = copies[child.get()];
      if (made == nullptr) {
        made = std::make_shared<Node>();
        made->type = child->type;
        made->changed_ns = child->changed_ns;
        if (child->type == FileType::kRegular) {
          made->file = FileContent(child->file.after_crash(choice));
        } else {
          self(self, *child, *made);
        }
      }
      to.names.emplace(name, made);
    }
    to.durable_names = to.names;
  };
  copy(copy, *root_, *disk.root_);
  return disk;
}

void Disk::drop_locks() {
  const auto drop = [](const auto& self, Node& node) -> void {
    node.shared_locks = 0;
    node.exclusive_lock = false;
    for (const auto& [name, child] : node.names) self(self, *child);
  };
  drop(drop, *root_);
}

}  // namespace vz::fault
