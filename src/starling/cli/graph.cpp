/// `starling graph`: a network's numbers, and its picture.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "starling/cli/commands.hpp"
#include "starling/experiment/experiment.hpp"
#include "starling/experiment/toml.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/layout.hpp"
#include "starling/graph/period.hpp"
#include "starling/graph/spectrum.hpp"
#include "starling/record/run_folder.hpp"

namespace starling {
namespace {

struct Arguments {
  std::string graph, weights, links, svg;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> nodes;
  std::uint64_t seed = 1;
};

std::string yes(bool holds) { return holds ? "yes" : "NO"; }

void print_line(std::string_view name, const std::string& value) {
  fmt::print("  {:<28} {}\n", name, value);
}

/// A choice as people write it: ring, or { name = "lazy", gamma = 0.3 }.
std::string shown(const Value& choice) { return choice.text() ? *choice.text() : to_toml(choice); }

std::string short_vector(const std::vector<double>& values) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t k = 0; k < std::min(most, values.size()); ++k)
    text += fmt::format("{}{:.6f}", k ? " " : "", values[k]);
  return values.size() > most ? text + " ..." : text;
}

void print_graph(const std::string& name, const Graph& graph) {
  std::size_t least = graph.nodes(), most = 0;
  for (Node i = 0; i < graph.nodes(); ++i) {
    least = std::min(least, graph.hears(i).size());
    most = std::max(most, graph.hears(i).size());
  }
  fmt::print("graph {}\n", name);
  print_line("nodes", fmt::format("{}", graph.nodes()));
  print_line("edges", fmt::format("{}{}", graph.edges(), graph.is_directed() ? ", directed" : ""));
  print_line("neighbours heard",
             least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most));
  if (graph.is_directed()) {
    print_line("strongly connected", yes(is_connected(graph)));
    const std::optional<Node> root = root_of(graph);
    print_line("spanning tree", root ? fmt::format("yes, from node {}", *root) : "NO");
  } else {
    print_line("connected", yes(is_connected(graph)));
  }
}

void print_facts(const MatrixFacts& facts) {
  const auto sums = [](bool good, double worst) {
    return good ? std::string{"1"} : fmt::format("not 1: {:.6g} at worst", worst);
  };
  print_line("row sums", sums(facts.row_deviation <= facts.tolerance, facts.worst_row_sum));
  print_line("column sums",
             sums(facts.column_deviation <= facts.tolerance, facts.worst_column_sum));
  print_line("non-negative", yes(facts.is_nonnegative()));
  print_line("positive diagonal", yes(facts.has_positive_diagonal()));
  print_line("symmetric", yes(facts.is_symmetric()));
}

void print_speed(std::string_view name, const Spectrum& spectrum) {
  const double gap = 1 - spectrum.second;
  print_line(name,
             fmt::format("{:.6f}{}", spectrum.second, spectrum.converged ? "" : " (estimate)"));
  print_line("spectral gap", fmt::format("{:.6g}", gap));
  const double rounds = rounds_to_halve(spectrum.second);
  print_line("rounds to halve the error",
             std::isinf(rounds) ? "never" : fmt::format("{:.4g}", rounds));
}

void print_weights(const std::string& name, const MixingWeights& weights) {
  const MatrixFacts pull = facts_of(weights.pull);
  const bool same =
      weights.pull.columns == weights.push.columns && weights.pull.values == weights.push.values;
  if (same && pull.is_doubly_stochastic()) {
    fmt::print("\nweights {}: W, doubly stochastic\n", name);
    print_facts(pull);
    print_speed("lambda", spectrum_of(weights.pull));
    if (!pull.is_symmetric())
      print_line("||W - 11'/N||", fmt::format("{:.6f}", contraction(weights.pull)));
    return;
  }
  fmt::print("\nweights {}: R (pull)\n", name);
  print_facts(pull);
  print_speed("rho(R - 1u'/N)", spectrum_of(weights.pull));
  if (root_of(graph_of(weights.pull)))
    print_line("left Perron vector u", short_vector(left_perron(weights.pull)));
  fmt::print("\nweights {}: C (push)\n", name);
  print_facts(facts_of(weights.push));
  print_speed("rho(C - v1'/N)", spectrum_of(weights.push));
  if (root_of(graph_of(transposed(weights.push))))
    print_line("right Perron vector v", short_vector(right_perron(weights.push)));
}

