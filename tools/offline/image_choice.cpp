#include "tools/offline/image_choice.h"

#include <algorithm>

#include "tools/offline/check.h"
#include "tools/offline/image_rebuild.h"

namespace vz::offline {
namespace {

using manifest::Manifest;

class Chooser {
 public:
  Chooser(Env& env, const store::Paths& paths, const store::SeenHere& seen)
      : env_(env), paths_(paths), seen_(seen) {}

  Result<ImageChoice> run() {
    VZ_TRY_ASSIGN(const CheckReport layout,
                  check(env_, paths_.root, {.level = check::Level::kLayout}));
    for (const check::Finding& finding : layout.findings) note_damage(finding);
    VZ_TRY(read_images());
    const auto current = manifest::read_current(env_, paths_.root);
    if (current) {
      const auto at = images_.find(*current);
      if (at != images_.end()) return in_force(at->second);
    }
    const std::uint64_t lost = current ? *current : 0;
    if (!images_.empty()) {
      Manifest& newest = images_.rbegin()->second;
      VZ_TRY_ASSIGN(const bool latest, is_latest(newest, lost));
      if (latest) {
        give_up_current();
        out_.image = std::move(newest);
        return std::move(out_);
      }
    }
    VZ_TRY_ASSIGN(
        RebuiltImage rebuilt,
        rebuild_image(env_, paths_, images_.empty() ? nullptr : &images_.rbegin()->second, seen_));
    out_.rebuilt = true;
    give_up_current();
    out_.image = std::move(rebuilt.image);
    out_.notes = std::move(rebuilt.notes);
    return std::move(out_);
  }

 private:
  void note_damage(const check::Finding& finding) {
    switch (finding.id) {
      case check::FindingId::kFormatMissing:
      case check::FindingId::kFormatDamaged:
      case check::FindingId::kCurrentMissing:
      case check::FindingId::kCurrentDamaged:
      case check::FindingId::kImageMissing:
      case check::FindingId::kImageDamaged:
      case check::FindingId::kOldImageDamaged:
        out_.damaged[finding.file] = finding.id;
        break;
      default:
        break;
    }
  }

  Status read_images() {
    VZ_TRY_ASSIGN(const auto entries, env_.list(paths_.root));
    for (const DirectoryEntry& entry : entries) {
      const auto number = manifest::parse_file_name(entry.name);
      if (!number) continue;
      newest_number_ = std::max(newest_number_, *number);
      auto image = manifest::load_image(env_, paths_.root, *number);
      if (image) {
        images_[*number] = std::move(*image);
      } else if (image.error().code == ErrorCode::kCorruption) {
        unreadable_.push_back(entry.name);
      }
    }
    return {};
  }

  /// Without CURRENT the check stops at the first image that it can read.
  void give_up_current() {
    out_.current_is_wrong = true;
    for (const std::string& name : unreadable_)
      out_.damaged.emplace(name, check::FindingId::kOldImageDamaged);
  }

  Result<ImageChoice> in_force(Manifest& image) {
    Manifest& newest = images_.rbegin()->second;
    if (newest.number > image.number && is_whole(newest)) out_.newer = newest;
    out_.image = std::move(image);
    return std::move(out_);
  }

  /// Its segments are there.
  [[nodiscard]] bool is_whole(const Manifest& image) const {
    for (const auto& collection : image.collections)
      for (const auto& segment : collection.segments)
        if (!env_.exists(paths_.seg(collection.id, segment.epoch, segment.seq))) return false;
    return true;
  }

  /// Nothing says that a later image was in force. `lost`: the number that CURRENT names, or 0.
  Result<bool> is_latest(const Manifest& image, std::uint64_t lost) const {
    if (image.number < std::max(lost, newest_number_) || !is_whole(image)) return false;
    if (image.number > lost && lost != 0) return true;
    VZ_TRY_ASSIGN(const auto segments, find_segments(env_, paths_));
    return std::none_of(segments.begin(), segments.end(), [&](const FoundSegment& segment) {
      return segment.name.seq >= image.next_seq;
    });
  }

  Env& env_;
  const store::Paths& paths_;
  const store::SeenHere& seen_;
  std::map<std::uint64_t, Manifest> images_;  ///< that can be read
  std::vector<std::string> unreadable_;       ///< names of the others
  std::uint64_t newest_number_ = 0;           ///< also of those that cannot
  ImageChoice out_;
};

}  // namespace

Result<ImageChoice> choose_image(Env& env, const store::Paths& paths, const store::SeenHere& seen) {
  return Chooser(env, paths, seen).run();
}

}  // namespace vz::offline
