#include "starling/base/options.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace starling {

OptionReader::OptionReader(const Table& table, std::string file, std::string path)
    : table_(table), file_(std::move(file)), path_(std::move(path)) {}

const Value* OptionReader::take(std::string_view name) {
  if (std::ranges::find(known_, name) == known_.end()) known_.emplace_back(name);
  return table_.find(name);
}

namespace {

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string{name} : fmt::format("{}.{}", path, name);
}

std::string placed(const std::string& file, const Value* value) {
  if (value && value->line == command_line) return "--set: ";
  if (file.empty()) return "";
  return value && value->line ? fmt::format("{}:{}: ", file, value->line) : file + ": ";
}

/// The value as a number, whole or not; nothing for other kinds.
const double* as_number(const Value& value, double& storage) {
  if (const auto* number = std::get_if<double>(&value.data)) return number;
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) {
    storage = static_cast<double>(*whole);
    return &storage;
  }
  return nullptr;
}

}  // namespace

UserError OptionReader::error(std::string_view name, const std::string& text) const {
  return UserError{placed(file_, table_.find(name)) + joined(path_, name) + text};
}

void OptionReader::operator()(std::string_view name, double& value, const Range& range,
                              std::string_view) {
  const Value* found = take(name);
  if (!found) return;
  double storage = 0;
  const double* number = as_number(*found, storage);
  if (!number)
    throw error(name,
                fmt::format(" = {}: must be a number, not {}", to_toml(*found), kind_of(*found)));
  if (!range.contains(*number))
    throw error(name, fmt::format(" = {}: must be {}", to_toml(*found), to_string(range)));
  value = *number;
}

void OptionReader::operator()(std::string_view name, float& value, const Range& range,
                              std::string_view help) {
  double number = value;
  (*this)(name, number, range, help);
  value = static_cast<float>(number);
  // 0.99999999999 lies in [0, 1), but the nearest float is 1.
  if (table_.find(name) && !range.contains(value))
    throw error(name, fmt::format(" = {}: must be {}, in single precision too",
                                  to_toml(*table_.find(name)), to_string(range)));
}

void OptionReader::operator()(std::string_view name, std::int64_t& value, const Range& range,
                              std::string_view) {
  const Value* found = take(name);
  if (!found) return;
  const auto* whole = std::get_if<std::int64_t>(&found->data);
  if (!whole)
    throw error(name, fmt::format(" = {}: must be a whole number, not {}", to_toml(*found),
                                  kind_of(*found)));
  if (!range.contains(static_cast<double>(*whole)))
    throw error(name, fmt::format(" = {}: must be {}", *whole, to_string(range)));
  value = *whole;
}

void OptionReader::operator()(std::string_view name, bool& value, std::string_view) {
  const Value* found = take(name);
  if (!found) return;
  const auto* answer = std::get_if<bool>(&found->data);
  if (!answer)
    throw error(name, fmt::format(" = {}: must be true or false, not {}", to_toml(*found),
                                  kind_of(*found)));
  value = *answer;
}

void OptionReader::operator()(std::string_view name, std::string& value, const Words& words,
                              std::string_view) {
  const Value* found = take(name);
  if (!found) return;
  const std::string* text = found->text();
  if (!text)
    throw error(name, fmt::format(" = {}: must be text, not {}", to_toml(*found), kind_of(*found)));
  if (!words.empty() && std::ranges::find(words, *text) == words.end())
    throw error(name, fmt::format(" = {}: unknown{}", to_toml(*found), suggestion(*text, words)));
  value = *text;
}

void OptionReader::operator()(std::string_view name, std::vector<double>& value, const Range& range,
                              std::string_view) {
  const Value* found = take(name);
  if (!found) return;
  std::vector<double> numbers;
  // One number stands for a list of one.
  const List single{*found};
  for (const Value& item : found->list() ? *found->list() : single) {
    double storage = 0;
    const double* number = as_number(item, storage);
    if (!number)
      throw error(name, fmt::format(": {} must be a number, not {}", to_toml(item), kind_of(item)));
    if (!range.contains(*number))
      throw error(name, fmt::format(": {} must be {}", to_toml(item), to_string(range)));
    numbers.push_back(*number);
  }
  value = std::move(numbers);
}

void OptionReader::operator()(std::string_view name, std::vector<std::vector<double>>& value,
                              const Range& range, std::string_view help) {
  const Value* found = take(name);
  if (!found) return;
  if (!found->list())
    throw error(name, fmt::format(" = {}: must be a list of lists of numbers, not {}",
                                  to_toml(*found), kind_of(*found)));
  std::vector<std::vector<double>> rows;
  for (const Value& item : *found->list()) {
    Table row_table{{{std::string{name}, item}}};
    OptionReader row_reader(row_table, file_, path_);
    row_reader(name, rows.emplace_back(), range, help);
  }
  value = std::move(rows);
}

void OptionReader::finish() const {
  for (const auto& [key, value] : table_.entries) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    throw error(key, ": unknown key" + suggestion(key, {known_.begin(), known_.end()}));
  }
}

void OptionLister::operator()(std::string_view name, const bool& value, std::string_view help) {
  list_.push_back(
      {std::string{name}, "true/false", value ? "true" : "false", "", std::string{help}});
}

void OptionLister::operator()(std::string_view name, const std::string& value, const Words& words,
                              std::string_view help) {
  list_.push_back({std::string{name}, "text", to_toml(Value::of(value)),
                   fmt::format("{}", fmt::join(words, ", ")), std::string{help}});
}

void OptionLister::add(std::string_view name, const Value& value, bool whole, const Range& range,
                       std::string_view help) {
  const std::string type = whole ? "whole number" : value.list() ? "list" : "number";
  list_.push_back({std::string{name}, type, to_toml(value), to_string(range), std::string{help}});
}

std::string to_string(const Range& range) {
  const bool low = range.low > -std::numeric_limits<double>::infinity();
  const bool high = range.high < std::numeric_limits<double>::infinity();
  if (low && high)
    return fmt::format("in {}{}, {}{}", range.low_open ? '(' : '[', range.low, range.high,
                       range.high_open ? ')' : ']');
  if (low) return fmt::format("{} {}", range.low_open ? ">" : ">=", range.low);
  if (high) return fmt::format("{} {}", range.high_open ? "<" : "<=", range.high);
  return "any finite number";
}

namespace {

/// Levenshtein distance.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edits(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(word, candidates);
  if (!near.empty()) return fmt::format(" (did you mean \"{}\"?)", near);
  return fmt::format(" (allowed: {})", fmt::join(candidates, ", "));
}

}  // namespace starling
