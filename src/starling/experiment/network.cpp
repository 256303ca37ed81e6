#include "starling/experiment/network.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "starling/graph/changing.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/lossy.hpp"
#include "starling/graph/period.hpp"
#include "starling/graph/spectrum.hpp"

namespace starling {
namespace {

/// Where weights never repeat, this many rounds stand for all.
constexpr Round enough_rounds = 64;

/// The name in a choice, which may have options beside it.
std::string name_of(const Value& choice) {
  const Table* options = choice.table();
  return *(options ? *options->find("name") : choice).text();
}

/// "" or what is wrong with a round's weights for a variable that is mixed in this way.
std::string why_sums_do_not_suit(Mixing mixing, const MixingWeights& weights) {
  if (mixing == Mixing::pull && !facts_of(weights.pull).is_row_stochastic())
    return "the rows of R must sum to 1: use weights \"uniform\"";
  if (mixing == Mixing::push && !facts_of(weights.push).is_column_stochastic())
    return "the columns of C must sum to 1: use weights \"uniform\"";
  if (mixing == Mixing::doubly && !facts_of(weights.pull).is_doubly_stochastic())
    return "W must be doubly stochastic: use weights \"metropolis\", or links that fit";
  return "";
}

/// "" or why information does not get everywhere along these edges, which are all there ever are.
std::string why_not_connected(Mixing mixing, const Graph& graph) {
  if (mixing == Mixing::pull)
    return root_of(graph)
               ? ""
               : "the graph has no spanning tree, no node reaches all others: add edges, "
                 "or use another graph";
  if (is_connected(graph)) return "";
  return mixing == Mixing::push
             ? "the graph must be strongly connected: add edges, or use another graph"
             : "the graph is not connected: add edges, or use another graph";
}

std::string why_fixed_weights_do_not_suit(const RowUpdate& update, const Graph& graph,
                                          const MixingWeights& weights) {
  for (const Mixing mixing : update.mixing()) {
    std::string why = mixing == Mixing::doubly ? why_not_doubly_stochastic(graph, weights)
                                               : why_sums_do_not_suit(mixing, weights);
    if (why.empty())
      why =
          why_not_connected(mixing, graph_of(mixing == Mixing::push ? weights.push : weights.pull));
    if (!why.empty()) return why;
  }
  if (const std::optional<double> bound = update.eigenvalues_above()) {
    if (!facts_of(weights.pull).is_symmetric())
      return "W must be symmetric: use weights \"metropolis\" on an undirected graph";
    const double least = least_eigenvalue(weights.pull);
    if (least <= *bound + 1e-9)
      return fmt::format(
          "the least eigenvalue of W is {:.4g} and must be above {:.4g}: use weights = "
          "{{ name = \"lazy\", gamma = 0.5 }}",
          least, *bound);
  }
  return "";
}

std::string why_changing_weights_do_not_suit(const RowUpdate& update, const NetworkPlan& plan,
                                             Network& network) {
  if (update.tolerates() == Tolerates::fixed_weights)
    return "it needs the same weights in every round: use links \"all\"";
  const bool is_doubly =
      std::ranges::find(update.mixing(), Mixing::doubly) != update.mixing().end();
  if (is_doubly && plan.links_name == "random-edges" && plan.weights_name == "uniform")
    return "W must be doubly stochastic, and uniform weights on some of the edges are not: use "
           "weights \"metropolis\"";
  const Round rounds = network.weights->period() > 0 ? network.weights->period() : enough_rounds;
  MixingWeights weights;
  for (Round round = 1; round <= rounds; ++round) {
    network.weights->weights(round, weights);
    for (const Mixing mixing : update.mixing())
      if (const std::string why = why_sums_do_not_suit(mixing, weights); !why.empty())
        return fmt::format("round {}: {}", round, why);
  }
  // Links drawn by chance reach every edge of the graph in time.
  const Graph reached =
      network.weights->period() > 0 ? union_of(*network.weights, rounds) : network.graph;
  for (const Mixing mixing : update.mixing())
    if (const std::string why = why_not_connected(mixing, reached); !why.empty()) return why;
  return "";
}

}  // namespace

Network NetworkPlan::make() const {
  Network network{graph(nodes, seed), nullptr};
  if (std::unique_ptr<Links> chosen = links(network.graph, seed))
    network.weights = std::make_unique<ChangingWeights>(
        network.graph, std::move(chosen),
        weights_name == "uniform" ? Shares::uniform : Shares::metropolis);
  else
    network.weights = std::make_unique<FixedWeights>(weights(network.graph));
  return network;
}

std::unique_ptr<WeightsSequence> NetworkPlan::with_drops(
    std::unique_ptr<WeightsSequence> reliable) const {
  if (drop == 0) return reliable;
  return std::make_unique<LossyWeights>(std::move(reliable), drop, seed);
}

NetworkPlan read_network(OptionReader& reader, std::uint64_t seed, Table& resolved) {
  NetworkPlan plan{.file = reader.file(), .seed = seed};
  std::int64_t nodes = 0;
  reader("nodes", nodes, Range{.low = 1, .high = 10'000'000}, "");
  plan.nodes = static_cast<std::size_t>(nodes);
  if (nodes > 0) resolved.set("nodes", Value::of(nodes));
  plan.graph = read_choice(reader, "graph", graphs(), "ring", "name", resolved);
  // A graph from a file says itself how many nodes it has.
  if (nodes == 0 && name_of(*resolved.find("graph")) != "file")
    throw reader.error("nodes", ": missing: how many nodes the network has");
  plan.weights = read_choice(reader, "weights", weights_rules(), "metropolis", "name", resolved);
  plan.weights_name = name_of(*resolved.find("weights"));
  plan.links = read_choice(reader, "links", links_rules(), "all", "name", resolved);
  plan.links_name = name_of(*resolved.find("links"));
  reader("drop", plan.drop, decay_rate, "");
  resolved.set("drop", Value::of(plan.drop));
  if (plan.links_name != "all" && plan.weights_name != "metropolis" &&
      plan.weights_name != "uniform")
    throw reader.error("weights", fmt::format(" = \"{}\": where links change, the weights of each "
                                              "round are \"metropolis\" or \"uniform\"",
                                              plan.weights_name));
  return plan;
}

void check_network(const std::string& method, const RowUpdate& update, const NetworkPlan& plan,
                   Network& network) {
  if (update.averages_exactly()) return;  // the network is not used
  std::string why;
  if (plan.drop > 0 && update.tolerates() != Tolerates::lost_messages)
    why = fmt::format(
        "drop = {}: it does not allow lost messages (`starling list methods NAME` tells which do)",
        plan.drop);
  else if (network.weights->period() != 1)
    why = why_changing_weights_do_not_suit(update, plan, network);
  else {
    MixingWeights weights;
    network.weights->weights(1, weights);
    why = why_fixed_weights_do_not_suit(update, network.graph, weights);
  }
  if (!why.empty()) throw UserError{fmt::format("{}: {}", method, why)};
}

}  // namespace starling
