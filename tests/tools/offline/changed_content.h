// Files whose content is wrong behind checksums that are right.
#pragma once

#include "tests/storage/segment/mend.h"
#include "tests/tools/offline/data_kit.h"

namespace vz::test {

inline segment::FileInfo info_of(const Bytes& file) {
  Sha256 sha;
  sha.update(file);
  return {.size_bytes = file.size(),
          .trailer_crc32c = load_number<std::uint32_t>(file.data() + file.size() - 4),
          .sha256 = sha.finish()};
}

/// Puts `image` in force as if the node had published it.
inline void put_image(FaultEnv& env, const manifest::Manifest& image) {
  REQUIRE(env.put_file(std::string(kDataDir) + "/" + manifest::file_name(image.number),
                       manifest::encode(image)));
}

/// Changes the content of the file at `path`, which the image names, and every checksum with it.
template <typename Change>
void change_content(FaultEnv& env, const std::string& path, Change change) {
  const auto file = read_file(env, path, 1u << 30);
  REQUIRE(file);
  Bytes content = content_of(*file);
  change(content);
  const auto version = load_number<std::uint16_t>(file->data() + file->size() - 54);
  const auto kind = load_number<std::uint8_t>(file->data() + file->size() - 52);
  const Bytes changed = sealed(content, kind, version);
  REQUIRE(env.put_file(path, changed));

  manifest::Manifest image = image_of(env);
  const store::Paths paths{kDataDir};
  for (auto& collection : image.collections) {
    for (auto& one : collection.segments) {
      if (paths.seg(collection.id, one.epoch, one.seq) == path) one.seg = info_of(changed);
      if (one.dead && paths.dead(collection.id, one.epoch, one.seq, one.dead->number) == path)
        one.dead->info = info_of(changed);
      if (one.index && paths.index(collection.id, one.epoch, one.seq, one.index->number) == path)
        one.index->info = info_of(changed);
      if (one.fields && paths.fields(collection.id, one.epoch, one.seq, one.fields->number) == path)
        one.fields->info = info_of(changed);
    }
  }
  put_image(env, image);
}

}  // namespace vz::test
