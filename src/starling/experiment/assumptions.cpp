#include "starling/experiment/assumptions.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "starling/graph/period.hpp"

namespace starling {
namespace {

using Assumptions = std::vector<Assumption>;

/// Where weights never repeat, this many rounds stand for all.
constexpr Round enough_rounds = 64;

/// Digits of eigenvalues and norms that count.
constexpr double below_one = 1 - 1e-9;

/// What holds of the worst of two matrices holds of both.
MatrixFacts worst_of(const MatrixFacts& a, const MatrixFacts& b) {
  MatrixFacts worst = a.row_deviation >= b.row_deviation ? a : b;
  const MatrixFacts& columns = a.column_deviation >= b.column_deviation ? a : b;
  worst.column_deviation = columns.column_deviation;
  worst.worst_column = columns.worst_column;
  worst.worst_column_sum = columns.worst_column_sum;
  worst.smallest = std::min(a.smallest, b.smallest);
  worst.smallest_diagonal = std::min(a.smallest_diagonal, b.smallest_diagonal);
  worst.largest_diagonal = std::max(a.largest_diagonal, b.largest_diagonal);
  worst.asymmetry = std::max(a.asymmetry, b.asymmetry);
  return worst;
}

bool are_equal(const SparseMatrix& a, const SparseMatrix& b) {
  return a.offsets == b.offsets && a.columns == b.columns && a.values == b.values;
}

void look_at_matrices(NetworkFacts& facts) {
  const SparseMatrix &pull = facts.weights.pull, &push = facts.weights.push;
  facts.pull_graph = graph_of(pull);
  facts.push_graph = graph_of(push);
  if (facts.pull.is_row_stochastic()) facts.pull_spectrum = spectrum_of(pull);
  if (facts.push.is_column_stochastic())
    facts.push_spectrum =
        facts.pull_spectrum && are_equal(pull, push) ? facts.pull_spectrum : spectrum_of(push);
  if (facts.pull.is_doubly_stochastic())
    facts.contraction = facts.pull.is_symmetric() ? facts.pull_spectrum->second : contraction(pull);
}

/// Links drawn by chance reach every edge of the graph in time.
void look_at_sequence(Network& network, NetworkFacts& facts) {
  WeightsSequence& sequence = *network.weights;
  facts.pull_graph = facts.period > 0 ? union_of(sequence, facts.rounds) : network.graph;
  facts.push_graph = facts.pull_graph;
  if (facts.pull.is_doubly_stochastic())
    facts.contraction = facts.period > 0 ? contraction_of_period(sequence)
                                         : mean_contraction(sequence, facts.rounds);
}

/// For a connected graph: whether no other eigenvalue has modulus 1.
bool is_aperiodic(const MatrixFacts& matrix, const Graph& graph) {
  return graph.nodes() == 1 || matrix.largest_diagonal > 0 || period_of(graph) == 1;
}

Assumption judged(std::string name, bool holds, std::string number, std::string_view help) {
  if (!holds && !help.empty()) {
    if (!number.empty()) number += ": ";
    number += help;
  }
  return {std::move(name), holds ? Verdict::holds : Verdict::fails, std::move(number)};
}

Assumption rows_sum_to_one(std::string_view matrix, const MatrixFacts& facts,
                           std::string_view help) {
  const bool holds = facts.row_deviation <= MatrixFacts::tolerance;
  std::string worst;
  if (!holds) worst = fmt::format("row {} sums to {:.6g}", facts.worst_row, facts.worst_row_sum);
  return judged(fmt::format("rows of {} sum to 1", matrix), holds, std::move(worst), help);
}

Assumption columns_sum_to_one(std::string_view matrix, const MatrixFacts& facts,
                              std::string_view help) {
  const bool holds = facts.column_deviation <= MatrixFacts::tolerance;
  std::string worst;
  if (!holds)
    worst = fmt::format("column {} sums to {:.6g}", facts.worst_column, facts.worst_column_sum);
  return judged(fmt::format("columns of {} sum to 1", matrix), holds, std::move(worst), help);
}

Assumption no_negative_entry(std::string_view matrix, const MatrixFacts& facts,
                             std::string_view help) {
  const bool holds = facts.is_nonnegative();
  std::string worst;
  if (!holds) worst = fmt::format("an entry is {:.6g}", facts.smallest);
  return judged(fmt::format("no entry of {} is negative", matrix), holds, std::move(worst), help);
}

Assumption positive_diagonal(std::string_view matrix, const MatrixFacts& facts) {
  const bool holds = facts.has_positive_diagonal();
  std::string worst;
  if (!holds) worst = fmt::format("an entry is {:.6g}", facts.smallest_diagonal);
  return judged(fmt::format("diagonal of {} is positive", matrix), holds, std::move(worst),
                "use weights \"uniform\"");
}

std::string speed(const Spectrum& spectrum) {
  return fmt::format("{:.6f}, gap {:.4g}{}", spectrum.second, 1 - spectrum.second,
                     spectrum.converged ? "" : " (estimate)");
}

/// Whether mixing with W leaves the average alone in the end.
void add_contraction(const NetworkFacts& facts, Assumptions& list) {
  const bool is_fixed = facts.period == 1;
  const std::string name = is_fixed           ? "|lambda_2|, |lambda_N| < 1"
                           : facts.period > 0 ? "||W_T ... W_1 - 11'/N|| < 1"
                                              : "contraction a round < 1";
  if (!facts.contraction) {
    list.push_back({name, Verdict::unknown, "W is not doubly stochastic"});
    return;
  }
  if (!is_fixed) {
    list.push_back(judged(name, facts.contracts(),
                          fmt::format("{:.6f}{}", *facts.contraction,
                                      facts.period > 0 ? "" : ", mean of many rounds"),
                          ""));
    return;
  }
  const bool connected = is_connected(facts.pull_graph);
  list.push_back(judged(name, connected && is_aperiodic(facts.pull, facts.pull_graph),
                        "lambda = " + speed(*facts.pull_spectrum),
                        connected ? "use weights \"lazy\"" : ""));
  if (!facts.pull.is_symmetric())
    list.push_back(judged("||W - 11'/N|| < 1", facts.contracts(),
                          fmt::format("{:.6f}, as W is not symmetric", *facts.contraction),
                          "leave some weight on the diagonal"));
}

void add_doubly(const NetworkFacts& facts, Assumptions& list) {
  const std::string_view help = facts.is_directed
                                    ? "use a method for directed graphs, or other weights"
                                    : "use weights \"metropolis\"";
  list.push_back(rows_sum_to_one("W", facts.pull, help));
  list.push_back(columns_sum_to_one("W", facts.pull, help));
  list.push_back(no_negative_entry("W", facts.pull, help));
  list.push_back(judged("W connects all nodes", is_connected(facts.pull_graph), "",
                        "add edges, or use another graph"));
  add_contraction(facts, list);
}

/// rho(...) < 1, which a positive diagonal gives where information gets everywhere.
void add_radius(std::string name, const NetworkFacts& facts,
                const std::optional<Spectrum>& spectrum, bool gets_everywhere,
                const MatrixFacts& matrix, Assumptions& list) {
  if (facts.period != 1) return;
  if (!spectrum) {
    list.push_back({std::move(name), Verdict::unknown, "the sums are not 1"});
    return;
  }
  const bool settles = matrix.has_positive_diagonal() || spectrum->second < below_one;
  list.push_back(judged(std::move(name), gets_everywhere && settles, speed(*spectrum), ""));
}

void add_pull(const NetworkFacts& facts, Assumptions& list) {
  list.push_back(rows_sum_to_one("R", facts.pull, "use weights \"uniform\""));
  list.push_back(no_negative_entry("R", facts.pull, "use weights \"uniform\""));
  list.push_back(positive_diagonal("R", facts.pull));
  const std::optional<Node> root = root_of(facts.pull_graph);
  list.push_back(judged("spanning tree in R's graph", root.has_value(),
                        root ? fmt::format("from node {}", *root) : "no node reaches all others",
                        "add edges"));
  add_radius("rho(R - 1u'/N) < 1", facts, facts.pull_spectrum, root.has_value(), facts.pull, list);
}

void add_push(const NetworkFacts& facts, Assumptions& list) {
  list.push_back(columns_sum_to_one("C", facts.push, "use weights \"uniform\""));
  list.push_back(no_negative_entry("C", facts.push, "use weights \"uniform\""));
  list.push_back(positive_diagonal("C", facts.push));
  const bool connected = is_connected(facts.push_graph);
  list.push_back(judged("C's graph strongly connected", connected, "", "add edges"));
  add_radius("rho(C - v1'/N) < 1", facts, facts.push_spectrum, connected, facts.push, list);
}

/// u'v > 0 with the Perron vectors u of R and v of C: some root of R's tree counts in C as well.
void add_overlap(const NetworkFacts& facts, Assumptions& list) {
  if (facts.period != 1) return;
  if (!facts.pull_spectrum || !facts.push_spectrum || !root_of(facts.pull_graph) ||
      !is_connected(facts.push_graph)) {
    list.push_back({"u'v > 0", Verdict::unknown, "R or C has no Perron vector of its own"});
    return;
  }
  const std::vector<double> u = left_perron(facts.weights.pull);
  const std::vector<double> v = right_perron(facts.weights.push);
  double product = 0;
  for (std::size_t i = 0; i < u.size(); ++i) product += u[i] * v[i];
  list.push_back(
      judged("u'v > 0", product > 0, fmt::format("{:.6g}, for sums of {}", product, u.size()), ""));
}

void add_eigenvalues_above(double bound, const NetworkFacts& facts, Assumptions& list) {
  const bool symmetric = facts.pull.is_symmetric();
  list.push_back(judged("W is symmetric", symmetric, "", "use weights \"metropolis\""));
  if (facts.period != 1 || !symmetric) return;
  const double least = least_eigenvalue(facts.weights.pull);
  list.push_back(judged(fmt::format("least eigenvalue > {:.4g}", bound), least > bound + 1e-9,
                        fmt::format("{:.6f}", least),
                        "use weights = { name = \"lazy\", gamma = 0.5 }"));
}

void add_tolerance(const RowUpdate& update, const NetworkFacts& facts, double drop,
                   Assumptions& list) {
  const Tolerates allowed = update.tolerates();
  if (allowed == Tolerates::fixed_weights)
    list.push_back(
        judged("same weights in every round", facts.period == 1, "", "use links \"all\""));
  else if (facts.period != 1)
    list.push_back({"weights may change", Verdict::holds, "what it adds up stays right"});
  if (drop == 0) return;
  const bool holds = allowed == Tolerates::lost_messages;
  list.push_back(
      {"messages may be lost", holds ? Verdict::holds : Verdict::fails,
       fmt::format("drop = {:g}: {}", drop,
                   holds ? "what it adds up stays right" : "what it adds up is lost with them")});
}

Assumption judged_if_known(std::string name, std::optional<bool> holds, std::string_view help) {
  if (holds) return judged(std::move(name), *holds, "", help);
  return {std::move(name), Verdict::unknown, "the schedule is made for a run of this length"};
}

}  // namespace

bool NetworkFacts::contracts() const {
  if (!contraction || !is_connected(pull_graph)) return false;
  if (period == 1 && pull.is_symmetric()) return is_aperiodic(pull, pull_graph);
  // Then W'W, or that of the product, has all the links, both ways.
  return pull.has_positive_diagonal() || *contraction < below_one;
}

NetworkFacts look_at(Network& network) {
  WeightsSequence& sequence = *network.weights;
  NetworkFacts facts{.is_directed = network.graph.is_directed(), .period = sequence.period()};
  facts.rounds = facts.period > 0 ? facts.period : enough_rounds;
  for (Round k = 1; k <= facts.rounds; ++k) {
    sequence.weights(k, facts.weights);
    const MatrixFacts pull = facts_of(facts.weights.pull), push = facts_of(facts.weights.push);
    facts.pull = k == 1 ? pull : worst_of(facts.pull, pull);
    facts.push = k == 1 ? push : worst_of(facts.push, push);
  }
  if (facts.period == 1)
    look_at_matrices(facts);
  else
    look_at_sequence(network, facts);
  return facts;
}

std::vector<Assumption> network_assumptions(const RowUpdate& update, const NetworkFacts& facts,
                                            double drop) {
  if (update.averages_exactly())
    return {{"exact averages", Verdict::holds, "W = 11'/N and lambda = 0, whatever the network"}};
  const auto uses = [&](Mixing mixing) {
    return std::ranges::find(update.mixing(), mixing) != update.mixing().end();
  };
  Assumptions list;
  if (uses(Mixing::doubly)) add_doubly(facts, list);
  if (uses(Mixing::pull)) add_pull(facts, list);
  if (uses(Mixing::push)) add_push(facts, list);
  if (uses(Mixing::pull) && uses(Mixing::push)) add_overlap(facts, list);
  if (const std::optional<double> bound = update.eigenvalues_above())
    add_eigenvalues_above(*bound, facts, list);
  add_tolerance(update, facts, drop, list);
  return list;
}

std::vector<Assumption> step_assumptions(const RowUpdate& update, const ScheduleRule& schedule) {
  if (update.steps() == Steps::small) return {};
  return {judged_if_known("step sizes go to zero", schedule.vanishes,
                          "the nodes settle near the optimum, not at it: use schedule \"sqrt\""),
          judged_if_known("their sum is infinite", schedule.adds_up,
                          "they may die out on the way: use schedule \"sqrt\"")};
}

}  // namespace starling
