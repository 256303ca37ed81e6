#include "starling/experiment/asynchronous_setup.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/engine/blocks.hpp"

namespace starling {
namespace {

void check_locks(const Asynchronous& rule) {
  if (rule.read_lock != "none" && rule.read_lock != rule.write_lock)
    throw UserError{
        fmt::format("method.read_lock = \"{0}\": protects nothing while "
                    "method.write_lock = \"{1}\": set that to \"{0}\" as well",
                    rule.read_lock, rule.write_lock)};
}

void check_factors(const Asynchronous& rule, std::size_t cores) {
  if (rule.alpha.size() != 1 && rule.alpha.size() != cores)
    throw UserError{
        fmt::format("method.alpha: {} numbers for {} cores: must be one for all or one a core",
                    rule.alpha.size(), cores)};
}

/// Eq. 5 asks that step sizes a window apart become equal in the end, windows growing without
/// bound: powers of k do so. Nothing can be said of schedules that are made for a run's length.
Assumption slow_change(const ScheduleRule& schedule) {
  const std::string name = "step(s + t) / step(s) -> 1";
  if (!schedule.vanishes)
    return {name, Verdict::unknown, "the schedule is made for a run's length"};
  const double far = 1e12;
  const auto s = static_cast<Round>(far), t = static_cast<Round>(std::sqrt(far));
  const double ratio = schedule.factor(s + t, s + t) / schedule.factor(s, s + t);
  const bool holds = ratio > 0.99;
  return {name, holds ? Verdict::holds : Verdict::fails,
          holds ? "on windows that grow as sqrt(s)" : "steps fall by a factor at once"};
}

Assumption from(std::string name, const std::optional<bool>& holds, std::string otherwise) {
  if (!holds) return {std::move(name), Verdict::unknown, "the schedule is made for a run's length"};
  return {std::move(name), *holds ? Verdict::holds : Verdict::fails, *holds ? "" : otherwise};
}

}  // namespace

AsynchronousSetup set_up(const MethodPlan& method, const EnginePlan& engine, const Problem& problem,
                         Round updates) {
  const Asynchronous& rule = method.asynchronous;
  try {
    AsynchronousSetup setup;
    setup.cores = rule.cores > 0 ? static_cast<std::size_t>(rule.cores) : engine.cores;
    check_locks(rule);
    check_factors(rule, setup.cores);
    setup.blocks = blocks_for(rule, problem, setup.cores);
    // A schedule that is made for a run's length ends where a core has done its share.
    const Round share = std::max<Round>(1, updates / setup.cores);
    const bool ends = !method.schedule.vanishes;
    setup.step_size = [&method, share, ends](Node core, Round k) {
      const std::vector<double>& alpha = method.asynchronous.alpha;
      return alpha[alpha.size() == 1 ? 0 : core] * method.step *
             method.schedule(ends ? std::min(k, share) : k, share);
    };
    return setup;
  } catch (const UserError& error) {
    throw UserError{fmt::format("{}: {}", method.label, error.what())};
  }
}

SharedAccess access_of(const ThreadsOptions& options) {
  const std::optional<SharedAccess> fast = fast_access();
  if (options.access == "fast" && !fast)
    throw UserError{
        "engine.access = \"fast\": is not written for this processor: use \"strict\" or \"auto\""};
  return fast && options.access != "strict" ? *fast : strict_access();
}

std::vector<Assumption> asynchronous_assumptions(const MethodPlan& method,
                                                 const DelayProcess* process,
                                                 const Constants& constants) {
  std::vector<Assumption> list;
  if (process) {
    list.push_back(
        {"delays bounded (3.1)", Verdict::holds, fmt::format("delta = {}", process->most())});
    if (const std::optional<double> chance = process->least_chance())
      list.push_back({"chances positive (3.1)", Verdict::holds,
                      fmt::format("p_min = {:.4g} a core", *chance)});
    else
      list.push_back({"chances positive (3.1)", Verdict::fails,
                      "the next core follows from the past, or nearly so"});
  } else {
    list.push_back(
        {"delays bounded (3.1)", Verdict::unknown, "the machine's: the run tells the largest"});
    list.push_back({"chances positive (3.1)", Verdict::unknown,
                    "the machine's: the run tells each core's share"});
  }
  if (constants.gradient_bound)
    list.push_back({"subgradients bounded (3.2)", Verdict::holds,
                    fmt::format("entries are {:.6g} at most", *constants.gradient_bound)});
  else
    list.push_back({"subgradients bounded (3.2)", Verdict::unknown,
                    "no such constant is known of the problem"});
  list.push_back(from("step sizes go to 0 (5)", method.schedule.vanishes,
                      "use schedule = \"sqrt\" or \"power\""));
  list.push_back(from("sum of steps infinite (5)", method.schedule.adds_up,
                      "use schedule = \"sqrt\" or \"power\""));
  list.push_back(slow_change(method.schedule));
  return list;
}

}  // namespace starling
