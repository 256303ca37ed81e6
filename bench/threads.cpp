/// What cores gain that share x, and what sharing costs.
///
///     bench/threads [SECTION ...] [--batch N] [--seconds S] [--repeats N] [--a9a FILE]
///
/// Sections: scaling, python, contention, access, staleness; all of them where none is named. Every
/// number is a median of --repeats (3) measurements, of three times as many where they are short,
/// made in turn with those that it is compared with, so that what else the machine does falls on
/// all of them alike. A run is measured for --seconds (1). FILE is LIBSVM's a9a, plain or gzip;
/// without it logistic regression is left out.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "python.hpp"
#include "side_by_side.hpp"
#include "starling/base/error.hpp"
#include "starling/engine/arena.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/shared_access.hpp"
#include "starling/engine/staleness.hpp"
#include "starling/engine/threads.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/robust_regression.hpp"
#ifdef STARLING_WITH_TORCH
#include "starling/problem/network.hpp"
#endif

namespace {

using namespace starling;

struct Options {
  std::vector<std::string> sections;
  std::int64_t batch = 32;
  double seconds = 1;
  int repeats = 3;
  std::string a9a;
};

// How fast a run is.

/// Counts the updates of a run between two moments when one has just landed: with any others, long
/// updates would be counted a part of one too many or too few.
class Window {
 public:
  /// Opens when the cores have warmed up and closes `seconds` later.
  Window(std::size_t cores, double seconds) : cores_(cores), seconds_(seconds) {}

  /// To be told often how many updates have landed.
  void look(Round landed) {
    if (landed == last_ || over()) return;
    const double now = seconds_now();
    if (last_ == 0) start_ = now;
    last_ = landed;
    if (first_ > 0) {
      if (now - begin_ >= seconds_) rate_ = static_cast<double>(landed - first_) / (now - begin_);
    } else if (landed >= 2 * cores_ && now - start_ >= warm_up) {
      first_ = landed;
      begin_ = now;
    }
  }

  bool over() const { return rate_ > 0; }

  /// Updates per second, of all cores together.
  double rate() const { return rate_; }

 private:
  static constexpr double warm_up = 0.1;

  static double seconds_now() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
  }

  std::size_t cores_;
  double seconds_;
  Round last_ = 0, first_ = 0;
  double start_ = 0, begin_ = 0, rate_ = 0;
};

struct Preset {
  std::string name;
  Asynchronous method;
};

/// What is run, on how many cores.
struct Setting {
  Asynchronous method;
  std::size_t cores;
};

/// Of a run, which ends when the window closes. Throws RunError where it diverges.
double updates_per_second(const Setting& setting, Problem& problem, double seconds) {
  ThreadsPlan plan;
  plan.method = setting.method;
  plan.cores = setting.cores;
  plan.blocks = blocks_for(setting.method, problem, setting.cores);
  plan.step_size = [](Node, Round) { return 1e-3; };
  plan.updates = std::numeric_limits<Round>::max() / 2;
  plan.access = fast_access().value_or(strict_access());
  plan.measures.gradient_norm = false;
  plan.measures.node_accuracy = false;

  Window window(setting.cores, seconds);
  ThreadsObserver observer;
  observer.evaluated = [](const Metrics&) {};
  observer.advanced = [&](Round landed) { window.look(landed); };
  observer.stop = [&] { return window.over(); };
  const ThreadsResult result = run_threads(plan, problem, observer);
  if (result.divergence)
    throw RunError{fmt::format("diverged after {} updates", result.divergence->round)};
  return window.rate();
}

/// Updates per second of every setting.
std::vector<double> rates_in_turn(const std::vector<Setting>& settings, Problem& problem,
                                  const Options& options) {
  std::vector<std::vector<double>> samples(settings.size());
  for (int repeat = 0; repeat < options.repeats; ++repeat)
    for (std::size_t s = 0; s < settings.size(); ++s)
      samples[s].push_back(updates_per_second(settings[s], problem, options.seconds));
  std::vector<double> medians;
  for (const auto& sample : samples) medians.push_back(bench::median(sample));
  return medians;
}

// The problems.

struct NamedProblem {
  std::string name;
  std::unique_ptr<Problem> problem;
};

Partition one_share(std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
                    std::uint64_t seed) {
  return Iid{}.make(labels, classes, nodes, seed);
}

#ifdef STARLING_WITH_TORCH
NamedProblem network(const std::string& model, const Options& options) {
  NeuralNetwork rule;
  rule.model = model;
  rule.batch = options.batch;
  rule.sampling = "replacement";                   // so that every minibatch is as large
  rule.objective_samples = rule.test_samples = 1;  // nobody looks at a run's metrics
  rule.partition = one_share;
  return {model, rule.make(1, 1)};
}
#endif

