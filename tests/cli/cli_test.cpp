/// The program from end to end: commands, what they print, what they leave, how they end.
///
/// STARLING_PROGRAM is the built program, STARLING_EXPERIMENTS the folder of experiment files.
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "program_test.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

const std::string small =
    "title = \"A small one\"\n"
    "seed = 3\n"
    "rounds = 20\n"
    "[network]\n"
    "nodes = 4\n"
    "graph = { name = \"erdos-renyi\", probability = 0.6 }\n"
    "[problem]\n"
    "name = \"quadratic\"\n"
    "dimension = 3\n"
    "[[method]]\n"
    "name = \"dgd\"\n"
    "step = 0.05\n"
    "schedule = { name = \"power\", p = 0.6 }\n"
    "[[method]]\n"
    "name = \"dgd\"\n"
    "step = 0.1\n"
    "[[method]]\n"
    "name = \"amsgrad\"\n"
    "step = 0.01\n"
    "[record]\n"
    "every = 5\n";

const std::string logistic =
    "rounds = 3\n"
    "[network]\n"
    "nodes = 2\n"
    "[problem]\n"
    "name = \"logistic\"\n"
    "path = \"data\"\n"
    "[[method]]\n"
    "name = \"dgd\"\n"
    "step = 0.1\n";

using CliTest = ProgramTest;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::string last_line(const std::string& text) {
  const std::vector<std::string> lines = split(text, '\n');
  return lines.empty() ? "" : lines.back();
}

/// metrics.csv without the one column that may differ between runs.
std::string without_seconds(const std::string& csv) {
  std::string rest;
  for (const std::string& line : split(csv, '\n')) {
    const std::vector<std::string> cells = split(line, ',');
    for (std::size_t c = 0; c < cells.size(); ++c)
      if (c != 4) rest += cells[c] + ',';
    rest += '\n';
  }
  return rest;
}

/// The average of the only entries of x in a safetensors file of one-dimensional nodes.
double average_x(const std::string& bytes) {
  std::uint64_t length = 0;
  for (int k = 7; k >= 0; --k) length = length << 8 | static_cast<std::uint8_t>(bytes.at(k));
  const auto offsets = nlohmann::json::parse(bytes.substr(8, length)).at("x").at("data_offsets");
  const auto begin = offsets.at(0).get<std::size_t>(), end = offsets.at(1).get<std::size_t>();
  std::vector<float> x((end - begin) / sizeof(float));
  std::memcpy(x.data(), bytes.substr(8 + length + begin, end - begin).data(), end - begin);
  double sum = 0;
  for (const float value : x) sum += value;
  return sum / static_cast<double>(x.size());
}

TEST_F(CliTest, HelpShowsCommandsAndExamples) {
  const std::string help = output_of("--help");
  for (const char* part : {"Usage: starling", "run ", "list ", "graph ", "--version", "Example:"})
    EXPECT_TRUE(holds(help, part)) << part;
  for (const char* command : {"run", "list", "graph"})
    EXPECT_TRUE(holds(output_of(std::string{command} + " --help"), "Example:\n  starling "))
        << command;
  EXPECT_TRUE(holds(output_of("run --help"), "Exit status: 0 done, 1 failed, 2 a mistake"));
}

TEST_F(CliTest, VersionIsOneLine) {
  const std::string version = output_of("--version");
  EXPECT_TRUE(version.starts_with("Starling ")) << version;
  EXPECT_TRUE(holds(version, "libtorch")) << version;
  EXPECT_EQ(std::count(version.begin(), version.end(), '\n'), 1) << version;
}

