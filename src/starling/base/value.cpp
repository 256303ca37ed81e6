#include "starling/base/value.hpp"

#include <cmath>

#include <fmt/format.h>

namespace starling {

const Value* Table::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name == key) return &value;
  return nullptr;
}

Value* Table::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

void Table::set(std::string_view key, Value value) {
  if (Value* known = find(key))
    *known = std::move(value);
  else
    entries.emplace_back(key, std::move(value));
}

Value Value::of(bool value) { return {.data = value}; }
Value Value::of(std::int64_t value) { return {.data = value}; }
Value Value::of(double value) { return {.data = value}; }
Value Value::of(float value) { return {.data = double{value}, .is_single = true}; }
Value Value::of(const std::string& value) { return {.data = value}; }

Value Value::of(const std::vector<double>& values) {
  List list;
  for (const double value : values) list.push_back(of(value));
  return {.data = std::move(list)};
}

Value Value::of(const std::vector<std::vector<double>>& values) {
  List list;
  for (const auto& row : values) list.push_back(of(row));
  return {.data = std::move(list)};
}

std::string_view kind_of(const Value& value) {
  constexpr std::string_view kinds[] = {"true/false", "whole number", "number",
                                        "text",       "list",         "table"};
  return kinds[value.data.index()];
}

namespace {

/// TOML tells whole numbers from others by the point or exponent.
std::string number_to_toml(double value, bool is_single) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text =
      is_single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string text_to_toml(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

struct ToToml {
  bool is_single;

  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return number_to_toml(value, is_single); }
  std::string operator()(const std::string& value) const { return text_to_toml(value); }
  std::string operator()(const List& list) const {
    std::string text;
    for (const Value& item : list) text += (text.empty() ? "" : ", ") + to_toml(item);
    return "[" + text + "]";
  }
  std::string operator()(const Table& table) const {
    std::string text;
    for (const auto& [key, value] : table.entries)
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, to_toml(value));
    return text.empty() ? "{}" : "{ " + text + " }";
  }
};

}  // namespace

std::string to_toml(const Value& value) { return std::visit(ToToml{value.is_single}, value.data); }

}  // namespace starling
