/// Cells of CSV files.
#pragma once

#include <string>

namespace starling {

/// A text as a cell: one with a comma, quote or line break in it is quoted, as RFC 4180 says.
inline std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

}  // namespace starling