TEST_F(CliTest, ListShowsEveryFamily) {
  const std::string all = output_of("list");
  const std::array<std::array<const char*, 3>, 8> families{{
      {"methods", "dadam", "default 0.999; in [0, 1)"},
      {"graphs", "watts-strogatz", "whole number, default 4; >= 2"},
      {"weights", "lazy", "number, default 0.5; in (0, 1)"},
      {"links", "random-edges", "number, default 0.5; in (0, 1]"},
      {"problems", "quadratic", "true/false, default false"},
      {"datasets", "mnist", "problem.path"},
      {"partitions", "dirichlet", "number, default 0.5; in (0, 1000000]"},
      {"schedules", "staircase", "default 1000; >= 1"},
  }};
  for (const auto& [family, entry, option] : families) {
    const std::string one = output_of(std::string{"list "} + family);
    EXPECT_TRUE(one.starts_with(std::string{family} + " (")) << one;
    EXPECT_TRUE(holds(one, std::string{"  "} + entry + " ")) << one;
    EXPECT_TRUE(holds(all, one)) << family;
    const std::string described = output_of(std::string{"list "} + family + " " + entry);
    EXPECT_TRUE(described.starts_with(std::string{entry} + ": ")) << described;
    EXPECT_TRUE(holds(described, option)) << described;
  }
}

TEST_F(CliTest, ListTellsAMethodsUpdatePaperWeightsAndMessages) {
  const std::string text = output_of("list methods sgp");
  for (const char* part :
       {"x_i+ = u_i+ / w_i+\n", "paper    Assran et al., arXiv 1811.10792",
        "weights  u with C (columns sum to 1)\n", "samples  at x, before the exchange\n",
        "sends    u: 4 bytes a coordinate to each neighbour", "messages may be lost\n"})
    EXPECT_TRUE(holds(text, part)) << part << text;
  EXPECT_TRUE(holds(output_of("list methods d2"), "symmetric, eigenvalues above -0.3333\n"));
}

#ifdef STARLING_WITH_TORCH  // the page has the problems that need it
TEST_F(CliTest, TheReferencePageIsWhatListPrints) {
  EXPECT_EQ(output_of("list --markdown"), stored(STARLING_DOCS "/reference.md"))
      << "build/release/bin/starling list --markdown > docs/reference.md";
}
#endif

TEST_F(CliTest, GraphTellsTheContractionOfAPeriod) {
  const std::string exact =
      output_of("graph directed-exponential --nodes 8 --weights uniform --links one-peer");
  EXPECT_TRUE(holds(exact, "period                       3 rounds\n")) << exact;
  EXPECT_TRUE(holds(exact, "messages a round             8\n")) << exact;
  EXPECT_TRUE(holds(exact, "||W_T ... W_1 - 11'/N||      0.000000 over the period\n")) << exact;
  const std::string random = output_of("graph ring --nodes 8 --links matchings");
  EXPECT_TRUE(holds(random, "none: drawn by chance")) << random;
  EXPECT_TRUE(holds(random, "contraction a round")) << random;
}

TEST_F(CliTest, GraphTellsTheSpeedOfMixing) {
  const std::string text = output_of("graph ring --nodes 8 --weights metropolis");
  const double lambda = (1 + 2 * std::cos(2 * std::numbers::pi / 8)) / 3;
  const auto line = [](const char* name, const std::string& value) {
    return fmt::format("  {:<28} {}\n", name, value);
  };
  EXPECT_TRUE(holds(text, line("nodes", "8"))) << text;
  EXPECT_TRUE(holds(text, line("edges", "8"))) << text;
  EXPECT_TRUE(holds(text, line("neighbours heard", "2"))) << text;
  EXPECT_TRUE(holds(text, line("connected", "yes"))) << text;
  EXPECT_TRUE(holds(text, "weights metropolis: W, doubly stochastic")) << text;
  EXPECT_TRUE(holds(text, line("lambda", fmt::format("{:.6f}", lambda)))) << text;
  EXPECT_TRUE(holds(text, line("spectral gap", fmt::format("{:.6g}", 1 - lambda)))) << text;
  // The consensus error is a mean square, so lambda counts twice.
  const double rounds = std::numbers::ln2 / (-2 * std::log(lambda));
  EXPECT_TRUE(holds(text, line("rounds to halve the error", fmt::format("{:.4g}", rounds))))
      << text;
}

