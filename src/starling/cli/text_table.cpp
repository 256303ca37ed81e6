#include "starling/cli/text_table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace starling {

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());

  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string lines;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = c == 0 ? fmt::format("{:<{}}", rows[r][c], widths[c])
                                      : fmt::format("  {:>{}}", rows[r][c], widths[c]);
      text += cell;
      lines += c == 0 ? std::string(widths[c], '-') : "  " + std::string(widths[c], '-');
    }
    text += '\n';
    if (r == 0) text += lines + '\n';
  }
  return text;
}

}  // namespace starling