NamedProblem logistic(const Options& options) {
  Logistic rule;
  rule.path = options.a9a;
  rule.batch = options.batch;
  rule.sampling = "replacement";
  rule.partition = one_share;
  return {"logistic", rule.make(1, 1)};
}

/// x fits into seven cache lines, over which the cores quarrel.
NamedProblem regression(const Options& options) {
  RobustRegression rule;
  rule.dimension = 100;
  rule.samples = 100 * options.batch;
  rule.batch = options.batch;
  return {"robust-regression", rule.make(1, 1)};
}

/// A problem whose subgradients cost nothing: what is left is reading x and updating it.
class NoWork final : public Problem {
 public:
  explicit NoWork(std::size_t dimension) : dimension_(dimension) {}
  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override { return dimension_; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 1.0f); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "none"; }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Nothing>(); }

 private:
  struct Nothing final : Oracle {
    float subgradient(Node, Round, std::span<const float>, std::span<float> g) override {
      if (!filled) std::ranges::fill(g, 1e-3f);
      filled = true;
      return 0;
    }
    double objective(Node, std::span<const float>, std::span<float>) override { return 0; }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }
    bool filled = false;  ///< a core hands over the same g every time
  };
  std::size_t dimension_;
};

// The sections.

/// The rows of one problem.
void compare_cores(const NamedProblem& named, const Options& options) {
  const std::vector<Preset> presets{{"hogwild", Hogwild{}},
                                    {"assm", Assm{}},
                                    {"assm-consistent", AssmConsistent{}},
                                    {"passm", Passm{}}};
  std::vector<Setting> settings{{Sgd{}, 1}};
  for (const Preset& preset : presets) {
    settings.push_back({preset.method, 1});
    settings.push_back({preset.method, 2});
  }
  std::vector<double> rates = rates_in_turn(settings, *named.problem, options);
  for (double& rate : rates) rate *= static_cast<double>(options.batch);
  fmt::print("{:<18} {:<16} {:>11.0f} {:>11} {:>11} {:>11}\n", named.name, "sgd", rates[0], "-",
             "-", "-");
  for (std::size_t p = 0; p < presets.size(); ++p) {
    const double one = rates[1 + 2 * p], two = rates[2 + 2 * p];
    fmt::print("{:<18} {:<16} {:>11.0f} {:>11.0f} {:>11.2f} {:>11.2f}\n", named.name,
               presets[p].name, one, two, two / one, two / rates[0]);
  }
}

/// Samples are those of the minibatches that all cores together went through. Under passm a core
/// uses them for its own block alone, on one core for all of x.
void measure_scaling(const Options& options) {
  fmt::print(
      "\nSamples per second, minibatches of {}; asked: 2 over 1 at least 1.8 for hogwild and "
      "passm with cnn\n",
      options.batch);
  fmt::print("{:<18} {:<16} {:>11} {:>11} {:>11} {:>11}\n", "problem", "method", "1 core",
             "2 cores", "2 over 1", "2 over sgd");
#ifdef STARLING_WITH_TORCH
  compare_cores(network("cnn", options), options);
  compare_cores(network("mlp", options), options);
#endif
  if (!options.a9a.empty()) compare_cores(logistic(options), options);
  compare_cores(regression(options), options);
}

#ifdef STARLING_WITH_TORCH
/// How the Python program is run.
struct Manner {
  const char *name, *option, *environment;
};

/// One row: the same network in both. False where Python does not run.
bool compare_network(const std::string& model, const Manner& manner, const Options& options) {
  const NamedProblem ours = network(model, options);
  const std::string command =
      fmt::format("hogwild.py --model {} --processes 2 --batch {} --seconds {} {}", model,
                  options.batch, options.seconds, manner.option);
  const auto batch = static_cast<double>(options.batch);
  std::vector<double> our_rates, their_rates;
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    const std::optional<double> their_rate =
        bench::python_number("samples_per_second", command, manner.environment);
    if (!their_rate) return false;
    their_rates.push_back(*their_rate);
    our_rates.push_back(batch * updates_per_second({Hogwild{}, 2}, *ours.problem, options.seconds));
  }
  const double our_rate = bench::median(our_rates), their_rate = bench::median(their_rates);
  fmt::print("{:<6} {:<34} {:>11.0f} {:>11.0f} {:>11.2f}\n", model, manner.name, our_rate,
             their_rate, our_rate / their_rate);
  return true;
}