TEST_F(CliTest, GraphTellsWhatDoesNotHold) {
  const std::string text = output_of("graph star --nodes 4 --weights uniform");
  EXPECT_TRUE(holds(text, "R (pull)")) << text;
  EXPECT_TRUE(holds(text, "not 1: 1.75 at worst")) << text;
  EXPECT_TRUE(holds(text, "C (push)")) << text;
}

TEST_F(CliTest, GraphTakesOptions) {
  const std::string few = output_of("graph grid --nodes 12 --set graph.rows=2");
  EXPECT_TRUE(holds(few, "graph { name = \"grid\", rows = 2 }")) << few;
  EXPECT_TRUE(holds(few, fmt::format("  {:<28} 16\n", "edges"))) << few;
}

TEST_F(CliTest, GraphDraws) {
  const std::string text = output_of("graph ring --nodes 8 --svg ring.svg");
  EXPECT_TRUE(holds(text, "drawn in ring.svg")) << text;
  const std::string svg = file("ring.svg");
  EXPECT_TRUE(svg.starts_with("<svg ")) << svg.substr(0, 80);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_FALSE(has("ring.svg.new"));
}

TEST_F(CliTest, RunPrintsATableAndTheFolderLast) {
  folder.write("small.toml", small);
  const std::string text = output_of("run small.toml --threads 1");
  EXPECT_TRUE(text.starts_with("A small one\n4 nodes, ")) << text;
  for (const char* part : {"method", "rounds", "objective", "consensus error", "gradient norm",
                           "\ndgd ", "\ndgd-2 ", "\namsgrad "})
    EXPECT_TRUE(holds(text, part)) << part << " in " << text;
  EXPECT_FALSE(holds(text, "test accuracy")) << "a quadratic has none";
  EXPECT_EQ(last_line(text), "runs/small");
}

TEST_F(CliTest, RunLeavesItsFiles) {
  folder.write("small.toml", small);
  output_of("run small.toml --quiet --threads 1 --out out");
  EXPECT_TRUE(has("out/experiment.toml"));
  for (const char* label : {"dgd", "dgd-2", "amsgrad"})
    EXPECT_TRUE(has(fmt::format("out/checkpoints/{}.safetensors", label))) << label;
  const std::vector<std::string> lines = split(file("out/metrics.csv"), '\n');
  ASSERT_EQ(lines.size(), 16u);  // the header, and rounds 0, 5, 10, 15, 20 of three methods
  EXPECT_EQ(lines[0],
            "method,seed,round,epoch,seconds,bytes_sent,minibatch_loss,objective,"
            "test_accuracy,node_accuracy_mean,node_accuracy_min,consensus_error,"
            "gradient_norm,stationarity,staleness_mean,staleness_max");
  const char* const labels[] = {"dgd", "dgd-2", "amsgrad"};
  for (std::size_t k = 1; k < lines.size(); ++k) {
    const std::vector<std::string> cells = split(lines[k], ',');
    ASSERT_EQ(std::ranges::count(lines[k], ','), 15) << lines[k];
    EXPECT_EQ(cells[0], labels[(k - 1) / 5]);
    EXPECT_EQ(cells[1], "3");
    EXPECT_EQ(cells[2], std::to_string((k - 1) % 5 * 5));
    EXPECT_EQ(cells[8], "");  // a quadratic has no accuracy
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path()))
    EXPECT_NE(entry.path().extension().string(), ".new") << entry.path().string();
}

TEST_F(CliTest, TheWrittenExperimentGivesTheSameBitsAgain) {
  folder.write("small.toml", small);
  output_of("run small.toml --quiet --threads 1 --out one --set problem.dimension=50");
  output_of("run one/experiment.toml --quiet --threads 1 --out two");
  EXPECT_EQ(without_seconds(file("one/metrics.csv")), without_seconds(file("two/metrics.csv")));
  EXPECT_EQ(file("one/experiment.toml"), file("two/experiment.toml"));
  for (const char* label : {"dgd", "dgd-2", "amsgrad"}) {
    const std::string path = fmt::format("/checkpoints/{}.safetensors", label);
    EXPECT_GT(file("one" + path).size(), 4u * 50 * sizeof(float)) << label;
    EXPECT_EQ(file("one" + path), file("two" + path)) << label;
  }
}

