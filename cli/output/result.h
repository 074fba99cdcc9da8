// The result of a command on stdout, in the form that was asked for.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace CLI {
class App;
}

namespace vz::cli {

enum class OutputFormat : std::uint8_t { kTable, kJson };

/// Adds -o/--output. `format` must outlive `command`.
void add_output_option(CLI::App& command, OutputFormat& format);

/// result: an object whose values are scalars, null or arrays of such objects, its "schema" first.
///
/// As a table the same fields but the schema: a line for each, then the arrays, a line for each
/// object. null is "-"; strings are printable() (printable.h), and nothing is cut.
void print_result(const nlohmann::ordered_json& result, OutputFormat format, std::ostream& out);

/// A time of ours without what is below a second, as tables show it: "2026-12-01T02:33:27".
std::string short_time(const std::string& rfc3339);

/// 16 lower-case hex digits: how digests are printed.
std::string hex(std::uint64_t value);

}  // namespace vz::cli
