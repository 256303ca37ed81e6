/// Tables for people.
#pragma once

#include <string>
#include <vector>

namespace starling {

/// Rows of cells, the first of them the header, as aligned columns: the first column to the left,
/// the others to the right. Every row has as many cells as the header.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace starling