TEST_F(CliTest, AnotherSeedGivesOtherNumbers) {
  folder.write("small.toml", small);
  output_of("run small.toml --quiet --threads 1 --out one");
  output_of("run small.toml --quiet --threads 1 --out two --set seed=4");
  EXPECT_NE(file("one/checkpoints/dgd.safetensors"), file("two/checkpoints/dgd.safetensors"));
}

TEST_F(CliTest, ThreadsDoNotChangeABit) {
  folder.write("small.toml", small);
  for (const int threads : {1, 2, 4})
    output_of(
        fmt::format("run small.toml --quiet --set problem.dimension=5000 --threads {0} "
                    "--out t{0}",
                    threads));
  for (const char* other : {"t2", "t4"}) {
    EXPECT_EQ(without_seconds(file(std::string{other} + "/metrics.csv")),
              without_seconds(file("t1/metrics.csv")));
    for (const char* label : {"dgd", "dgd-2", "amsgrad"}) {
      const std::string path = fmt::format("/checkpoints/{}.safetensors", label);
      EXPECT_TRUE(file(other + path) == file("t1" + path)) << other << path;
    }
  }
}

TEST_F(CliTest, DryRunShowsTheResolvedFileAndWritesNothing) {
  folder.write("small.toml", small);
  const std::string text = output_of("run small.toml --dry-run --out out");
  EXPECT_TRUE(holds(text, "\nschedule = { name = \"power\", p = 0.6 }\n")) << text;
  EXPECT_TRUE(holds(text, "\nweights = \"metropolis\"\n")) << text;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename().string(), "small.toml");
}

TEST_F(CliTest, QuietPrintsTheFolderOnly) {
  folder.write("small.toml", small);
  const ProgramResult outcome = run("run small.toml --quiet --threads 1 --out out");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CliTest, RunsOfOneNameAreNumbered) {
  folder.write("small.toml", small);
  EXPECT_EQ(output_of("run small.toml --quiet --threads 1"), "runs/small\n");
  EXPECT_EQ(output_of("run small.toml --quiet --threads 1"), "runs/small-2\n");
}

TEST_F(CliTest, SetChangesEveryMethodAndIsRecorded) {
  folder.write("small.toml", small);
  output_of("run small.toml --quiet --threads 1 --out out --set method.step=0.003 --set rounds=5");
  const std::string resolved = file("out/experiment.toml");
  const std::vector<std::string> lines = split(resolved, '\n');
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "step = 0.003"), 3) << resolved;
  EXPECT_TRUE(holds(resolved, "rounds = 5\n")) << resolved;
  EXPECT_EQ(split(file("out/metrics.csv"), '\n').size(), 7u);
}

TEST_F(CliTest, SetMayComeBeforeTheFile) {
  folder.write("small.toml", small);
  EXPECT_EQ(output_of("run --set rounds=5 small.toml --quiet --threads 1 --out out"), "out\n");
}

TEST_F(CliTest, AnEarlierRunIsNeverOverwritten) {
  folder.write("small.toml", small);
  output_of("run small.toml --quiet --threads 1 --out out");
  const std::string before = file("out/metrics.csv");
  expect_mistake("run small.toml --quiet --threads 1 --out out", "out: already holds a run");
  EXPECT_EQ(file("out/metrics.csv"), before);
}

