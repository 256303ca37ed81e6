#include "starling/experiment/toml.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace starling {
namespace {

Value convert(const toml::node& node, const std::string& file);

Table convert_table(const toml::table& source, const std::string& file) {
  Table table;
  for (const auto& [key, node] : source) table.set(key.str(), convert(node, file));
  // The library sorts by key; errors should come in the order of the lines.
  std::ranges::stable_sort(table.entries, {}, [](const auto& entry) { return entry.second.line; });
  return table;
}

Value convert(const toml::node& node, const std::string& file) {
  Value value{.line = static_cast<int>(node.source().begin.line)};
  if (const auto* boolean = node.as_boolean()) {
    value.data = boolean->get();
  } else if (const auto* whole = node.as_integer()) {
    value.data = whole->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.data = number->get();
  } else if (const auto* text = node.as_string()) {
    value.data = text->get();
  } else if (const auto* array = node.as_array()) {
    List list;
    for (const toml::node& item : *array) list.push_back(convert(item, file));
    value.data = std::move(list);
  } else if (const auto* table = node.as_table()) {
    value.data = convert_table(*table, file);
  } else {
    throw UserError{fmt::format("{}:{}: dates and times have no use here", file, value.line)};
  }
  return value;
}

/// Marks everything in a value as coming from the command line.
void mark_as_typed(Value& value) {
  value.line = command_line;
  if (auto* list = std::get_if<List>(&value.data))
    for (Value& item : *list) mark_as_typed(item);
  if (auto* table = std::get_if<Table>(&value.data))
    for (auto& [key, item] : table->entries) mark_as_typed(item);
}

bool is_list_of_tables(const Value& value) {
  return value.list() && !value.list()->empty() && value.list()->front().table();
}

/// `key` is the whole key, for errors; `path` what is left of it below `table`.
void set_at(Table& table, std::string_view key, std::string_view path, const Value& value) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return table.set(path, value);
  const std::string_view head = path.substr(0, dot), rest = path.substr(dot + 1);
  Value* inner = table.find(head);
  if (!inner) {
    table.set(head, Value{.data = Table{}, .line = command_line});
    inner = table.find(head);
  }
  if (auto* one = std::get_if<Table>(&inner->data)) {
    set_at(*one, key, rest, value);
  } else if (is_list_of_tables(*inner)) {
    for (Value& item : std::get<List>(inner->data))
      if (auto* each = std::get_if<Table>(&item.data)) set_at(*each, key, rest, value);
  } else if (inner->text()) {
    // graph = "ring" is short for graph = { name = "ring" }, partition = "iid" for { by = "iid" }
    Table choice;
    choice.set(head == "partition" ? "by" : "name", *inner);
    set_at(choice, key, rest, value);
    *inner = Value{.data = std::move(choice), .line = command_line};
  } else {
    throw UserError{
        fmt::format("--set {}: \"{}\" holds a {}, not a table", key, head, kind_of(*inner))};
  }
}

}  // namespace

Table read_toml(const std::filesystem::path& path) {
  const std::string file = path.string();
  if (!std::filesystem::is_regular_file(path))
    throw UserError{
        fmt::format("{}: {}", file, std::filesystem::exists(path) ? "is no file" : "no such file")};
  try {
    return convert_table(toml::parse_file(file), file);
  } catch (const toml::parse_error& error) {
    throw UserError{fmt::format("{}:{}: no valid TOML: {}", file, error.source().begin.line,
                                error.description())};
  }
}

Value parse_toml_value(const std::string& text) {
  Value value;
  try {
    value = convert(*toml::parse("value = " + text).get("value"), "--set");
  } catch (const toml::parse_error&) {
    value = Value::of(text);
  }
  mark_as_typed(value);
  return value;
}

void override_value(Table& table, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UserError{
        fmt::format("--set {}: must be KEY=VALUE, say --set method.step=1e-3", assignment)};
  const std::string key = assignment.substr(0, equals);
  set_at(table, key, key, parse_toml_value(assignment.substr(equals + 1)));
}

std::string to_toml_document(const Table& table) {
  const auto lines = [](const Table& section) {
    std::string text;
    for (const auto& [key, value] : section.entries)
      text += fmt::format("{} = {}\n", key, to_toml(value));
    return text;
  };
  Table plain;
  std::string sections;
  for (const auto& [key, value] : table.entries) {
    if (value.table())
      sections += fmt::format("\n[{}]\n{}", key, lines(*value.table()));
    else if (is_list_of_tables(value))
      for (const Value& item : *value.list())
        sections += fmt::format("\n[[{}]]\n{}", key, lines(*item.table()));
    else
      plain.set(key, value);
  }
  return lines(plain) + sections;
}

}  // namespace starling
