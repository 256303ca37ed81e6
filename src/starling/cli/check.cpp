/// `starling check`: what each method's paper assumes, and whether an experiment has it.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "starling/cli/check.hpp"
#include "starling/cli/commands.hpp"
#include "starling/cli/naming.hpp"

namespace starling {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> overrides;
};

CheckedExperiment prepare(Experiment experiment) {
  return naming(experiment.file, [&] {
    Network network = experiment.network.make();
    std::unique_ptr<Problem> problem = experiment.problem(network.graph.nodes(), experiment.seed);
    std::vector<std::unique_ptr<RowUpdate>> updates;
    for (const MethodPlan& plan : experiment.methods) updates.push_back(plan.method());
    const Round rounds = experiment.rounds_on(*problem);
    return CheckedExperiment{std::move(experiment), std::move(network), std::move(problem),
                             std::move(updates), rounds};
  });
}

std::string kind_of_weights(const NetworkFacts& facts) {
  if (!facts.pull.is_doubly_stochastic())
    return "R for what receivers choose, C for what senders choose";
  return facts.pull.is_symmetric() ? "W, symmetric and doubly stochastic"
                                   : "W, doubly stochastic, not symmetric";
}

void print_speed_of_fixed(const NetworkFacts& facts) {
  const auto print = [](std::string_view name, const std::optional<Spectrum>& spectrum) {
    if (!spectrum) return;
    print_line(name,
               fmt::format("{:.6f}{}", spectrum->second, spectrum->converged ? "" : " (estimate)"));
    print_line("spectral gap", fmt::format("{:.6g}", 1 - spectrum->second));
  };
  if (facts.contraction) {
    print("lambda", facts.pull_spectrum);
    if (!facts.pull.is_symmetric())
      print_line("||W - 11'/N||", fmt::format("{:.6f}", *facts.contraction));
    return;
  }
  print("rho(R - 1u'/N)", facts.pull_spectrum);
  print("rho(C - v1'/N)", facts.push_spectrum);
}

void print_speed_of_changing(const NetworkFacts& facts) {
  if (!facts.contraction) return;
  if (facts.period > 0)
    print_line("||W_T ... W_1 - 11'/N||", fmt::format("{:.6f} over a period", *facts.contraction));
  else
    print_line("contraction a round",
               fmt::format("{:.6f}, the mean of {} rounds", *facts.contraction, facts.rounds));
}

void print_network(const CheckedExperiment& checked, const NetworkFacts& facts) {
  const Table& table = *checked.experiment.resolved.find("network")->table();
  const Graph& graph = checked.network.graph;
  fmt::print("network\n");
  print_line("nodes", fmt::format("{}", graph.nodes()));
  print_line("graph", fmt::format("{}, {} {}edges", shown(*table.find("graph")), graph.edges(),
                                  graph.is_directed() ? "directed " : ""));
  print_line("weights",
             fmt::format("{}: {}", shown(*table.find("weights")), kind_of_weights(facts)));
  if (facts.period == 1) {
    print_speed_of_fixed(facts);
  } else {
    print_line("links", shown(*table.find("links")));
    print_line("period",
               facts.period > 0 ? fmt::format("{} rounds", facts.period) : "none: drawn by chance");
    print_speed_of_changing(facts);
  }
  const double drop = checked.experiment.network.drop;
  print_line("lost messages", drop > 0 ? fmt::format("each with a chance of {:g}", drop) : "none");
}

