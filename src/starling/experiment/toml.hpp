/// TOML files as plain values.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "starling/base/value.hpp"

namespace starling {

/// Reads a file. Throws UserError with the line where it is no TOML, or holds dates or times.
Table read_toml(const std::filesystem::path& path);

/// A value as the command line gives it: TOML, or plain text where it is none, so that quotes need
/// not be quoted for the shell.
Value parse_toml_value(const std::string& text);

/// "a.b=value" from the command line put into the table; tables that lists hold (`[[method]]`) are
/// all changed. Throws UserError where `assignment` is no such thing.
void override_value(Table& table, const std::string& assignment);

/// The whole table as a TOML document: plain values, then [tables] and [[lists of tables]].
std::string to_toml_document(const Table& table);

}  // namespace starling