TEST_F(CliTest, MistakesOnTheCommandLineAreOneLine) {
  folder.write("small.toml", small);
  expect_mistake("", "subcommand is required");
  expect_mistake("run", "file is required");
  expect_mistake("run missing.toml", "missing.toml: no such file");
  expect_mistake("run small.toml --threads 0", "--threads");
  expect_mistake("run small.toml --threads many", "--threads");
  expect_mistake("run small.toml --colour", "--colour");
  expect_mistake("run small.toml --set rounds", "--set rounds: must be KEY=VALUE");
  expect_mistake("list nothing", "nothing");
  expect_mistake("list methods amsgrd", "\"amsgrd\" is unknown (did you mean \"amsgrad\"?)");
  expect_mistake("graph rong --nodes 4", "graph = \"rong\": unknown (did you mean \"ring\"?)");
  expect_mistake("graph ring", "nodes: missing");
  expect_mistake("graph hypercube --nodes 6", "must be a power of two");
  expect_mistake("graph directed-ring --nodes 4", "use \"uniform\"");
}

TEST_F(CliTest, MistakesInTheFileAreOneLine) {
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& part) {
    std::string text = small;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    folder.write("small.toml", text.replace(text.find(from), from.size(), to));
    expect_mistake("run small.toml", part);
  };
  expect("seed", "sed", "small.toml:2: sed: unknown key (did you mean \"seed\"?)");
  expect("\"dgd\"", "\"dgdd\"", "small.toml:11: method.name = \"dgdd\": unknown (did you mean");
  expect("nodes = 4", "nodes = \"4\"",
         "small.toml:5: network.nodes = \"4\": must be a whole number, not text");
  expect("0.05", "-1", "small.toml:12: method.step = -1: must be > 0");
  expect("probability = 0.6", "probability = 2",
         "small.toml:6: network.graph.probability = 2: must be in [0, 1]");
  expect("rounds = 20", "rounds = ", "small.toml:3: no valid TOML");
}

TEST_F(CliTest, ValuesThatDoNotFitTogetherAreOneLine) {
  folder.write("small.toml", small);
  folder.write("edges", "0 1\n2 3\n");
  expect_mistake("run small.toml --set 'network.graph={ name = \"file\", path = \"edges\" }'",
                 "small.toml: dgd: the graph is not connected");
  expect_mistake("run small.toml --set network.graph=star --set network.weights=uniform",
                 "small.toml: dgd: column 0 sums to 1.75, W must be doubly stochastic");
  expect_mistake("run small.toml --set 'problem.centers=[[1], [2], [3], [4]]'",
                 "problem.centers: list 0 has 1 numbers: dimension asks for 3");
  expect_mistake("run small.toml --set 'problem.centers=[[1, 2, 3]]'",
                 "problem.centers: 1 lists for 4 nodes");
  expect_mistake("run small.toml --set 'problem.start=[1, 2]'",
                 "problem.start: 2 numbers, dimension is 3");
}

TEST_F(CliTest, BadDataIsOneLine) {
  folder.write("logistic.toml", logistic);
  expect_mistake("run logistic.toml", "data: no such file");
  folder.write("data", "1 1:1\n-1 1:2\n1 1:x\n");
  expect_mistake("run logistic.toml", "data:3: \"1:x\": must be index:value");
  folder.write("data", "1 1:1\n-1 1:2\n1 1:3\n");
  expect_mistake("run logistic.toml --set network.nodes=5", "5 nodes for 3 samples");
  expect_mistake("run logistic.toml --set 'problem.start=[1, 2]'", "problem.start: 2 numbers");
  std::string rows;
  for (int k = 0; k < 100; ++k) rows += fmt::format("{} 1:{}\n", k % 2 ? 1 : -1, k);
  const std::string whole = stored(folder.write_gzip("data", rows));
  EXPECT_EQ(run("run logistic.toml --dry-run").status, 0);
  folder.write("data", whole.substr(0, whole.size() / 2));
  expect_mistake("run logistic.toml", "data: the gzip file is truncated");
}

/// The most memory that the program held while it ran with these arguments, in bytes.
double peak_memory(const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(STARLING_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stdout)) _exit(126);
    execv(STARLING_PROGRAM, argv.data());
    _exit(127);
  }
  int status = -1;
  rusage usage{};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

