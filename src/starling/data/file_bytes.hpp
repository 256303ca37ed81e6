/// Whole files in memory, unpacked where they are gzip or xz.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace starling {

/// The content of a file. A file that begins like gzip (1f 8b) or xz (fd "7zXZ" 00) is unpacked,
/// whatever its name, and its checksums and lengths are verified. Throws UserError, one line with
/// the file's name, where the file is missing, a folder, unreadable, or a truncated or corrupt gzip
/// or xz file.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);

/// The file `name` of a folder, or else `name`.gz, or else `name`.xz. Throws UserError that names
/// them and the folder.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name);

}  // namespace starling
