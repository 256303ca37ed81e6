#include "starling/cli/items.hpp"

#include <array>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "starling/cli/asynchronous.hpp"
#include "starling/data/image_sets.hpp"
#include "starling/experiment/catalogue.hpp"

namespace starling {
namespace {

template <class Rule>
std::vector<Item> items_of(std::span<const Entry<Rule>> entries) {
  std::vector<Item> items;
  for (const Entry<Rule>& entry : entries)
    items.push_back({entry.name, entry.summary, {}, {}, entry.options()});
  return items;
}

std::string weights_of(const RowUpdate& update) {
  constexpr std::array<std::string_view, 3> names{"W (doubly stochastic)", "R (rows sum to 1)",
                                                  "C (columns sum to 1)"};
  std::vector<std::string> parts;
  for (std::size_t e = 0; e < update.exchanged_count(); ++e)
    parts.push_back(fmt::format("{} with {}", update.variables()[e],
                                names[static_cast<std::size_t>(update.mixing()[e])]));
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  if (const std::optional<double> bound = update.eigenvalues_above())
    text += fmt::format("; symmetric, eigenvalues above {:.4g}", *bound);
  return text;
}

std::string sampling_of(const RowUpdate& update) {
  const std::string_view point = update.variables()[update.sampled()];
  switch (update.order()) {
    case Order::overlapped:
      return fmt::format("at {}, while the exchange can run", point);
    case Order::combine_first:
      return fmt::format("at {}, after the exchange", point);
    default:
      return fmt::format("at {}, before the exchange", point);
  }
}

std::string tolerance_of(const RowUpdate& update) {
  switch (update.tolerates()) {
    case Tolerates::fixed_weights:
      return "the same weights in every round";
    case Tolerates::changing_weights:
      return "weights may change from round to round";
    default:
      return "weights may change from round to round, messages may be lost";
  }
}

/// Sizes are those of single precision.
std::vector<Fact> facts_of(const RowUpdate& update) {
  const std::span<const std::string_view> kept = update.variables();
  const std::size_t sent = update.exchanged_count();
  return {
      {"paper", std::string{update.paper()}},
      {"weights", weights_of(update)},
      {"samples", sampling_of(update)},
      {"sends", fmt::format("{}: {} bytes a coordinate to each neighbour, each time it exchanges{}",
                            fmt::join(kept.first(sent), ", "), 4 * sent,
                            update.push_sum() ? ", and its push-sum weight" : "")},
      {"keeps", fmt::format("{}: {} bytes a coordinate", fmt::join(kept, ", "), 4 * kept.size())},
      {"network", tolerance_of(update)}};
}

std::vector<Item> method_items() {
  std::vector<Item> items;
  for (const Entry<MethodRule>& entry : methods()) {
    Item& item = items.emplace_back(Item{entry.name, entry.summary, {}, {}, entry.options()});
    if (entry.name == "centralized") {
      item.facts = {
          {"sends", "what the method sends, summed up a tree of the nodes and back down"}};
      continue;
    }
    const Table defaults;
    OptionReader reader(defaults, "", "");
    Table resolved;
    const std::unique_ptr<RowUpdate> update = entry.read(reader, resolved)();
    item.equations.assign(update->equations().begin(), update->equations().end());
    item.facts = facts_of(*update);
  }
  return items;
}

/// Sizes are those of single precision.
std::vector<Fact> facts_of(const Asynchronous& method) {
  return {{"paper", std::string{Asynchronous::paper}},
          {"reads", reads_of(method)},
          {"updates", updates_of(method)},
          {"keeps",
           "x, and u where m > 0: 4 bytes a coordinate each, shared; every core x as it has read "
           "it, and g: 8 bytes a coordinate"},
          {"engine", "threads or delays"}};
}

/// Methods of nodes that exchange, then those of cores that share memory.
std::vector<Item> all_method_items() {
  std::vector<Item> items = method_items();
  for (const Entry<Asynchronous>& entry : asynchronous_methods()) {
    Item& item = items.emplace_back(Item{entry.name, entry.summary, {}, {}, entry.options()});
    const Table defaults;
    OptionReader reader(defaults, "", "");
    Table resolved;
    item.equations.assign(std::begin(Asynchronous::equations), std::end(Asynchronous::equations));
    item.facts = facts_of(entry.read(reader, resolved));
  }
  return items;
}

std::vector<Item> image_set_items() {
  std::vector<Item> items;
  for (const ImageSetEntry& entry : image_sets())
    items.push_back({entry.name, entry.summary, {}, {}, {}});
  return items;
}

constexpr std::array<Family, 9> all{{
    {"methods", "method.name", all_method_items},
    {"schedules", "method.schedule", [] { return items_of(schedules()); }},
    {"graphs", "network.graph", [] { return items_of(graphs()); }},
    {"weights", "network.weights", [] { return items_of(weights_rules()); }},
    {"links", "network.links", [] { return items_of(links_rules()); }},
    {"problems", "problem.name", [] { return items_of(problems()); }},
    {"datasets", "problem.dataset", image_set_items},
    {"partitions", "problem.partition", [] { return items_of(partitions()); }},
    {"delays", "engine.delay", [] { return items_of(delay_rules()); }},
}};

}  // namespace

std::span<const Family> families() { return all; }

}  // namespace starling
