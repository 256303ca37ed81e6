/// A value of an experiment file, free of the library that read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "starling/base/error.hpp"

namespace starling {

struct Value;
using List = std::vector<Value>;

/// Keys and values in the order in which they were written.
struct Table {
  std::vector<std::pair<std::string, Value>> entries;

  const Value* find(std::string_view key) const;  ///< null where there is no such key
  Value* find(std::string_view key);
  void set(std::string_view key, Value value);  ///< replaces, or appends
};

/// The `line` of a value that was given on the command line.
inline constexpr int command_line = -1;

struct Value {
  std::variant<bool, std::int64_t, double, std::string, List, Table> data;
  int line = 0;            ///< line in the file, command_line, or 0 where it is neither
  bool is_single = false;  ///< a number that began as a float: written with a float's digits

  static Value of(bool value);
  static Value of(std::int64_t value);
  static Value of(double value);
  static Value of(float value);
  static Value of(const std::string& value);
  static Value of(const std::vector<double>& values);
  static Value of(const std::vector<std::vector<double>>& values);

  const Table* table() const { return std::get_if<Table>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
};

/// What kind of value it is, for error messages: "text", "whole number", ...
std::string_view kind_of(const Value& value);

/// The value as TOML writes it, on one line.
std::string to_toml(const Value& value);

}  // namespace starling
