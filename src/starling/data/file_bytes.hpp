/// Whole files in memory, unpacked where they are gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace starling {

/// The content of a file. A file that begins like gzip (1f 8b) is unpacked, whatever its name, and
/// its checksum and length are verified. Throws UserError, one line with the file's name, where the
/// file is missing, a folder, unreadable, or a truncated or corrupt gzip file.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);

/// The file `name` of a folder, or else `name`.gz. Throws UserError that names both and the folder.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name);

}  // namespace starling