/// The same work in PyTorch's processes: as it comes, with memory kept, with weights laid out as
/// ours as well.
void compare_with_python(const Options& options) {
  const Manner plain{"as it comes", "", ""}, kept{"memory kept", "", bench::keeping_memory},
      alike{"memory kept, channels last", "--channels-last", bench::keeping_memory};
  fmt::print(
      "\nHogwild on 2 cores beside 2 processes of PyTorch, samples per second, minibatches of "
      "{}; asked: ratio at least 1.5\n",
      options.batch);
  fmt::print("{:<6} {:<34} {:>11} {:>11} {:>11}\n", "model", "PyTorch", "ours", "PyTorch", "ratio");
  if (!compare_network("cnn", plain, options)) return;
  compare_network("cnn", kept, options);
  compare_network("cnn", alike, options);
  compare_network("mlp", plain, options);
  compare_network("mlp", kept, options);
}
#else
void compare_with_python(const Options&) {
  fmt::print("\npython: left out, built without libtorch\n");
}
#endif

/// Every lock, on more cores than there may be.
void measure_contention(const Options& options) {
  const std::vector<Preset> lockings{
      {"writes free, reads free", Asynchronous{}},
      {"writes by block, reads free", Asynchronous{.write_lock = "block"}},
      {"writes whole, reads free", Asynchronous{.write_lock = "whole"}},
      {"both by block", Asynchronous{.read_lock = "block", .write_lock = "block"}},
      {"both whole", Asynchronous{.read_lock = "whole", .write_lock = "whole"}},
      {"passm, by ranges", Asynchronous{.partition = "ranges"}}};
  constexpr std::array<std::size_t, 4> cores{1, 2, 4, 8};
  NoWork problem(10'000'000);

  std::vector<Setting> settings;
  for (const Preset& locking : lockings)
    for (const std::size_t count : cores) settings.push_back({locking.method, count});
  const std::vector<double> rates = rates_in_turn(settings, problem, options);
  fmt::print("\nUpdates per second, dimension {}, subgradients that cost nothing\n",
             problem.dimension());
  fmt::print("{:<28}", "cores");
  for (const std::size_t count : cores) fmt::print(" {:>9}", count);
  for (std::size_t l = 0; l < lockings.size(); ++l) {
    fmt::print("\n{:<28}", lockings[l].name);
    for (std::size_t c = 0; c < cores.size(); ++c)
      fmt::print(" {:>9.1f}", rates[l * cores.size() + c]);
  }
  fmt::print("\n");
}

using Copy = void (*)(const float* from, float* to, std::size_t count);

struct Form {
  std::string name;
  Copy copy;
};

/// By way of a pointer, as the others: so every one of many equal copies is made.
[[gnu::noinline]] void copy_plainly(const float* from, float* to, std::size_t count) {
  std::memcpy(to, from, count * sizeof(float));
}

/// memcpy first.
std::vector<Form> forms_of_access() {
  std::vector<Form> forms{{"memcpy", copy_plainly}};
  const auto add = [&](const std::string& name, const SharedAccess& access) {
    forms.push_back({"load " + name, access.load});
    forms.push_back({"store " + name, access.store});
  };
  if (const std::optional<SharedAccess> fast = fast_access()) add("fast", *fast);
  add("strict", strict_access());
  return forms;
}

/// GB/s of every form on so many floats; bytes count once, where they arrive.
std::vector<double> rates_of_access(const std::vector<Form>& forms, std::size_t count,
                                    int repeats) {
  constexpr std::size_t together = 250'000'000;  // floats: long enough to time
  const std::size_t calls = together / count;
  Arena from(count), to(count);
  std::fill_n(from.data(), count, 1.0f);  // a page never written would be one that all share
  std::vector<bench::Work> works;
  for (const Form& form : forms)
    works.push_back({form.name, [&from, &to, count, calls, copy = form.copy] {
                       for (std::size_t k = 0; k < calls; ++k) copy(from.data(), to.data(), count);
                     }});
  const auto bytes = static_cast<double>(calls * count * sizeof(float));
  std::vector<double> rates;
  for (const double seconds : bench::side_by_side(works, repeats))
    rates.push_back(1e-9 * bytes / seconds);
  return rates;
}

