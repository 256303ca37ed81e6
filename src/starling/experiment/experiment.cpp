#include "starling/experiment/experiment.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "starling/experiment/toml.hpp"

namespace starling {
namespace {

constexpr Range whole_positive = at_least(1);

/// The table that a key holds, or an empty one. Throws where it is something else, or missing but
/// `needed`.
const Table& table_at(OptionReader& root, std::string_view key, bool needed) {
  static const Table nothing;
  const Value* value = root.take(key);
  if (value && value->table()) return *value->table();
  if (value)
    throw root.error(key, fmt::format(": must be a table, [{}], not a {}", key, kind_of(*value)));
  if (needed) throw root.error(key, fmt::format(": missing: the file needs a [{}] table", key));
  return nothing;
}

/// The method's own options. The engine tells which kind of method it can be; a name of the other
/// kind gets a hint.
void read_rule(OptionReader& reader, const std::string& name, const EnginePlan& engine,
               MethodPlan& plan, Table& resolved) {
  const auto has = [&name](const auto& entries) {
    return std::ranges::any_of(entries, [&](const auto& entry) { return entry.name == name; });
  };
  if (engine.shares_memory()) {
    if (has(methods()))
      throw reader.error("name", fmt::format(" = \"{}\": exchanges over a network, engine.name = "
                                             "\"{}\" is for cores that share memory: take hogwild, "
                                             "assm, passm or sgd",
                                             name, engine.name));
    plan.asynchronous =
        find_entry(asynchronous_methods(), name, "name", reader).read(reader, resolved);
    return;
  }
  if (has(asynchronous_methods()))
    throw reader.error("name", fmt::format(" = \"{}\": is for cores that share memory: set "
                                           "engine.name = \"threads\" or \"delays\", and leave out "
                                           "[network]",
                                           name));
  plan.method = find_entry(methods(), name, "name", reader).read(reader, resolved);
}

MethodPlan read_method_plan(const Table& table, const std::string& file, const EnginePlan& engine,
                            Table& resolved) {
  OptionReader reader(table, file, "method");
  MethodPlan plan;
  std::string name;
  reader("name", name, Words{}, "");
  if (name.empty()) throw reader.error("name", ": missing: one of `starling list methods`");
  plan.label = name;
  reader("label", plan.label, Words{}, "");
  if (plan.label.empty() || plan.label[0] == '.' || plan.label.find('/') != std::string::npos)
    throw reader.error("label", fmt::format(" = {}: must be a file name, for the checkpoint",
                                            to_toml(Value::of(plan.label))));
  resolved.set("name", Value::of(name));
  resolved.set("label", Value::of(plan.label));
  float single = 0;  // what the methods get: 1e-50 would be 0 there
  reader("step", single, positive, "");
  reader("step", plan.step, positive, "");
  Table rule;
  read_rule(reader, name, engine, plan, rule);
  if (plan.step == 0) throw reader.error("step", ": missing: the step size, a number > 0");
  resolved.set("step", Value::of(plan.step));
  plan.schedule = read_choice(reader, "schedule", schedules(),
                              engine.shares_memory() ? "sqrt" : "constant", "name", resolved);
  for (auto& entry : rule.entries) resolved.entries.push_back(std::move(entry));
  reader.finish();
  return plan;
}

/// Two methods of one name are told apart by number.
void make_labels_unique(Experiment& experiment, List& tables) {
  std::set<std::string> taken;
  for (std::size_t m = 0; m < experiment.methods.size(); ++m) {
    std::string& label = experiment.methods[m].label;
    const std::string first = label;
    for (int number = 2; !taken.insert(label).second; ++number)
      label = fmt::format("{}-{}", first, number);
    std::get<Table>(tables[m].data).set("label", Value::of(label));
  }
}

void read_methods(OptionReader& root, Experiment& experiment) {
  const Value* value = root.take("method");
  if (!value) throw root.error("method", ": missing: the file needs a [[method]] table");
  const List single{*value};
  List tables;
  for (const Value& item : value->list() ? *value->list() : single) {
    if (!item.table())
      throw root.error("method",
                       fmt::format(": must be a [[method]] table, not a {}", kind_of(item)));
    Table resolved;
    experiment.methods.push_back(
        read_method_plan(*item.table(), experiment.file, experiment.engine, resolved));
    tables.push_back({.data = std::move(resolved)});
  }
  if (tables.empty()) throw root.error("method", ": is empty: name a method at least");
  make_labels_unique(experiment, tables);
  experiment.resolved.set("method", {.data = std::move(tables)});
}

void read_length(OptionReader& root, Experiment& experiment) {
  std::int64_t rounds = 0;
  root("rounds", rounds, whole_positive, "");
  root("epochs", experiment.epochs, Range{.low = 0, .high = 1e9, .low_open = true}, "");
  if ((rounds > 0) == (experiment.epochs > 0))
    throw root.error("rounds", ": give either rounds or epochs: how long to run");
  experiment.rounds = static_cast<Round>(rounds);
  if (rounds > 0)
    experiment.resolved.set("rounds", Value::of(rounds));
  else
    experiment.resolved.set("epochs", Value::of(experiment.epochs));
}

void read_problem(OptionReader& root, Experiment& experiment) {
  const Table& table = table_at(root, "problem", true);
  OptionReader reader(table, experiment.file, "problem");
  std::string name;
  reader("name", name, Words{}, "");
  if (name.empty()) throw reader.error("name", ": missing: one of `starling list problems`");
  Table resolved;
  resolved.set("name", Value::of(name));
  experiment.problem = find_entry(problems(), name, "name", reader).read(reader, resolved);
  reader.finish();
  experiment.resolved.set("problem", {.data = std::move(resolved)});
}

/// How often to evaluate: in rounds, or where cores run on their own, in seconds.
void read_pace(OptionReader& reader, Experiment& experiment, Table& resolved) {
  std::int64_t every = 0;
  reader("every", every, whole_positive, "");
  if (experiment.engine.name == "threads")
    reader("seconds", experiment.every_seconds, positive, "");
  // Twenty points make a curve.
  if (every == 0 && experiment.every_seconds == 0)
    every = experiment.rounds
                ? std::max<std::int64_t>(1, static_cast<std::int64_t>(experiment.rounds) / 20)
                : 50;
  experiment.every = static_cast<Round>(every);
  if (every > 0) resolved.set("every", Value::of(every));
  if (experiment.every_seconds > 0) resolved.set("seconds", Value::of(experiment.every_seconds));
}

void read_record(OptionReader& root, Experiment& experiment) {
  OptionReader reader(table_at(root, "record", false), experiment.file, "record");
  Table resolved;
  read_pace(reader, experiment, resolved);
  Measures& measures = experiment.measures;
  reader("gradient_norm", measures.gradient_norm, "");
  reader("node_accuracy", measures.node_accuracy, "");
  reader("stationarity", measures.stationarity, between(0, 1e6), "");
  reader.finish();
  // The cores have one x.
  if (experiment.engine.shares_memory()) measures.node_accuracy = false;
  resolved.set("gradient_norm", Value::of(measures.gradient_norm));
  resolved.set("node_accuracy", Value::of(measures.node_accuracy));
  resolved.set("stationarity", Value::of(measures.stationarity));
  experiment.resolved.set("record", {.data = std::move(resolved)});
}

void read_cores(OptionReader& reader, EnginePlan& engine, Table& resolved) {
  std::int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  reader("cores", cores, between(1, 1024), "");
  engine.cores = static_cast<std::size_t>(cores);
  resolved.set("cores", Value::of(cores));
}

template <class Options>
void read_with_defaults(OptionReader& reader, Options& options, Table& resolved) {
  read_options(reader, options);
  write_options(options, resolved);
}

Table read_engine(OptionReader& root, Experiment& experiment) {
  OptionReader reader(table_at(root, "engine", false), experiment.file, "engine");
  EnginePlan& engine = experiment.engine;
  reader("name", engine.name, Words{"auto", "simulate", "mpi", "threads", "delays"}, "");
  Table resolved;
  resolved.set("name", Value::of(engine.name));
  if (engine.shares_memory()) read_cores(reader, engine, resolved);
  if (engine.name == "threads")
    read_with_defaults(reader, engine.threads, resolved);
  else if (engine.name == "delays")
    engine.delays = read_choice(reader, "delay", delay_rules(), "uniform", "name", resolved);
  else
    read_with_defaults(reader, engine.ranks, resolved);
  reader.finish();
  return resolved;
}

void read_network_table(OptionReader& root, Experiment& experiment) {
  const EnginePlan& engine = experiment.engine;
  const Table& table = table_at(root, "network", !engine.shares_memory());
  if (engine.shares_memory()) {
    if (!table.entries.empty())
      throw root.error("network", fmt::format(": engine.name = \"{}\" has cores that share "
                                              "memory, not a network: leave it out",
                                              engine.name));
    return;
  }
  Table resolved;
  OptionReader reader(table, experiment.file, "network");
  experiment.network = read_network(reader, experiment.seed, resolved);
  reader.finish();
  experiment.resolved.set("network", {.data = std::move(resolved)});
}

}  // namespace

Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides) {
  Table table = read_toml(file);
  for (const std::string& assignment : overrides) override_value(table, assignment);

  Experiment experiment{.file = file.string()};
  OptionReader root(table, experiment.file, "");
  experiment.title = file.stem().string();
  root("title", experiment.title, Words{}, "");
  std::int64_t seed = 1;
  root("seed", seed, not_negative, "");
  experiment.seed = static_cast<std::uint64_t>(seed);
  experiment.resolved.set("title", Value::of(experiment.title));
  experiment.resolved.set("seed", Value::of(seed));
  read_length(root, experiment);
  Table engine = read_engine(root, experiment);  // first: what the rest may be depends on it
  read_network_table(root, experiment);
  read_problem(root, experiment);
  read_methods(root, experiment);
  read_record(root, experiment);
  experiment.resolved.set("engine", {.data = std::move(engine)});
  root.finish();
  return experiment;
}

Round Experiment::rounds_on(const Problem& on) const {
  if (rounds > 0) return rounds;
  Round low = 0, high = 1;  // epochs(low) < wanted <= epochs(high)
  while (on.epochs(high) < epochs) low = std::exchange(high, high * 2);
  while (high - low > 1) {
    const Round middle = low + (high - low) / 2;
    (on.epochs(middle) < epochs ? low : high) = middle;
  }
  return high;
}

}  // namespace starling
