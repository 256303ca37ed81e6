/// Options, listed once and used everywhere.
///
/// A struct lists its options in one static function:
///
///     struct ErdosRenyi {
///       double probability = 0.3;
///       static void options(auto& self, auto&& option) {
///         option("probability", self.probability, fraction, "chance of each edge");
///       }
///     };
///
/// From that list come reading with range errors (`read_options`), the record of a run
/// (`write_options`) and help (`describe_options`). Options are float, double, std::int64_t, bool,
/// std::string (with the words allowed), lists of numbers, and lists of such lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/base/value.hpp"

namespace starling {

/// One line of help about an option.
struct OptionInfo {
  std::string name, type, initial, range, help;
};

/// Reads options from a table, remembering which keys were asked for.
class OptionReader {
 public:
  /// `file` and `path` (say "network.graph") name the table in errors; `table` must outlive this.
  OptionReader(const Table& table, std::string file, std::string path);

  /// Takes the option's value if the table has it. Throws UserError on a wrong type or range.
  void operator()(std::string_view name, float& value, const Range& range, std::string_view help);
  void operator()(std::string_view name, double& value, const Range& range, std::string_view help);
  void operator()(std::string_view name, std::int64_t& value, const Range& range,
                  std::string_view help);
  void operator()(std::string_view name, bool& value, std::string_view help);
  void operator()(std::string_view name, std::string& value, const Words& words,
                  std::string_view help);
  void operator()(std::string_view name, std::vector<double>& value, const Range& range,
                  std::string_view help);
  void operator()(std::string_view name, std::vector<std::vector<double>>& value,
                  const Range& range, std::string_view help);

  /// The value of a key that is no plain option (a choice, a table), or null.
  const Value* take(std::string_view name);

  /// Throws UserError if the table holds a key that nobody asked for, with the nearest known one.
  void finish() const;

  /// An error about a value of this table: "FILE:LINE: PATH.NAME: TEXT".
  UserError error(std::string_view name, const std::string& text) const;

  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }

 private:
  const Table& table_;
  std::string file_, path_;
  std::vector<std::string> known_;
};

/// Writes options into a table (the resolved experiment).
class OptionWriter {
 public:
  explicit OptionWriter(Table& table) : table_(table) {}
  template <class T, class... Rest>
  void operator()(std::string_view name, const T& value, const Rest&...) {
    table_.set(name, Value::of(value));
  }

 private:
  Table& table_;
};

/// Lists options with their initial values (help).
class OptionLister {
 public:
  explicit OptionLister(std::vector<OptionInfo>& list) : list_(list) {}
  template <class T>
  void operator()(std::string_view name, const T& value, const Range& range,
                  std::string_view help) {
    add(name, Value::of(value), std::is_same_v<T, std::int64_t>, range, help);
  }
  void operator()(std::string_view name, const bool& value, std::string_view help);
  void operator()(std::string_view name, const std::string& value, const Words& words,
                  std::string_view help);

 private:
  void add(std::string_view name, const Value& value, bool whole, const Range& range,
           std::string_view help);
  std::vector<OptionInfo>& list_;
};

/// Reads the options of `object`; the caller calls `reader.finish()` when it has read all it knows.
template <class T>
void read_options(OptionReader& reader, T& object) {
  T::options(object, reader);
}

/// Adds the options of `object` to `table`.
template <class T>
void write_options(const T& object, Table& table) {
  OptionWriter writer(table);
  T::options(object, writer);
}

/// The options of T, with the values of a T just made.
template <class T>
std::vector<OptionInfo> describe_options() {
  std::vector<OptionInfo> list;
  OptionLister lister(list);
  const T object{};
  T::options(object, lister);
  return list;
}

/// "(0, 1]", "> 0", ">= 1", "any number".
std::string to_string(const Range& range);

/// The candidate with the fewest edits from `word`, or "" if none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// " (did you mean \"ring\"?)", or " (allowed: a, b, c)" where no candidate is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace starling
