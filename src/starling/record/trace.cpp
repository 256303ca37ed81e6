#include "starling/record/trace.hpp"

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

constexpr std::string_view first_columns = "core,block,sample,seconds";

/// One line, taken apart at its commas.
class Cells {
 public:
  Cells(std::string place, std::string_view line) : place_(std::move(place)), rest_(line) {}

  bool empty() const { return rest_.empty(); }

  std::string_view next() {
    const std::size_t comma = rest_.find(',');
    const std::string_view cell = rest_.substr(0, comma);
    rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
    return cell;
  }

  /// The next cell as a finite number >= 0.
  template <class Number>
  Number number(std::string_view column) {
    const std::string_view cell = next();
    Number value{};
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || end != cell.data() + cell.size() || !(value >= 0) ||
        !(value - value == 0))
      throw fail(fmt::format("{} = \"{}\": must be a number >= 0", column, cell));
    return value;
  }

  UserError fail(const std::string& text) const { return UserError{place_ + ": " + text}; }

 private:
  std::string place_;
  std::string_view rest_;
};

void read_update(Cells cells, Trace& trace) {
  Trace::Update update{};
  update.core = cells.number<Node>("core");
  cells.next();  // the block follows from the core
  update.sample = cells.number<Round>("sample");
  update.seconds = cells.number<double>("seconds");
  for (std::size_t b = 0; b < trace.blocks; ++b) {
    const Round delay = cells.number<Round>(fmt::format("delay_{}", b));
    if (delay > trace.updates.size())
      throw cells.fail(fmt::format("delay_{} = {}: there are only {} updates before", b, delay,
                                   trace.updates.size()));
    trace.delays.push_back(delay);
  }
  if (!cells.empty()) throw cells.fail("more cells than columns");
  trace.updates.push_back(update);
}

}  // namespace

void write_trace(const Trace& trace, bool partitioned, const Sink& sink) {
  std::string text{first_columns};
  for (std::size_t b = 0; b < trace.blocks; ++b) text += fmt::format(",delay_{}", b);
  for (std::size_t k = 0; k < trace.updates.size(); ++k) {
    const Trace::Update& update = trace.updates[k];
    text += fmt::format("\n{},{},{},{:.9f}", update.core,
                        partitioned ? fmt::format("{}", update.core) : "all", update.sample,
                        update.seconds);
    for (std::size_t b = 0; b < trace.blocks; ++b)
      text += fmt::format(",{}", trace.delays_of(k)[b]);
    if (text.size() > 1 << 16) {
      sink(text);
      text.clear();
    }
  }
  sink(text + "\n");
}

Trace read_trace(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw UserError{fmt::format("{}: cannot be read", path.string())};
  std::string line;
  std::getline(file, line);
  Trace trace{.blocks = 0};
  std::string_view columns = line;
  const bool begins = columns.starts_with(first_columns);
  if (begins) columns.remove_prefix(first_columns.size());
  while (columns.starts_with(fmt::format(",delay_{}", trace.blocks)))
    columns.remove_prefix(fmt::format(",delay_{}", trace.blocks++).size());
  if (!begins || trace.blocks == 0 || !columns.empty())
    throw UserError{fmt::format("{}:1: must be the header of a trace: {},delay_0,...",
                                path.string(), first_columns)};
  for (std::size_t number = 2; std::getline(file, line); ++number)
    read_update(Cells(fmt::format("{}:{}", path.string(), number), line), trace);
  return trace;
}

}  // namespace starling