/// Weights that change: what a period of them, or a long stretch of a random sequence, does.
void print_sequence(const std::string& weights, const std::string& links, WeightsSequence& sequence,
                    const Graph& graph) {
  constexpr Round stretch = 200;
  const Round period = sequence.period();
  fmt::print("\nweights {}, links {}\n", weights, links);
  print_line("period", period > 0 ? fmt::format("{} rounds", period) : "none: drawn by chance");
  const Round rounds = period > 0 ? period : stretch;
  MixingWeights round;
  std::size_t messages = 0;
  bool doubly = true;
  for (Round k = 1; k <= rounds; ++k) {
    sequence.weights(k, round);
    messages += round.pull.columns.size() - graph.nodes();
    doubly = doubly && facts_of(round.pull).is_doubly_stochastic();
  }
  print_line("messages a round",
             fmt::format("{:.4g}", static_cast<double>(messages) / static_cast<double>(rounds)));
  print_line("W doubly stochastic", doubly ? "yes, in every round" : "NO: R and C only");
  const Graph reached = union_of(sequence, rounds);
  print_line(fmt::format("connected over {} rounds", rounds), yes(is_connected(reached)));
  if (!doubly) return;
  if (period > 0) {
    const double shrinks = contraction_of_period(sequence);
    print_line("||W_T ... W_1 - 11'/N||", fmt::format("{:.6f} over the period", shrinks));
    print_line("a round",
               fmt::format("{:.6f}", std::pow(shrinks, 1.0 / static_cast<double>(period))));
  } else {
    const double shrinks = mean_contraction(sequence, stretch);
    print_line("contraction a round", fmt::format("{:.6f} (mean of {} rounds)", shrinks, stretch));
    print_line("rounds to halve the error", fmt::format("{:.4g}", rounds_to_halve(shrinks)));
  }
}

int graph(const Arguments& arguments) {
  Table table;
  const auto chosen = [](const std::string& text) {
    const Value value = parse_toml_value(text);
    return value.table() ? value : Value::of(text);
  };
  if (arguments.nodes) table.set("nodes", Value::of(*arguments.nodes));
  table.set("graph", chosen(arguments.graph));
  if (!arguments.weights.empty()) table.set("weights", chosen(arguments.weights));
  if (!arguments.links.empty()) table.set("links", chosen(arguments.links));
  for (const std::string& assignment : arguments.overrides) override_value(table, assignment);

  OptionReader reader(table, "", "");
  Table resolved;
  const NetworkPlan plan = read_network(reader, arguments.seed, resolved);
  reader.finish();
  Network network = plan.make();
  network.weights = plan.with_drops(std::move(network.weights));
  const std::filesystem::path folder = std::filesystem::path{arguments.svg}.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder))
    throw UserError{fmt::format("--svg {}: there is no folder {}", arguments.svg, folder.string())};

  print_graph(shown(*resolved.find("graph")), network.graph);
  const std::string weights = shown(*resolved.find("weights"));
  if (network.weights->period() == 1) {
    MixingWeights fixed;
    network.weights->weights(1, fixed);
    print_weights(weights, fixed);
  } else {
    print_sequence(weights, shown(*resolved.find("links")), *network.weights, network.graph);
  }
  if (!arguments.svg.empty()) {
    write_whole_file(arguments.svg, to_svg(network.graph));
    fmt::print("\ndrawn in {}\n", arguments.svg);
  }
  return success;
}

}  // namespace

Command graph_command(CLI::App& program) {
  auto* app = program.add_subcommand(
      "graph", "Check a graph and its weights: what the papers assume, and how fast it mixes");
  auto arguments = std::make_shared<Arguments>();
  app->add_option("graph", arguments->graph, "One of `starling list graphs`")->required();
  app->add_option("--nodes", arguments->nodes, "Number of nodes");
  app->add_option("--weights", arguments->weights, "One of `starling list weights`");
  app->add_option("--links", arguments->links,
                  "One of `starling list links`: which links each round uses");
  app->add_option("--seed", arguments->seed, "Seed of random graphs");
  app->add_option("--set", arguments->overrides,
                  "An option, e.g. graph.probability=0.2 or weights.gamma=0.3")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app->add_option("--svg", arguments->svg, "Draw the graph into this file")->type_name("FILE");
  app->footer(
      "Example:\n"
      "  starling graph ring --nodes 8 --weights metropolis --svg ring.svg\n"
      "  starling graph directed-exponential --nodes 8 --weights uniform --links one-peer\n"
      "  starling graph erdos-renyi --nodes 50 --set graph.probability=0.1");
  return {app, [arguments] { return graph(*arguments); }};
}

}  // namespace starling
