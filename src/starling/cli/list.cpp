/// `starling list`: what there is to choose from.

#include <array>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "starling/cli/commands.hpp"
#include "starling/cli/text_table.hpp"
#include "starling/data/image_sets.hpp"
#include "starling/experiment/catalogue.hpp"

namespace starling {
namespace {

/// A row of any of the catalogue's tables.
struct Item {
  std::string_view name, summary;
  std::vector<OptionInfo> options;
};

template <class Rule>
std::vector<Item> items_of(std::span<const Entry<Rule>> entries) {
  std::vector<Item> items;
  for (const Entry<Rule>& entry : entries)
    items.push_back({entry.name, entry.summary, entry.options()});
  return items;
}

std::vector<Item> image_set_items() {
  std::vector<Item> items;
  for (const ImageSetEntry& entry : image_sets()) items.push_back({entry.name, entry.summary, {}});
  return items;
}

struct Family {
  std::string_view name;
  std::vector<Item> (*items)();
};

constexpr std::array<Family, 7> families{{
    {"methods", [] { return items_of(methods()); }},
    {"graphs", [] { return items_of(graphs()); }},
    {"weights", [] { return items_of(weights_rules()); }},
    {"problems", [] { return items_of(problems()); }},
    {"datasets", image_set_items},
    {"partitions", [] { return items_of(partitions()); }},
    {"schedules", [] { return items_of(schedules()); }},
}};

void print_all(const std::vector<Item>& items) {
  for (const Item& item : items) fmt::print("  {:<22} {}\n", item.name, item.summary);
}

void print_one(const Item& item) {
  fmt::print("{}: {}\n", item.name, item.summary);
  if (item.options.empty()) return;
  fmt::print("\n");
  std::size_t width = 0;
  for (const OptionInfo& option : item.options) width = std::max(width, option.name.size());
  for (const OptionInfo& option : item.options) {
    fmt::print("  {:<{}}  {}\n", option.name, width, option.help);
    fmt::print("  {:<{}}  {}, default {}{}\n", "", width, option.type, option.initial,
               option.range.empty() ? "" : "; " + option.range);
  }
}

struct Arguments {
  std::string family, name;
};

int list(const Arguments& arguments) {
  for (const Family& family : families) {
    if (!arguments.family.empty() && family.name != arguments.family) continue;
    const std::vector<Item> items = family.items();
    if (arguments.name.empty()) {
      fmt::print("{}\n", family.name);
      print_all(items);
      continue;
    }
    std::vector<std::string_view> names;
    for (const Item& item : items) {
      names.push_back(item.name);
      if (item.name == arguments.name) {
        print_one(item);
        return success;
      }
    }
    throw UserError{fmt::format("list {}: \"{}\" is unknown{}", family.name, arguments.name,
                                suggestion(arguments.name, names))};
  }
  return success;
}

}  // namespace

Command list_command(CLI::App& program) {
  auto* app = program.add_subcommand("list", "List methods, graphs, problems, ... and options");
  auto arguments = std::make_shared<Arguments>();
  std::vector<std::string> names;
  for (const Family& family : families) names.emplace_back(family.name);
  app->add_option("family", arguments->family, "What to list; everything if not given")
      ->check(CLI::IsMember(names));
  app->add_option("name", arguments->name, "One of them, with its options");
  app->footer(
      "Example:\n"
      "  starling list methods\n"
      "  starling list methods amsgrad");
  return {app, [arguments] { return list(*arguments); }};
}

}  // namespace starling