TEST_F(CliTest, AHundredThousandNodesFitInFourArrays) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers hold memory of their own";
#endif
  // What the program and its libraries take without any experiment does not count.
  const double bare = peak_memory({"list", "methods"});
  const double whole =
      peak_memory({"run", STARLING_EXPERIMENTS "/large-ring.toml", "--quiet", "--threads", "2",
                   "--set=rounds=3", "--out", (folder.path() / "large").string()});
  constexpr double nodes = 100'000, dimension = 100, state_variables = 1;
  EXPECT_LT(whole - bare, 4 * nodes * dimension * (state_variables + 3));
}

#ifdef STARLING_WITH_TORCH
TEST_F(CliTest, ThreadsDoNotChangeABitOfTheHeterogeneousRing) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  for (const int threads : {1, 2, 4})
    output_of(
        fmt::format("run {0}/heterogeneous-ring.toml --quiet --set rounds=6 "
                    "--set record.every=3 --set problem.objective_samples=100 "
                    "--set problem.test_samples=100 --set record.gradient_norm=true "
                    "--threads {1} --out t{1}",
                    STARLING_EXPERIMENTS, threads));
  for (const char* other : {"t2", "t4"}) {
    EXPECT_EQ(without_seconds(file(std::string{other} + "/metrics.csv")),
              without_seconds(file("t1/metrics.csv")));
    for (const char* label : {"amsgrad", "dgd", "dadam"}) {
      const std::string path = fmt::format("/checkpoints/{}.safetensors", label);
      EXPECT_TRUE(file(other + path) == file("t1" + path)) << other << path;
    }
  }
}

TEST_F(CliTest, MoreLabelsANodeThanThereAreIsOneLine) {
  const auto big_endian = [](std::uint32_t number) {
    return std::string{static_cast<char>(number >> 24), static_cast<char>(number >> 16),
                       static_cast<char>(number >> 8), static_cast<char>(number)};
  };
  std::string images = big_endian(0x803) + big_endian(20) + big_endian(2) + big_endian(2);
  for (int k = 0; k < 20 * 4; ++k) images += static_cast<char>(k);
  std::string labels = big_endian(0x801) + big_endian(20);
  for (int k = 0; k < 20; ++k) labels += static_cast<char>(k % 10);
  for (const char* part : {"train", "t10k"}) {
    folder.write(std::string{part} + "-images-idx3-ubyte", images);
    folder.write(std::string{part} + "-labels-idx1-ubyte", labels);
  }
  folder.write("network.toml",
               "rounds = 1\n[network]\nnodes = 4\n[problem]\nname = \"network\"\nmodel = \"mlp\"\n"
               "dataset = \"mnist\"\npath = \".\"\npartition = { by = \"labels\", labels = 2 }\n"
               "[[method]]\nname = \"dgd\"\nstep = 0.1\n");
  EXPECT_EQ(run("run network.toml --dry-run").status, 0);
  expect_mistake("run network.toml --set problem.partition.labels=11",
                 "problem.partition.labels = 11: more labels a node than there are");
}
#endif

