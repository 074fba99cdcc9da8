// How long files and functions may be.
#pragma once

#include <string>
#include <vector>

#include "tests/layering/source_file.h"

namespace vz::layering {

inline constexpr int kFileLinesMax = 600;
inline constexpr int kFunctionLinesMax = 70;

struct Function {
  std::string head;    ///< its first line
  int first_line = 0;  ///< from 1
  int lines = 0;       ///< from the first line of its head to its closing brace
};

/// The functions of a file that clang-format laid out; a lambda belongs to the function around it.
std::vector<Function> functions_of(const SourceFile& file);

std::vector<Finding> too_long(const std::vector<SourceFile>& files);

}  // namespace vz::layering