/// Numbers move between shared memory and a core's own, beside a plain copy.
void measure_access(const Options& options) {
  // Between them: cnn, mlp and ResNet-18.
  constexpr std::array<std::size_t, 5> counts{2'000, 37'514, 203'530, 2'000'000, 11'173'962};
  const std::vector<Form> forms = forms_of_access();
  fmt::print(
      "\nGB/s that one core copies, and their ratio to memcpy; asked: load fast at least "
      "0.8\n{:>12}",
      "floats");
  for (const Form& form : forms) fmt::print(" {:>15}", form.name);
  fmt::print("\n");
  for (const std::size_t count : counts) {
    const std::vector<double> rates = rates_of_access(forms, count, 3 * options.repeats);
    fmt::print("{:>12}", count);
    for (const double rate : rates)
      fmt::print(" {:>15}", fmt::format("{:.1f} ({:.2f})", rate, rate / rates[0]));
    fmt::print("\n");
  }
}

/// What a core counts with, and a number that keeps its arithmetic from being left out.
struct alignas(64) Counter {
  Staleness staleness;
  float value = 0;
};

constexpr Round pretended = 1'000'000;  ///< updates of each core

/// Some hundred nanoseconds of arithmetic in a subgradient's place: meanwhile another core takes
/// the cache line of the common counter, as it does in a run.
[[gnu::noinline]] float compute(float value) {
  for (int k = 0; k < 128; ++k) value = 0.75f * value + 0.25f;
  return value;
}

/// What a core of the engine does to number its updates and, where `counting`, to count how stale
/// they are.
void pretend_updates(bool counting, std::atomic<Round>& landed, Counter& counter) {
  for (Round k = 0; k < pretended; ++k) {
    const Round before = counting ? landed.load(std::memory_order_acquire) : 0;
    counter.value = compute(counter.value);
    const Round number = landed.fetch_add(1, std::memory_order_acq_rel);
    if (counting) counter.staleness.count(number - before);
  }
}

/// Two cores at once, `pretended` updates each.
void pretend_on_two_cores(bool counting) {
  alignas(64) std::atomic<Round> landed = 0;
  const auto counters = std::make_unique<std::array<Counter, 2>>();
  std::vector<std::jthread> threads;
  for (Counter& counter : *counters)
    threads.emplace_back(
        [counting, &landed, &counter] { pretend_updates(counting, landed, counter); });
}

/// The cost of counting alone against the time that a core takes for an update.
void measure_staleness(const Options& options) {
  const std::vector<double> seconds =
      bench::side_by_side({{"counting", [] { pretend_on_two_cores(true); }},
                           {"not counting", [] { pretend_on_two_cores(false); }}},
                          3 * options.repeats);
  const double cost = 1e9 * (seconds[0] - seconds[1]) / static_cast<double>(pretended);
  fmt::print(
      "\nCounting staleness, on 2 cores at once: {:.1f} ns an update; asked: under 2 % of one\n",
      cost);
  fmt::print("{:<18} {:>14} {:>20} {:>12}\n", "hogwild on", "updates/s", "ns an update, core",
             "counting, %");
  const auto compare = [&](const NamedProblem& named) {
    const double rate = rates_in_turn({{Hogwild{}, 2}}, *named.problem, options)[0];
    const double own = 2e9 / rate;
    fmt::print("{:<18} {:>14.0f} {:>20.0f} {:>12.3f}\n", named.name, rate, own, 100 * cost / own);
  };
#ifdef STARLING_WITH_TORCH
  compare(network("cnn", options));
#endif
  if (!options.a9a.empty()) compare(logistic(options));
  compare(regression(options));
}

// The command line.

struct Section {
  std::string_view name;
  void (*measure)(const Options&);
};

constexpr Section sections[] = {{"scaling", measure_scaling},
                                {"python", compare_with_python},
                                {"contention", measure_contention},
                                {"access", measure_access},
                                {"staleness", measure_staleness}};

/// Throws UserError unless the text is a number in this range.
double number_of(const std::string& name, const std::string& text, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= least && value <= most))
    throw UserError{
        fmt::format("{} = \"{}\": must be a number from {} to {}", name, text, least, most)};
  return value;
}

void set(Options& options, const std::string& name, const std::string& text) {
  if (name == "--batch")
    options.batch = static_cast<std::int64_t>(number_of(name, text, 1, 1e4));
  else if (name == "--seconds")
    options.seconds = number_of(name, text, 0.01, 1e3);
  else if (name == "--repeats")
    options.repeats = static_cast<int>(number_of(name, text, 1, 1e3));
  else if (name == "--a9a")
    options.a9a = text;
  else
    throw UserError{fmt::format("{}: must be --batch, --seconds, --repeats or --a9a", name)};
}

void add_section(Options& options, const std::string& name) {
  std::string known;
  for (const Section& section : sections) {
    if (section.name == name) {
      options.sections.push_back(name);
      return;
    }
    known += fmt::format(" {}", section.name);
  }
  throw UserError{fmt::format("{}: no such section, must be one of{}", name, known)};
}

Options options_from(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t w = 0; w < words.size(); ++w) {
    if (!words[w].starts_with("--")) {
      add_section(options, words[w]);
      continue;
    }
    if (w + 1 == words.size()) throw UserError{fmt::format("{}: needs a value", words[w])};
    set(options, words[w], words[w + 1]);
    ++w;
  }
  return options;
}

void measure(const Options& options) {
  for (const Section& section : sections)
    if (options.sections.empty() ||
        std::ranges::find(options.sections, section.name) != options.sections.end())
      section.measure(options);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what is done is seen, whatever comes later
  try {
    measure(options_from({argv + 1, argv + argc}));
  } catch (const UserError& error) {
    fmt::print(stderr, "bench/threads: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench/threads: {}\n", error.what());
    return 1;
  }
}
