// What the kernel says of a process, and the memory that its control group allows.
#include "engine/runtime/process_numbers.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "tests/storage/env/temporary_directory.h"

using namespace vz;

namespace {

void write_text(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("process: its numbers are those of this process", "[runtime]") {
  const auto numbers = runtime::process_numbers();

  CHECK(numbers.threads >= 1);
  CHECK(numbers.open_files >= 1);
  CHECK(numbers.open_files <= numbers.open_files_max);
  CHECK(numbers.resident_bytes > 0);
  CHECK(numbers.virtual_bytes > numbers.resident_bytes);
  const auto now = static_cast<double>(time(nullptr));
  CHECK(numbers.start_time_seconds <= now + 1);
  CHECK(numbers.start_time_seconds > now - 3'600);
}

TEST_CASE("process: memory that was allocated and touched shows", "[runtime]") {
  constexpr std::size_t kBytes = 64u << 20;
  const std::uint64_t before = runtime::process_memory_bytes();

  const std::vector<char> touched(kBytes, 1);

  CHECK(touched.back() == 1);
  CHECK(runtime::process_memory_bytes() >= before + kBytes / 2);
}

TEST_CASE("process: the least limit of a control group and those above it counts", "[runtime]") {
  const test::TemporaryDirectory scratch;
  const std::string root = scratch.path();
  const std::uint64_t machine = runtime::memory_limit_bytes(root);
  CHECK(machine == static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));

  write_text(root + "/proc/self/cgroup", "4:cpu:/x\n2:memory:/old/one\n0::/pod/node\n");
  write_text(root + "/sys/fs/cgroup/pod/node/memory.max", "max\n");
  CHECK(runtime::memory_limit_bytes(root) == machine);

  write_text(root + "/sys/fs/cgroup/memory.max", "30000000\n");
  CHECK(runtime::memory_limit_bytes(root) == 30'000'000);
  write_text(root + "/sys/fs/cgroup/pod/memory.max", "20000000\n");
  CHECK(runtime::memory_limit_bytes(root) == 20'000'000);
  write_text(root + "/sys/fs/cgroup/memory/old/one/memory.limit_in_bytes", "10000000\n");
  CHECK(runtime::memory_limit_bytes(root) == 10'000'000);
}
