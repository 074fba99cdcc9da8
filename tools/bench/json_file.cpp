#include "tools/bench/json_file.h"

#include <fstream>

#include <nlohmann/json.hpp>

namespace vz::bench {

Status write_json_file(const nlohmann::json& content, const std::string& path) {
  std::ofstream file(path);
  file << content.dump(2) << '\n';
  file.close();
  if (!file) return fail(ErrorCode::kIoError, path + ": cannot be written");
  return {};
}

}  // namespace vz::bench
