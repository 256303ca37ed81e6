/// Graphs from files.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <boost/graph/graphml.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "starling/base/error.hpp"
#include "starling/graph/families.hpp"

namespace starling {
namespace {

constexpr std::size_t most_nodes = 10'000'000;  // more is a slip in a file, not a network

/// What Boost's reader calls for each part of a GraphML file: only nodes and edges matter here.
class GraphmlParts : public boost::mutate_graph {
 public:
  explicit GraphmlParts(bool directed) : directed_(directed) {}

  bool is_directed() const override { return directed_; }
  boost::any do_add_vertex() override { return boost::any(static_cast<Node>(nodes++)); }
  std::pair<boost::any, bool> do_add_edge(boost::any source, boost::any target) override {
    edges.emplace_back(boost::any_cast<Node>(source), boost::any_cast<Node>(target));
    return {boost::any(edges.size()), true};
  }
  void set_graph_property(const std::string&, const std::string&, const std::string&) override {}
  void set_vertex_property(const std::string&, boost::any, const std::string&,
                           const std::string&) override {}
  void set_edge_property(const std::string&, boost::any, const std::string&,
                         const std::string&) override {}

  std::size_t nodes = 0;
  std::vector<Edge> edges;

 private:
  bool directed_;
};

std::ifstream opened(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw UserError(fmt::format("{}: cannot be opened", path));
  return file;
}

Graph read_graphml(const std::string& path, bool directed) {
  std::ifstream file = opened(path);
  GraphmlParts parts(directed);
  boost::read_graphml(file, parts, std::size_t{0});
  return directed ? Graph::directed(parts.nodes, parts.edges)
                  : Graph::undirected(parts.nodes, parts.edges);
}

/// Boost's reader refuses edges of the other kind, which is how one learns the file's own.
Graph read_graphml(const std::string& path) {
  try {
    try {
      return read_graphml(path, false);
    } catch (const boost::directed_graph_error&) {
      return read_graphml(path, true);
    }
  } catch (const boost::undirected_graph_error&) {
    throw UserError(fmt::format("{}: directed and undirected edges: must be all of a kind", path));
  } catch (const boost::property_tree::xml_parser_error& error) {
    throw UserError(fmt::format("{}:{}: not GraphML: {}", path, error.line(), error.message()));
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(fmt::format("{}: not GraphML: {}", path, error.what()));
  }
}

/// The node numbers of one line; commas count as spaces. False if something else stands there.
bool read_numbers(std::string_view line, std::vector<std::uint32_t>& numbers) {
  numbers.clear();
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == '\t' || *at == ',' || *at == '\r')) ++at;
    if (at == end) return true;
    std::uint32_t number = 0;
    const auto [after, problem] = std::from_chars(at, end, number);
    if (problem != std::errc{}) return false;
    numbers.push_back(number);
    at = after;
  }
}

Graph read_edge_list(const std::string& path, std::size_t nodes, bool directed) {
  std::ifstream file = opened(path);
  std::vector<Edge> edges;
  std::vector<std::uint32_t> numbers;
  std::size_t found = 0;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = std::string_view(line).substr(0, line.find_first_of("#%"));
    const bool clean = read_numbers(text, numbers);
    if (clean && numbers.empty()) continue;
    if (!clean || numbers.size() != 2)
      throw UserError(fmt::format("{}:{}: \"{}\": must be two node numbers", path, number, line));
    const std::size_t highest = std::max(numbers[0], numbers[1]);
    const std::size_t last = (nodes != 0 ? nodes : most_nodes) - 1;
    if (highest > last)
      throw UserError(fmt::format("{}:{}: node {}: must be 0 ... {}", path, number, highest, last));
    found = std::max(found, highest + 1);
    edges.emplace_back(numbers[0], numbers[1]);
  }
  return directed ? Graph::directed(found, edges) : Graph::undirected(found, edges);
}

}  // namespace

Graph GraphFile::make(std::size_t nodes, std::uint64_t) const {
  if (path.empty()) throw UserError("file: path: must name a file");
  Graph graph =
      path.ends_with(".graphml") ? read_graphml(path) : read_edge_list(path, nodes, directed);
  if (graph.nodes() == 0) throw UserError(fmt::format("{}: no nodes: must have 1 or more", path));
  if (nodes != 0 && graph.nodes() != nodes)
    throw UserError(fmt::format("{}: {} nodes: must have {}", path, graph.nodes(), nodes));
  return graph;
}

}  // namespace starling