TEST_F(CliTest, DivergenceSaysRoundAndNodeAndKeepsWhatWasRecorded) {
  // Node 1 is the one away from its optimum: x grows 10,000-fold a round there, so in round 6 its
  // loss of 0.5e40 is the first number that no float holds. Node 0 follows a round later.
  folder.write("wild.toml",
               "rounds = 30\n"
               "[network]\n"
               "nodes = 2\n"
               "graph = \"complete\"\n"
               "[problem]\n"
               "name = \"quadratic\"\n"
               "dimension = 1\n"
               "centers = [[0.0], [1.0]]\n"
               "curvatures = [[1.0], [1.0]]\n"
               "[[method]]\n"
               "name = \"dgd\"\n"
               "step = 1e4\n"
               "[[method]]\n"
               "name = \"dgd\"\n"
               "label = \"tame\"\n"
               "step = 1e-2\n"
               "[record]\n"
               "every = 2\n");
  const ProgramResult outcome = run("run wild.toml --quiet --threads 1 --out out");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_TRUE(holds(outcome.err,
                    "starling: dgd diverged in round 6: node 1, "
                    "minibatch loss is not finite"))
      << outcome.err;
  EXPECT_FALSE(holds(outcome.err, "tame")) << outcome.err;
  EXPECT_EQ(outcome.out, "out\n");

  const std::string csv = file("out/metrics.csv");
  EXPECT_TRUE(csv.ends_with("\n"));
  std::vector<std::string> wild_rounds;
  for (const std::string& line : split(csv, '\n')) {
    const std::vector<std::string> cells = split(line, ',');
    ASSERT_EQ(std::ranges::count(line, ','), 15) << line;
    if (cells[0] == "method") continue;
    EXPECT_TRUE(std::isfinite(std::strtod(cells[7].c_str(), nullptr))) << line;
    if (cells[0] == "dgd") wild_rounds.push_back(cells[2]);
  }
  EXPECT_EQ(wild_rounds, (std::vector<std::string>{"0", "2", "4"}));
  // The other method was run all the same; a state that is not finite is of no use.
  EXPECT_TRUE(has("out/checkpoints/tame.safetensors"));
  EXPECT_FALSE(has("out/checkpoints/dgd.safetensors"));
}

/// The last value of a column in metrics.csv for a method.
double last_value(const std::string& csv, const std::string& method, std::size_t column) {
  std::string value;
  for (const std::string& line : split(csv, '\n')) {
    const std::vector<std::string> cells = split(line, ',');
    if (cells[0] == method) value = cells.at(column);
  }
  return std::strtod(value.c_str(), nullptr);
}

TEST_F(CliTest, OnA9aTrackingNeedsClippingAndClippingNeedsTracking) {
  const std::filesystem::path data = real_data("a9a/a9a.gz");
  if (data.empty()) GTEST_SKIP() << "STARLING_DATA names no folder with a9a/a9a.gz";
  const std::string options =
      " --quiet --threads 1 --set problem.path=" + data.string() + " --out ";
  const ProgramResult tracking =
      run("run '" STARLING_EXPERIMENTS "/a9a-tracking.toml'" + options + "2");
  EXPECT_EQ(tracking.status, 3);
  EXPECT_TRUE(holds(tracking.err, "starling: dgt diverged in round")) << tracking.err;
  EXPECT_FALSE(holds(tracking.err, "clipped-tracking")) << tracking.err;
  EXPECT_LT(last_value(file("2/metrics.csv"), "clipped-tracking", 7), 0.4);

  output_of("run '" STARLING_EXPERIMENTS "/a9a-clipping.toml'" + options + "3");
  const std::string csv = file("3/metrics.csv");
  EXPECT_LT(last_value(csv, "clipped-tracking", 12) * 10, last_value(csv, "dgd-clip", 12));
}

TEST_F(CliTest, AllFourMethodsOfZhangEtAlBecomeStationary) {
  output_of("run '" STARLING_EXPERIMENTS
            "/dsm-phase-retrieval.toml' --quiet --threads 1 "
            "--out out");
  const std::string csv = file("out/metrics.csv");
  for (const char* method : {"dsgd", "dsgd-m", "dsgd-t", "dsignsgd"}) {
    EXPECT_LT(last_value(csv, method, 13), 0.05) << method;
    EXPECT_LT(last_value(csv, method, 11), 1e-6) << method;
  }
}

TEST_F(CliTest, DadamSettlesOffTheOptimumAndAmsgradAtIt) {
  output_of("run '" STARLING_EXPERIMENTS
            "/dadam-counterexample.toml' --quiet --threads 1 "
            "--out out");
  const double dadam = average_x(file("out/checkpoints/dadam.safetensors"));
  const double amsgrad = average_x(file("out/checkpoints/amsgrad.safetensors"));
  EXPECT_NEAR(dadam, 1 / (1 + 1 / std::sqrt(0.6)), 5e-4);
  EXPECT_NEAR(amsgrad, 0.5, 5e-4);
}

}  // namespace
}  // namespace starling
