#include "tests/layering/style_rules.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace vz::layering {
namespace {

bool contains_word(std::string_view text, std::string_view word) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      return true;
    }
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \n\t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n\t") - first + 1);
}

enum class Brace { kScope, kFunction, kInitializer };

/// What a `{` after `statement` (the code since the last ; { or }) opens.
Brace kind_of(std::string_view statement) {
  // clang-format puts a space before a body's brace, and none before an initializer's.
  const bool space = !statement.empty() && (statement.back() == ' ' || statement.back() == '\n');
  const std::string_view text = trimmed(statement);
  if (text.empty()) return Brace::kScope;
  if (!space || text.ends_with('=') || text.ends_with(',') || text.ends_with('(') ||
      contains_word(text.substr(text.rfind('\n') + 1), "return")) {
    return Brace::kInitializer;
  }
  if (text.find('(') != std::string_view::npos) return Brace::kFunction;
  return Brace::kScope;  // namespace, struct, class, enum, union, extern "C"
}

/// Finds the outermost functions by counting braces.
class FunctionScanner {
 public:
  explicit FunctionScanner(std::string_view text) : code_(code_of(text)) { blank_directives(); }

  std::vector<Function> run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      switch (code_[at_]) {
        case '\n':
          ++line_;
          break;
        case '{':
          open();
          break;
        case '}':
          close();
          break;
        case ';':
          if (!in_function()) statement_ = at_ + 1;
          break;
        default:
          break;
      }
    }
    return std::move(functions_);
  }

 private:
  std::string code_;
  std::vector<Function> functions_;
  std::vector<Brace> open_;
  std::size_t at_ = 0;
  std::size_t statement_ = 0;  ///< where the present statement begins
  int line_ = 1;

  [[nodiscard]] bool in_function() const {
    return std::find(open_.begin(), open_.end(), Brace::kFunction) != open_.end();
  }

  void open() {
    if (in_function()) {
      open_.push_back(Brace::kScope);
      return;
    }
    const std::string_view statement = std::string_view(code_).substr(statement_, at_ - statement_);
    open_.push_back(kind_of(statement));
    if (open_.back() == Brace::kFunction) {
      const std::string_view head = trimmed(statement);
      const auto lines_of_head = std::count(head.begin(), head.end(), '\n');
      functions_.push_back({.head = std::string(head.substr(0, head.find('\n'))),
                            .first_line = line_ - static_cast<int>(lines_of_head),
                            .lines = 0});
    } else if (open_.back() == Brace::kScope) {
      statement_ = at_ + 1;
    }
  }

  void close() {
    if (open_.empty()) return;
    const Brace kind = open_.back();
    open_.pop_back();
    if (kind == Brace::kFunction)
      functions_.back().lines = line_ - functions_.back().first_line + 1;
    if (kind != Brace::kInitializer && !in_function()) statement_ = at_ + 1;
  }

  /// Preprocessor lines, continued ones too, are no statements.
  void blank_directives() {
    bool continued = false;
    for (std::size_t begin = 0; begin < code_.size();) {
      const std::size_t end = std::min(code_.find('\n', begin), code_.size());
      const std::string_view line = std::string_view(code_).substr(begin, end - begin);
      const bool directive = continued || trimmed(line).starts_with('#');
      continued = directive && line.ends_with('\\');
      if (directive)
        std::fill_n(code_.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, ' ');
      begin = end + 1;
    }
  }
};

}  // namespace

std::vector<Function> functions_of(const SourceFile& file) {
  return FunctionScanner(file.text).run();
}

std::vector<Finding> too_long(const std::vector<SourceFile>& files) {
  std::vector<Finding> findings;
  for (const auto& file : files) {
    const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
    if (lines > kFileLinesMax) {
      findings.push_back(
          {file.path, 0,
           std::to_string(lines) + " lines, of at most " + std::to_string(kFileLinesMax)});
    }
    for (const auto& function : functions_of(file)) {
      if (function.lines <= kFunctionLinesMax) continue;
      findings.push_back({file.path, function.first_line,
                          "function of " + std::to_string(function.lines) + " lines, of at most " +
                              std::to_string(kFunctionLinesMax) + ": " + function.head});
    }
  }
  return findings;
}

}  // namespace vz::layering
