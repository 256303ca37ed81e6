/// Everything that an experiment can name, described from the catalogue: for the terminal and for
/// the reference page alike.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "starling/base/options.hpp"

namespace starling {

struct Fact {
  std::string_view name;
  std::string text;
};

struct Item {
  std::string_view name, summary;
  std::vector<std::string_view> equations;
  std::vector<Fact> facts;
  std::vector<OptionInfo> options;
};

struct Family {
  std::string_view name;
  std::string_view about;  ///< which key takes it
  std::vector<Item> (*items)();
};

std::span<const Family> families();

}  // namespace starling
