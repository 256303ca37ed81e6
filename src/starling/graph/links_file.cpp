/// Links from files.
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/links.hpp"

namespace starling {
namespace {

using Messages = std::vector<std::uint8_t>;

class ListedLinks final : public Links {
 public:
  explicit ListedLinks(std::vector<Messages> rounds) : rounds_(std::move(rounds)) {}

  Round period() const override { return rounds_.size(); }
  void choose(Round round, std::span<std::uint8_t> active) override {
    std::ranges::copy(rounds_[(round - 1) % rounds_.size()], active.begin());
  }

 private:
  std::vector<Messages> rounds_;
};

std::vector<std::string> files_listed_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw UserError(fmt::format("{}: cannot be opened", path));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::vector<std::string> files;
  for (std::string line; std::getline(file, line);) {
    const std::string_view text = std::string_view(line).substr(0, line.find('#'));
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    const std::size_t last = text.find_last_not_of(" \t\r");
    const std::filesystem::path name(text.substr(first, last - first + 1));
    files.push_back((folder / name).string());
  }
  if (files.empty())
    throw UserError(fmt::format("{}: names no file: must name one for each round", path));
  return files;
}

bool contains(std::span<const Node> ascending, Node node) {
  return std::binary_search(ascending.begin(), ascending.end(), node);
}

/// Refuses what a round's file has and the graph has not.
void require_within(const Graph& round, const Graph& graph, const std::string& path) {
  if (round.is_directed() != graph.is_directed())
    throw UserError(fmt::format("{}: {}directed edges: must be {}directed, as the graph is", path,
                                round.is_directed() ? "" : "un", graph.is_directed() ? "" : "un"));
  if (round.nodes() > graph.nodes())
    throw UserError(
        fmt::format("{}: node {}: must be 0 ... {}", path, round.nodes() - 1, graph.nodes() - 1));
  for (Node i = 0; i < round.nodes(); ++i)
    for (const Node j : round.tells(i))
      if (!contains(graph.tells(i), j))
        throw UserError(fmt::format("{}: edge {} {}: must be an edge of the graph", path, i, j));
}

Messages messages_in(const std::string& path, const Graph& graph) {
  const Graph round = GraphFile{.path = path, .directed = graph.is_directed()}.make(0, 0);
  require_within(round, graph, path);
  Messages active;
  for (Node i = 0; i < graph.nodes(); ++i) {
    const auto heard = i < round.nodes() ? round.hears(i) : std::span<const Node>();
    for (const Node j : graph.hears(i)) active.push_back(contains(heard, j));
  }
  return active;
}

}  // namespace

std::unique_ptr<Links> LinkFiles::make(const Graph& graph, std::uint64_t) const {
  if (path.empty()) throw UserError("links \"files\": path: must name a file");
  std::vector<Messages> rounds;
  for (const std::string& file : files_listed_in(path)) rounds.push_back(messages_in(file, graph));
  return std::make_unique<ListedLinks>(std::move(rounds));
}

}  // namespace starling
