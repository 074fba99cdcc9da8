// The targets under libFuzzer: VZ_FUZZ_TARGET=manifest vz_fuzz [libFuzzer's flags] CORPUS...
//
// Without a target it lists them all. An empty first corpus folder gets the target's seeds, so that
// libFuzzer begins with what the project's own writers make. An input that breaks a promise is
// replayed by naming the file in place of a folder.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace {

namespace fs = std::filesystem;
using vz::fuzz::Target;

/// The one of this process. Set before anything else runs.
const Target* chosen = nullptr;

[[noreturn]] void list_targets() {
  for (const Target& target : vz::fuzz::all_targets())
    std::printf("%.*s\n", static_cast<int>(target.name.size()), target.name.data());
  std::exit(EXIT_SUCCESS);
}

const Target& target_of(std::string_view name) {
  static const std::vector<Target> kAll = vz::fuzz::all_targets();
  for (const Target& target : kAll)
    if (target.name == name) return target;
  std::fprintf(stderr,
               "vz_fuzz: VZ_FUZZ_TARGET: there is no target '%.*s'; without one, all are "
               "listed\n",
               static_cast<int>(name.size()), name.data());
  std::exit(2);
}

void write_seeds(const fs::path& folder) {
  std::size_t number = 0;
  for (const vz::Bytes& seed : chosen->seeds()) {
    const fs::path path = folder / ("seed-" + std::to_string(++number));
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
    if (file.flush()) continue;
    std::fprintf(stderr, "vz_fuzz: %s cannot be written\n", path.c_str());
    std::exit(1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const char* const name = std::getenv("VZ_FUZZ_TARGET");
  if (name == nullptr || *name == '\0') list_targets();
  chosen = &target_of(name);
  for (int at = 1; at < *argc; ++at) {
    const std::string_view argument = (*argv)[at];
    if (argument.starts_with("-merge")) return 0;  // Fills an empty folder with the best of others.
    if (argument.starts_with('-')) continue;
    if (fs::is_directory(argument) && fs::is_empty(argument)) write_seeds(argument);
    return 0;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of the exact size, so that AddressSanitizer sees a read one byte beyond the end.
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  const vz::Bytes bytes(begin, begin + size);
  chosen->run(bytes);
  return 0;
}

/// Three of four inputs get right checksums, so that what lies behind them is reached.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, size_max);
  constexpr unsigned int kMendedOfFour = 3;
  if (chosen->mend == nullptr || seed % 4 >= kMendedOfFour) return size;
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  vz::Bytes bytes(begin, begin + size);
  chosen->mend(bytes);
  if (bytes.empty() || bytes.size() > size_max) return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
