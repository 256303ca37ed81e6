/// The folder that a run leaves behind.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace starling {

/// Creates `folder` for a new run. Throws UserError if it already holds one, or anything else.
void create_run_folder(const std::filesystem::path& folder);

/// runs/NAME, or runs/NAME-2, runs/NAME-3, ...: the first that does not exist yet.
std::filesystem::path free_run_folder(const std::string& name);

/// Takes the next bytes of a file.
using Sink = std::function<void(std::string_view)>;

/// Writes a whole file or nothing: a new file beside it, synced to disk, then renamed. `produce`
/// hands the content to the sink it gets, piece by piece. Throws RunError if that fails.
void write_whole_file(const std::filesystem::path& path,
                      const std::function<void(const Sink&)>& produce);
void write_whole_file(const std::filesystem::path& path, std::string_view content);

}  // namespace starling
