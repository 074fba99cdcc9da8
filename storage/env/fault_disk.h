// The disk behind FaultEnv: files with a volatile and a durable content, directories with names
// that are durable or not yet, and what a power cut leaves of both. Not thread-safe.
//
// Model. A file's durable content changes only by sync(). Of what was written since, a power cut
// keeps any subset of the 512-byte sectors; a sector is old or new, never a mixture; sectors beyond
// the durable size that were not kept read as zeros. Changes of names are kept in order, per
// directory, up to any point after that directory's last sync; a rename is one change, in two
// directories if need be. A file whose name was not kept is gone, synced or not.
// After a failed sync the kernel takes the dirty pages for clean: a later sync that succeeds does
// not make them durable, unless they are written again.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/env/env.h"

namespace vz::fault {

inline constexpr std::uint64_t kSectorBytes = 512;
inline constexpr std::uint64_t kFileBytesMax = 1u << 30;

/// Decides what survives: nothing that may be lost, the names only, or as a seed says.
class CrashChoice {
 public:
  static CrashChoice worst() { return CrashChoice(Kind::kWorst); }
  static CrashChoice names_only() { return CrashChoice(Kind::kNamesOnly); }
  static CrashChoice random(std::uint64_t seed) { return CrashChoice(Kind::kRandom, seed); }

  /// 0 .. max, 0 being the worst; both ends are likelier than what lies between.
  std::uint64_t pick(std::uint64_t max);
  /// The same for changes of names.
  std::uint64_t pick_names(std::uint64_t max);
  bool keep(double probability);

 private:
  enum class Kind : std::uint8_t { kWorst, kNamesOnly, kRandom };

  explicit CrashChoice(Kind kind, std::uint64_t seed = 0) : kind_(kind), generator_(seed) {}

  Kind kind_;
  std::mt19937_64 generator_;
};

class FileContent {
 public:
  FileContent() : bytes_(std::make_shared<Bytes>()) {}
  explicit FileContent(Bytes durable)
      : bytes_(std::make_shared<Bytes>(std::move(durable))), durable_size_(bytes_->size()) {}

  [[nodiscard]] std::uint64_t size() const { return bytes_->size(); }
  [[nodiscard]] ByteSpan bytes() const { return *bytes_; }
  /// The present bytes, never changed afterwards.
  std::shared_ptr<const Bytes> snapshot();

  void write(std::uint64_t offset, ByteSpan bytes);
  void truncate(std::uint64_t size);
  void sync();
  void sync_failed();
  /// Changes a bit on the medium, as rot does: nothing becomes dirty.
  void flip_bit(std::uint64_t offset, unsigned bit);
  /// What a power cut leaves.
  [[nodiscard]] Bytes after_crash(CrashChoice& choice) const;

 private:
  struct OldSector {
    std::array<std::byte, kSectorBytes> bytes{};
    bool stranded = false;     ///< a sync failed on it: the next one will not write it
    bool may_be_zero = false;  ///< cut off at some time since the last sync
  };

  Bytes& writable();
  OldSector* touch(std::uint64_t sector);

  std::shared_ptr<Bytes> bytes_;
  bool shared_ = false;  // A snapshot holds bytes_: copy before the next change.
  std::uint64_t durable_size_ = 0;
  // Durable content of the changed sectors below durable_size_; all sectors beyond it are changed
  // without an entry, except stranded ones.
  std::unordered_map<std::uint64_t, OldSector> old_;
};

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Names = std::map<std::string, NodePtr>;

struct Node {
  FileType type = FileType::kRegular;
  FileContent file;  // Of a regular file.
  Names names;       // Of a directory.
  Names durable_names;
  int shared_locks = 0;
  bool exclusive_lock = false;
  std::int64_t changed_ns = 0;  // Counted, not measured.
};

/// One change of a name; a null node removes it.
struct NameChange {
  NodePtr directory;
  std::string name;
  NodePtr node;
};

/// A tree of nodes with the changes of names that are not durable yet.
class Disk {
 public:
  Disk();

  [[nodiscard]] const NodePtr& root() const { return root_; }
  /// Does all of it at once, in one transaction of the file system's journal.
  void change_names(std::vector<NameChange> changes);
  void sync_names(const NodePtr& directory);
  /// A new disk with what a power cut leaves of this one, all of it durable.
  [[nodiscard]] Disk after_crash(CrashChoice choice) const;
  /// What the death of the processes does to it.
  void drop_locks();

 private:
  using Transaction = std::vector<NameChange>;

  [[nodiscard]] std::vector<bool> with_predecessors(std::vector<bool> chosen) const;
  [[nodiscard]] std::vector<bool> choose_survivors(CrashChoice& choice) const;

  NodePtr root_;
  std::vector<Transaction> pending_;  // In the order in which they were done.
};

}  // namespace vz::fault
