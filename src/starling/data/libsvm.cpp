#include "starling/data/libsvm.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/data/file_bytes.hpp"

namespace starling {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Takes the next word off the front of a line; empty at its end.
std::string_view take_word(std::string_view& line) {
  std::size_t first = 0;
  while (first < line.size() && is_blank(line[first])) ++first;
  std::size_t end = first;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const std::string_view word = line.substr(first, end - first);
  line.remove_prefix(end);
  return word;
}

/// Whether all of `text` is a number. A leading plus, common in labels, is not for from_chars.
template <class Number>
bool parse(std::string_view text, Number& number) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  return status == std::errc() && rest == end;
}

/// A word as errors quote it: the start is enough where the file is no text at all.
std::string quoted(std::string_view word) { return fmt::format("\"{}\"", word.substr(0, 40)); }

class LibsvmReader {
 public:
  LibsvmReader(const std::filesystem::path& path, std::size_t features)
      : file_(path.string()), features_(features), bytes_(read_bytes(path)) {}

  LibsvmReader(const std::filesystem::path& path, const SparseRows& other)
      : LibsvmReader(path, other.features) {
    distinct_ = 2;
    seen_ = other.label_values;
  }

  SparseRows read() {
    const auto pairs = static_cast<std::size_t>(std::count(bytes_.begin(), bytes_.end(), ':'));
    rows_.columns.reserve(pairs);
    rows_.values.reserve(pairs);
    std::string_view rest(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    while (!rest.empty()) {
      ++line_;
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      read_line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    settle_features();
    settle_labels();
    return std::move(rows_);
  }

 private:
  [[noreturn]] void fail(const std::string& text) const {
    throw UserError(fmt::format("{}:{}: {}", file_, line_, text));
  }

  void read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::string_view label = take_word(line);
    if (label.empty()) return;
    read_label(label);
    std::uint32_t index = 0;
    for (auto word = take_word(line); !word.empty(); word = take_word(line))
      index = read_pair(word, index);
    rows_.offsets.push_back(rows_.columns.size());
  }

  /// Stores which of the two labels it is; their signs are known at the end of the file.
  void read_label(std::string_view word) {
    double label = 0;
    if (!parse(word, label) || !std::isfinite(label))
      fail(fmt::format("label {}: must be a number", quoted(word)));
    std::size_t which = 0;
    while (which < distinct_ && seen_[which] != label) ++which;
    if (which == seen_.size())
      fail(fmt::format("label {}: must be {} or {}, as the others", quoted(word), seen_[0],
                       seen_[1]));
    if (which == distinct_) seen_[distinct_++] = label;
    rows_.labels.push_back(static_cast<float>(which));
  }

  /// Stores one pair and returns its index.
  std::uint32_t read_pair(std::string_view word, std::uint32_t before) {
    const std::size_t colon = word.find(':');
    std::uint32_t index = 0;
    double value = 0;
    if (colon == word.npos || !parse(word.substr(0, colon), index) || index <= before ||
        !parse(word.substr(colon + 1), value))
      fail(fmt::format("{}: must be index:value with index >= 1 and larger than the one before",
                       quoted(word)));
    if (!(std::abs(value) <= std::numeric_limits<float>::max()))
      fail(fmt::format("{}: the value must be finite", quoted(word)));
    if (features_ != 0 && index > features_)
      fail(fmt::format("{}: index {}, must be at most {}, the number of features", quoted(word),
                       index, features_));
    largest_ = std::max(largest_, index);
    rows_.columns.push_back(index - 1);
    rows_.values.push_back(static_cast<float>(value));
    return index;
  }

  void settle_features() {
    if (rows_.labels.empty()) throw UserError(fmt::format("{}: holds no rows", file_));
    rows_.features = features_ != 0 ? features_ : largest_;
    if (rows_.features == 0) throw UserError(fmt::format("{}: names no feature", file_));
  }

  void settle_labels() {
    if (distinct_ == 1 && std::abs(seen_[0]) != 1)
      throw UserError(
          fmt::format("{}: every label is {}, must be two different labels, or only +1 or only -1",
                      file_, seen_[0]));
    const bool first_is_low = distinct_ == 1 ? seen_[0] < 0 : seen_[0] < seen_[1];
    const float first = first_is_low ? -1.0f : 1.0f;
    if (distinct_ == 2)
      rows_.label_values = {std::min(seen_[0], seen_[1]), std::max(seen_[0], seen_[1])};
    for (float& label : rows_.labels) label = label == 0 ? first : -first;
  }

  std::string file_;
  std::size_t features_;
  std::vector<std::uint8_t> bytes_;
  std::size_t line_ = 0, distinct_ = 0;
  std::array<double, 2> seen_{};
  std::uint32_t largest_ = 0;
  SparseRows rows_;
};

}  // namespace

SparseRows read_libsvm(const std::filesystem::path& path, std::size_t features) {
  return LibsvmReader(path, features).read();
}

SparseRows read_libsvm_like(const SparseRows& other, const std::filesystem::path& path) {
  return LibsvmReader(path, other).read();
}

}  // namespace starling