std::string exchanged_by(const RowUpdate& update) {
  constexpr std::string_view names[] = {"W", "R", "C"};
  std::vector<std::string> parts;
  for (std::size_t e = 0; e < update.exchanged_count(); ++e)
    parts.push_back(fmt::format("{} with {}", update.variables()[e],
                                names[static_cast<std::size_t>(update.mixing()[e])]));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// What the losses are asked for: subgradient methods take what has kinks, others want smoothness,
/// of the generalised kind where steps are clipped (Bo & Wang, arXiv 2601.03566).
void print_smoothness(const Case& c) {
  if (c.update.steps() == Steps::vanishing)
    return print_assumption("f_i locally Lipschitz", true, "kinks are allowed");
  const bool clips = c.update.normed().has_value();
  const std::string name = clips ? "f_i (L0, L1)-smooth" : "f_i L-smooth";
  const std::optional<double>& bound = c.constants.smoothness;
  if (!bound)
    return print_assumption({name, Verdict::unknown, "no such constant is known of the problem"});
  print_assumption(name, true,
                   clips ? fmt::format("L0 = {:.6g} at most, L1 = 0", *bound)
                         : fmt::format("L = {:.6g} at most", *bound));
}

void print_steps(const Case& c) {
  const Round rounds = c.checked.rounds;
  const double first = c.plan.step * c.plan.schedule(1, rounds);
  const double last = c.plan.step * c.plan.schedule(rounds, rounds);
  print_line("step sizes", first == last ? fmt::format("{:.6g} in every round", first)
                                         : fmt::format("{:.6g} in round 1, {:.6g} in round {}",
                                                       first, last, rounds));
  for (const Assumption& assumption : step_assumptions(c.update, c.plan.schedule))
    print_assumption(assumption);
  if (c.update.steps() == Steps::vanishing || c.update.scaling() != Scaling::none) return;
  const std::optional<double>& bound = c.constants.smoothness;
  print_assumption({"step size small enough", Verdict::unknown,
                    bound ? fmt::format("step L = {:.4g}; the bound depends on the network too",
                                        c.plan.step * *bound)
                          : "the bound depends on L and on the network"});
}

/// What `starling run` makes of the network.
std::string acceptance_of(const Case& c) {
  try {
    check_network(c.plan.label, c.update, c.checked.experiment.network, c.checked.network);
  } catch (const UserError& error) {
    return "refuses it: " + std::string{error.what()}.substr(c.plan.label.size() + 2);
  }
  return "accepts this network";
}

void print_method(const Case& c) {
  fmt::print("\n{}: {}\n", c.plan.label, c.update.paper());
  print_line("exchanged", exchanged_by(c.update));
  for (const Assumption& assumption :
       network_assumptions(c.update, c.network, c.checked.experiment.network.drop))
    print_assumption(assumption);
  print_smoothness(c);
  print_steps(c);
  print_adaptive(c);
  print_line("starling run", acceptance_of(c));
}

int check(const Arguments& arguments) {
  Experiment experiment = read_experiment(arguments.file, arguments.overrides);
  if (experiment.engine.shares_memory()) return check_asynchronous(experiment);
  CheckedExperiment checked = prepare(std::move(experiment));
  const NetworkFacts facts = look_at(checked.network);
  const Constants constants = checked.problem->constants();
  const List& tables = *checked.experiment.resolved.find("method")->list();
  fmt::print("{}\n", checked.experiment.title);
  print_network(checked, facts);
  for (std::size_t m = 0; m < checked.updates.size(); ++m)
    print_method({checked, checked.experiment.methods[m], *checked.updates[m], *tables[m].table(),
                  facts, constants});
  return success;
}

}  // namespace

void print_line(std::string_view name, const std::string& value) {
  fmt::print("  {:<28} {}\n", name, value);
}

std::string shown(const Value& choice) { return choice.text() ? *choice.text() : to_toml(choice); }

void print_assumption(const Assumption& assumption) {
  constexpr std::string_view words[] = {"holds", "NO", "unknown"};
  const std::string word{words[static_cast<std::size_t>(assumption.verdict)]};
  print_line(assumption.name,
             assumption.detail.empty() ? word : fmt::format("{:<8} {}", word, assumption.detail));
}

void print_assumption(std::string name, bool holds, std::string detail) {
  print_assumption({std::move(name), holds ? Verdict::holds : Verdict::fails, std::move(detail)});
}

Command check_command(CLI::App& program) {
  auto* app = program.add_subcommand(
      "check", "Say what each method's paper assumes, and whether an experiment has it");
  auto arguments = std::make_shared<Arguments>();
  app->add_option("file", arguments->file, "Experiment, a TOML file")->required();
  app->add_option("--set", arguments->overrides,
                  "Change a value of the file, e.g. method.step=1e-3 (every method's step)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app->footer(
      "Example:\n"
      "  starling check experiments/heterogeneous-ring.toml --set network.nodes=10\n"
      "\n"
      "It runs nothing and writes nothing. Exit status: 0 whatever holds, 2 a mistake in the "
      "input.");
  return {app, [arguments] { return check(*arguments); }};
}

}  // namespace starling
