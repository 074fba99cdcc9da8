#include "tools/bench/process_memory.h"

#include <fstream>
#include <string>

namespace vz::bench {
namespace {

constexpr std::uint64_t kKibi = 1024;

/// The number behind `key` at the start of `line`, in bytes; false if it does not start so.
bool kilobytes(const std::string& line, const std::string& key, std::uint64_t& bytes) {
  if (!line.starts_with(key)) return false;
  bytes = std::stoull(line.substr(key.size())) * kKibi;
  return true;
}

/// A mapping's first line: "7f..-7f.. r--s ... /path". Every other line begins with "Key:".
bool is_mapping(const std::string& line) {
  return line.find(':') > line.find(' ');
}

}  // namespace

Result<ProcessMemory> read_memory(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  ProcessMemory out;
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    kilobytes(line, "VmRSS:", out.rss_bytes) || kilobytes(line, "RssAnon:", out.anonymous_bytes) ||
        kilobytes(line, "RssFile:", out.file_bytes);
  }
  if (out.rss_bytes == 0) return fail(ErrorCode::kIoError, folder + "/status: no VmRSS in it");
  std::ifstream maps(folder + "/smaps");
  bool of_segment = false;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t bytes = 0;
    if (is_mapping(line)) of_segment = line.ends_with(".seg");
    if (of_segment && kilobytes(line, "Rss:", bytes)) out.segment_bytes += bytes;
  }
  return out;
}

}  // namespace vz::bench
