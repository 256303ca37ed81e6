/// `starling list`: what there is to choose from.

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "starling/base/error.hpp"
#include "starling/cli/commands.hpp"
#include "starling/cli/items.hpp"

namespace starling {
namespace {

void print_all(const std::vector<Item>& items) {
  for (const Item& item : items) fmt::print("  {:<22} {}\n", item.name, item.summary);
}

std::string range_of(const OptionInfo& option) {
  return option.range.empty() ? "" : fmt::format("; {}", option.range);
}

void print_options(const std::vector<OptionInfo>& options) {
  std::size_t width = 0;
  for (const OptionInfo& option : options) width = std::max(width, option.name.size());
  for (const OptionInfo& option : options) {
    fmt::print("  {:<{}}  {}\n", option.name, width, option.help);
    fmt::print("  {:<{}}  {}, default {}{}\n", "", width, option.type, option.initial,
               range_of(option));
  }
}

void print_one(const Item& item) {
  fmt::print("{}: {}\n", item.name, item.summary);
  if (!item.equations.empty()) fmt::print("\n");
  for (const std::string_view line : item.equations) fmt::print("    {}\n", line);
  if (!item.facts.empty()) fmt::print("\n");
  for (const Fact& fact : item.facts) fmt::print("  {:<8} {}\n", fact.name, fact.text);
  if (!item.options.empty()) fmt::print("\nOptions\n");
  print_options(item.options);
}

/// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void print_markdown_item(const Item& item) {
  fmt::print("\n### `{}`\n\n{}\n", item.name, item.summary);
  if (!item.equations.empty()) {
    fmt::print("\n");
    for (const std::string_view line : item.equations) fmt::print("    {}\n", line);
  }
  if (!item.facts.empty()) fmt::print("\n");
  for (const Fact& fact : item.facts) fmt::print("- {}: {}\n", fact.name, fact.text);
  if (item.options.empty()) return;
  fmt::print("\n| option | meaning | type | default | allowed |\n|---|---|---|---|---|\n");
  for (const OptionInfo& option : item.options)
    fmt::print("| `{}` | {} | {} | {} | {} |\n", option.name, cell(option.help), option.type,
               cell(option.initial), cell(option.range));
}

void print_markdown() {
  fmt::print(
      "# Reference\n\n"
      "Everything that an experiment can name. This page is what `starling list --markdown` "
      "prints.\n");
  for (const Family& family : families()) {
    fmt::print("\n## {}\n\nFor the key `{}`.\n", family.name, family.about);
    for (const Item& item : family.items()) print_markdown_item(item);
  }
}

struct Arguments {
  std::string family, name;
  bool markdown = false;
};

void list_one(const Family& family, const std::string& name) {
  const std::vector<Item> items = family.items();
  std::vector<std::string_view> names;
  for (const Item& item : items) {
    names.push_back(item.name);
    if (item.name == name) return print_one(item);
  }
  throw UserError{
      fmt::format("list {}: \"{}\" is unknown{}", family.name, name, suggestion(name, names))};
}

int list(const Arguments& arguments) {
  if (arguments.markdown) {
    print_markdown();
    return success;
  }
  for (const Family& family : families()) {
    if (!arguments.family.empty() && family.name != arguments.family) continue;
    if (!arguments.name.empty()) {
      list_one(family, arguments.name);
      continue;
    }
    fmt::print("{} ({})\n", family.name, family.about);
    print_all(family.items());
  }
  return success;
}

}  // namespace

Command list_command(CLI::App& program) {
  auto* app = program.add_subcommand("list", "List methods, graphs, problems, ... and options");
  auto arguments = std::make_shared<Arguments>();
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.name);
  app->add_option("family", arguments->family, "What to list; everything if not given")
      ->check(CLI::IsMember(names));
  app->add_option("name", arguments->name, "One of them, with its options");
  app->add_flag("--markdown", arguments->markdown, "Print all of it as the page docs/reference.md");
  app->footer(
      "Example:\n"
      "  starling list methods\n"
      "  starling list methods amsgrad");
  return {app, [arguments] { return list(*arguments); }};
}

}  // namespace starling
