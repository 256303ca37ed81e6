/// What `starling check` says of adaptive methods.

#include "starling/cli/check.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "starling/experiment/theory.hpp"

namespace starling {
namespace {

/// A number among a method's options, or among those of the method that `centralized` runs.
double option_of(const Table& options, std::string_view name) {
  if (const Value* value = options.find(name))
    if (const auto* number = std::get_if<double>(&value->data)) return *number;
  const Value* of = options.find("of");
  return of && of->table() ? option_of(*of->table(), name) : 0;
}

bool has_one_matrix(const Case& c) {
  return c.update.averages_exactly() ||
         (c.network.period == 1 && c.checked.experiment.network.drop == 0);
}

/// lambda of the one W that Chen et al. mix with, where it is below 1.
std::optional<double> lambda_of(const Case& c) {
  if (c.update.averages_exactly()) return 0;
  if (!has_one_matrix(c) || !c.network.contracts()) return std::nullopt;
  return c.network.contraction;
}

/// Prints what Chen et al. assume beside W and smoothness; false where something does not hold.
bool print_adaptive_assumptions(const Case& c) {
  const bool one_matrix = has_one_matrix(c);
  print_assumption("one W in every round (A4)", one_matrix, "");
  if (const std::optional<double>& bound = c.constants.gradient_bound) {
    print_assumption("|entries of g| <= G (A2)", true, fmt::format("G = {:.6g} at most", *bound));
    print_assumption("variance <= sigma^2 (A3)", true,
                     fmt::format("sigma^2 <= G^2 = {:.6g} is taken", *bound * *bound));
  } else {
    print_assumption(
        {"|entries of g| <= G (A2)", Verdict::unknown, "no such constant is known of the problem"});
    print_assumption({"variance <= sigma^2 (A3)", Verdict::unknown, ""});
  }
  const bool constant = c.plan.schedule.vanishes == false && c.plan.schedule.adds_up == true;
  print_assumption("one step size", constant, constant ? "" : "use schedule \"constant\"");
  const std::string name = "step <= sqrt(eps) / (16 L)";
  if (!c.constants.smoothness) {
    print_assumption({name, Verdict::unknown, "needs L"});
    return one_matrix && constant;
  }
  const double largest = largest_step(*c.constants.smoothness, option_of(c.options, "epsilon"));
  const bool small = c.plan.step <= largest;
  print_assumption(name, small,
                   small ? fmt::format("{:.6g} <= {:.6g}", c.plan.step, largest)
                         : fmt::format("{:.6g} > {:.6g}: a smaller step, or a larger epsilon",
                                       c.plan.step, largest));
  return one_matrix && constant && small;
}

double objective_at_start(Problem& problem) {
  std::vector<float> x(problem.dimension());
  problem.start(x);
  const std::unique_ptr<Oracle> oracle = problem.oracle();
  double sum = 0;
  for (std::size_t i = 0; i < problem.nodes(); ++i)
    sum += oracle->objective(static_cast<Node>(i), x, {});
  return sum / static_cast<double>(problem.nodes());
}

void print_bound(const std::string& name, const AdaptiveBound& bound, Problem& problem) {
  const double start = objective_at_start(problem);
  print_line("f at the start", fmt::format("{:.6g}", start));
  const std::string symbols =
      fmt::format("{:.4g} (f at the start - min f) + {:.4g}", bound.factor, bound.rest);
  const std::optional<Optimum> known = problem.optimum();
  if (!known) return print_line(name, symbols);
  print_line(name, fmt::format("{} = {:.4g}", symbols, bound.at(start - known->objective)));
}

void print_theorem(const Case& c, const AdaptiveNumbers& numbers, const AdaptiveRun& run,
                   bool applies) {
  const AdaptiveConstants k = adaptive_constants(numbers);
  print_line("C1 ... C5",
             fmt::format("{:.4g} {:.4g} {:.4g} {:.4g} {:.4g}", k.c1, k.c2, k.c3, k.c4, k.c5));
  if (c.update.scaling() == Scaling::shared)
    return print_line("bound of Theorem 2", "none: this second moment may rise and fall for ever");
  const bool is_maximum = c.update.scaling() == Scaling::shared_maximum;
  const std::string name = is_maximum ? "bound of Theorem 3" : "bound of Theorem 4";
  if (!applies) return print_line(name, "none: something above does not hold");
  print_line("it bounds", "the mean of ||grad f / u^(1/4)||^2 over the rounds");
  print_bound(name, is_maximum ? theorem_3(numbers, run) : theorem_4(numbers, run),
              *c.checked.problem);
}

}  // namespace

void print_adaptive(const Case& c) {
  if (c.update.scaling() == Scaling::none) return;
  if (c.update.scaling() == Scaling::own)
    return print_assumption("converges (Theorem 1)", false,
                            "not in general, as each node scales by its own second moment: only "
                            "where the nodes' losses are alike");
  const bool applies = print_adaptive_assumptions(c);
  const std::optional<double> lambda = lambda_of(c);
  const auto [smoothness, gradient_bound] = c.constants;
  AdaptiveRun run{.nodes = c.checked.problem->nodes(),
                  .dimension = c.checked.problem->dimension(),
                  .rounds = c.checked.rounds,
                  .step = c.plan.step};
  print_line("step size of Corollary 1", fmt::format("{:.6g}", corollary_step(run)));
  std::vector<std::string_view> missing;
  if (!lambda) missing.push_back("lambda < 1");
  if (!smoothness) missing.push_back("L");
  if (!gradient_bound) missing.push_back("G");
  const AdaptiveNumbers numbers{.lambda = lambda.value_or(0),
                                .smoothness = smoothness.value_or(0),
                                .gradient_bound = gradient_bound.value_or(0),
                                .beta1 = option_of(c.options, "beta1"),
                                .epsilon = option_of(c.options, "epsilon")};
  run.variance = numbers.gradient_bound * numbers.gradient_bound;
  if (missing.empty())
    print_theorem(c, numbers, run, applies);
  else
    print_line("C1 ... C5", fmt::format("unknown without {}", fmt::join(missing, ", ")));
  if (lambda && gradient_bound)
    print_line(
        "consensus error at most",
        fmt::format("{:.4g} in every round", consensus_bound(numbers, run.step, run.dimension)));
}

}  // namespace starling
