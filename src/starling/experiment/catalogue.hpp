/// Every name that an experiment can use: one constant table a family of things.
///
/// Adding a method, graph, ... is one line here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "starling/base/options.hpp"
#include "starling/data/partition.hpp"
#include "starling/engine/delay_process.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/graph/graph.hpp"
#include "starling/graph/links.hpp"
#include "starling/graph/weights.hpp"
#include "starling/method/asynchronous.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

using GraphRule = std::function<Graph(std::size_t nodes, std::uint64_t seed)>;
using WeightsRule = std::function<MixingWeights(const Graph&)>;
/// Null where every link is used in every round.
using LinksRule = std::function<std::unique_ptr<Links>(const Graph&, std::uint64_t seed)>;
using MethodRule = std::function<std::unique_ptr<RowUpdate>()>;
using DelayRule = std::function<std::unique_ptr<DelayProcess>(std::size_t cores, std::size_t blocks,
                                                              std::uint64_t seed)>;
using ProblemRule = std::function<std::unique_ptr<Problem>(std::size_t nodes, std::uint64_t seed)>;

/// The factor of every round, and what becomes of step sizes (`method/step_limits.hpp`).
struct ScheduleRule {
  std::function<double(Round k, Round rounds)> factor;
  std::optional<bool> vanishes, adds_up;
  double operator()(Round k, Round rounds) const { return factor(k, rounds); }
};

/// A name, and how to make what it stands for.
template <class Rule>
struct Entry {
  std::string_view name, summary;
  std::vector<OptionInfo> (*options)();
  /// Reads the entry's options and adds all of them, defaults included, to `resolved`.
  Rule (*read)(OptionReader& reader, Table& resolved);
};

std::span<const Entry<GraphRule>> graphs();
std::span<const Entry<WeightsRule>> weights_rules();
std::span<const Entry<LinksRule>> links_rules();
std::span<const Entry<MethodRule>> methods();
/// Methods of cores that share memory.
std::span<const Entry<Asynchronous>> asynchronous_methods();
std::span<const Entry<DelayRule>> delay_rules();
std::span<const Entry<ScheduleRule>> schedules();
std::span<const Entry<ProblemRule>> problems();
std::span<const Entry<PartitionRule>> partitions();

/// The entry called `name`; throws `reader`'s error about `key`, with the nearest name, if there is
/// none.
template <class Rule>
const Entry<Rule>& find_entry(std::span<const Entry<Rule>> entries, std::string_view name,
                              std::string_view key, const OptionReader& reader) {
  std::vector<std::string_view> names;
  for (const Entry<Rule>& entry : entries) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw reader.error(
      key, " = " + to_toml(Value::of(std::string{name})) + ": unknown" + suggestion(name, names));
}

/// Reads a choice: KEY = NAME, or KEY = { name = NAME, option = ... }. `name_key` is what the table
/// calls the name ("name", or "by" for partitions). `initial` is taken where the key is absent.
template <class Rule>
Rule read_choice(OptionReader& parent, std::string_view key, std::span<const Entry<Rule>> entries,
                 std::string_view initial, std::string_view name_key, Table& resolved) {
  static const Table nothing;
  const Value* value = parent.take(key);
  const Table* table = value && value->table() ? value->table() : nullptr;
  OptionReader reader(
      table ? *table : nothing, parent.file(),
      parent.path().empty() ? std::string{key} : parent.path() + "." + std::string{key});
  std::string name{initial};
  if (table)
    reader(name_key, name, Words{}, "");
  else
    parent(key, name, Words{}, "");
  const Entry<Rule>& entry =
      table ? find_entry(entries, name, name_key, reader) : find_entry(entries, name, key, parent);
  Table chosen;
  chosen.set(name_key, Value::of(name));
  Rule rule = entry.read(reader, chosen);
  reader.finish();
  resolved.set(key, chosen.entries.size() == 1 ? Value::of(name) : Value{.data = chosen});
  return rule;
}

}  // namespace starling
